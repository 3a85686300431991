import type { Allocated } from '../allocate.js';
import { atomCount, byAxis, setSlopes } from '../atoms.js';
import { gatherSums } from '../groupings.js';

/**
 * Allocations of the update's components [components, cells] by the cells of each grouping: the integral of the gradient times what each
 * component moved. Nothing where the update is not split.
 */
export function componentSums({
  components,
  meanGradient,
  layout,
}: Allocated): Readonly<Record<string, Float64Array>> {
  if (!components) return {};
  const atoms = byAxis((axis) =>
    components.parts.map((part) => {
      const sums = new Float64Array(atomCount(layout.atoms[axis]));
      setSlopes(sums, part, meanGradient, layout.atoms[axis]);
      return sums;
    }),
  );
  return Object.fromEntries(
    layout.groupings.map((own) => {
      const sums = new Float64Array(components.parts.length * own.cells.length);
      atoms[own.axis].forEach((part, c) => { sums.set(gatherSums(own, part), c * own.cells.length); }); // prettier-ignore
      return [own.name, sums];
    }),
  );
}

/** Allocations of components by parameter [components, K], rounded once; nothing where they are not kept. */
export function componentAllocation({
  components,
  meanGradient,
  precision,
}: Allocated): Float32Array | Float64Array {
  const parts = components?.byParameter ? components.parts : [];
  const size = meanGradient.length;
  const length = parts.length * size;
  const products = precision === 'float64' ? new Float64Array(length) : new Float32Array(length);
  parts.forEach((part, c) => {
    for (let k = 0; k < size; k++) products[c * size + k] = part[k]! * meanGradient[k]!;
  });
  return products;
}
