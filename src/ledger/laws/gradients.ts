import { signChanges } from '../measures/gradients.js';
import { columnsBy, deviations, deviationsOf, type Law, reordering, together } from './law.js'; // prettier-ignore

/** Changes of sign are those between the signs at both ends, by every grouping. */
export const signChangeLaw: Law = (row, layout) => {
  const signs = row('gradient_sign') as Uint8Array | null;
  if (signs === null) return [];
  const expected = signChanges(signs, layout);
  return together(
    layout.groupings.map((grouping) => {
      const counts = row(columnsBy(grouping).signChanges);
      if (counts === null) return [];
      const own = expected[grouping.name]!;
      return deviationsOf(counts, (k) => own[k]!, (k) => [`changes of sign and the stored signs of ${grouping.cells[k]!}`, null]); // prettier-ignore
    }),
  );
};

/** Along the motion the loss changes to first order by no more than norm of the gradient times norm of the motion, over the layers. */
export const normLaw: Law = (row) => {
  const [gradients, motions, residual] = [row('gradient_norm'), row('motion_norm'), row('left_residual')];
  if (gradients === null || motions === null || residual === null) return [];
  const [start, end] = row('loss')!;
  const slope = Math.abs(residual[0]! + (end! - start!));
  let most = 0;
  motions.forEach((motion: number, layer: number) => (most += motion * gradients[layer]!));
  return deviations('first-order change and the norms of gradient and motion', null, slope, Math.min(slope, most), reordering * (most + Math.abs(start!) + Math.abs(end!))); // prettier-ignore
};
