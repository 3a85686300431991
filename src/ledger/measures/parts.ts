import type { Allocated } from '../allocate.js';
import { gatherSums, groupingNamed } from '../groupings.js';

/** Allocations of parts [parts, cells] by the cells of a grouping; nothing where the objective is not divided. */
export function partSums({ parts, layout }: Allocated, name: string): Float64Array {
  if (!parts) return new Float64Array(0);
  const own = groupingNamed(layout, name);
  const count = parts.lossStart.length;
  const atoms = own.cellOf.length;
  const sums = new Float64Array(count * own.cells.length);
  for (let part = 0; part < count; part++) {
    sums.set(
      gatherSums(own, parts.atomSums.subarray(part * atoms, (part + 1) * atoms)),
      part * own.cells.length,
    );
  }
  return sums;
}

/** Allocations of parts by parameter [parts, K], rounded once; nothing where they are not kept. */
export function partAllocation({ parts, delta, precision }: Allocated): Float32Array | Float64Array {
  const gradient = parts?.meanGradient ?? new Float64Array(0);
  const products =
    precision === 'float64' ? new Float64Array(gradient.length) : new Float32Array(gradient.length);
  for (let k = 0; k < products.length; k++) products[k] = delta[k % delta.length]! * gradient[k]!;
  return products;
}
