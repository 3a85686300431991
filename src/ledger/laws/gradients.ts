import { signBytes, signChanges, unpackedSigns } from '../measures/gradients.js';
import { type Deviation, deviations, type Law, reordering } from './law.js';

/** Changes of sign are those between the signs at both ends, by every grouping. */
export const signChangeLaw: Law = (row, layout) => {
  const signs = row('gradient_sign');
  if (signs === null) return [];
  const bytes = signBytes(layout.size);
  const [start, end] = [0, bytes].map((from) => unpackedSigns(signs.subarray(from, from + bytes), layout.size)); // prettier-ignore
  const expected = signChanges(start!, end!, layout);
  return layout.groupings.flatMap(({ name, cells }) => {
    const counts = row(`sign_changes/${name}`);
    if (counts === null) return [];
    return cells.flatMap((cell, k) => deviations(`changes of sign and the stored signs of ${cell}`, null, counts[k]!, expected[name]![k]!)); // prettier-ignore
  });
};

/** Along the motion the loss changes to first order by no more than norm of the gradient times norm of the motion, over the layers. */
export const normLaw: Law = (row) => {
  const [gradients, motions, residual] = [row('gradient_norm'), row('motion_norm'), row('left_residual')];
  if (gradients === null || motions === null || residual === null) return [];
  const [start, end] = row('loss')!;
  const slope = Math.abs(residual[0]! + (end! - start!));
  let most = 0;
  motions.forEach((motion: number, layer: number) => (most += motion * gradients[layer]!));
  const excess: Deviation[] = deviations('first-order change and the norms of gradient and motion', null, slope, Math.min(slope, most), reordering * (most + Math.abs(start!) + Math.abs(end!))); // prettier-ignore
  return excess;
};
