import { dot } from '../../num/sums.js';
import type { Allocated } from '../allocate.js';

/**
 * The total along the directions of a basis, then what they leave [directions + 1]: of each direction the motion along it times the mean gradient
 * along it; of the remainder, what is left of the motion times the mean gradient. Nothing where there is no basis.
 */
export function basisSums({ basis = [], delta, meanGradient }: Allocated): Float64Array {
  if (basis.length === 0) return new Float64Array(0);
  const left = delta.slice();
  const sums = new Float64Array(basis.length + 1);
  basis.forEach((direction, r) => {
    const along = dot(direction, delta);
    sums[r] = along * dot(direction, meanGradient);
    for (let k = 0; k < left.length; k++) left[k]! -= along * direction[k]!;
  });
  sums[basis.length] = dot(left, meanGradient);
  return sums;
}
