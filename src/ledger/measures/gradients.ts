import type { Allocated } from '../allocate.js';
import { atomCount, byAxis } from '../atoms.js';
import { gatherCounts } from '../groupings.js';
import { onceFor } from '../../num/once.js';
import { plainLoops, type VectorLoops } from '../../num/vector-loops.js';
import type { ParameterLayout } from '../types.js';

/** Bytes that hold one bit of each parameter. */
export function signBytes(size: number): number {
  return Math.ceil(size / 8);
}

/** Signs of the gradients at both ends of a segment [2, bytes]: a bit is set where a number is below zero, that of parameter k in byte k / 8 at k modulo 8. */
export const gradientSigns = onceFor(
  ({ startGradient, endGradient, loops = plainLoops }: Allocated): Uint8Array => {
    const bytes = signBytes(startGradient.length);
    const packed = new Uint8Array(2 * bytes);
    loops.packSigns(packed.subarray(0, bytes), startGradient);
    loops.packSigns(packed.subarray(bytes), endGradient);
    return packed;
  },
);

/** Numbers below zero [size] where a bit is set, and zeros. */
export function unpackedSigns(bytes: ArrayLike<number>, size: number): Float64Array {
  const values = new Float64Array(size);
  for (let k = 0; k < size; k++) values[k] = -((bytes[k >> 3]! >> (k & 7)) & 1);
  return values;
}

/**
 * Parameters whose gradient is below zero at one end of a segment and not at the other, by the cells of each grouping [cells]: of the signs at both ends
 * [2, bytes], or none [0] where the rule has no gradients there.
 */
export function signChanges(
  signs: Uint8Array,
  layout: ParameterLayout,
  loops: VectorLoops = plainLoops,
): Readonly<Record<string, Int32Array>> {
  const bytes = signs.length / 2;
  const changed = flagsOf(layout);
  if (bytes === 0) changed.fill(0);
  else loops.differingBits(changed, signs.subarray(0, bytes), signs.subarray(bytes));
  const atoms = byAxis((axis) => {
    const counts = new Int32Array(atomCount(layout.atoms[axis]));
    for (const strip of layout.atoms[axis]) loops.countFlags(counts, changed, strip);
    return counts;
  });
  return Object.fromEntries(layout.groupings.map((own) => [own.name, gatherCounts(own, atoms[own.axis])]));
}

/** Flags [8 · bytes] that are written anew each time: memory that is taken for every segment costs more than what is done in it. */
const flagsOf = onceFor(({ size }: ParameterLayout) => new Uint8Array(8 * signBytes(size)));

/** Euclidean norm of the values [K] of each layer, into `norms` [layers]. */
export function setLayerNorms(
  norms: Float64Array,
  values: Float64Array,
  layout: ParameterLayout,
  loops: VectorLoops = plainLoops,
): void {
  norms.fill(0);
  if (values.length === 0) return;
  for (const { layer, offset, size } of layout.tensors) {
    norms[layout.layers.indexOf(layer)]! += loops.dotOf(values, values, offset, offset + size);
  }
  for (let layer = 0; layer < norms.length; layer++) norms[layer] = Math.sqrt(norms[layer]!);
}

/** Norms of several vectors [K] by layer, end to end [vectors, layers]. */
export function layerNorms(
  vectors: readonly Float64Array[],
  layout: ParameterLayout,
  loops?: VectorLoops,
): Float64Array {
  const { length } = layout.layers;
  const norms = new Float64Array(vectors.length * length);
  vectors.forEach((vector, v) => { setLayerNorms(norms.subarray(v * length, (v + 1) * length), vector, layout, loops); }); // prettier-ignore
  return norms;
}

/** Norms of the parts' gradients at both ends [2, parts, layers]; nothing where single parameters of parts are not kept. */
export function partNorms({ parts, layout, loops }: Allocated): Float64Array {
  const gradients = parts?.gradients ?? [];
  const vectors = gradients.flatMap((all) =>
    Array.from({ length: all.length / layout.size }, (_, part) =>
      all.subarray(part * layout.size, (part + 1) * layout.size),
    ),
  );
  return layerNorms(vectors, layout, loops);
}
