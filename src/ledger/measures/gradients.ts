import type { Allocated } from '../allocate.js';
import { atomCount, byAxis, dotOf } from '../atoms.js';
import { gatherCounts } from '../groupings.js';
import { onceFor } from '../../num/once.js';
import type { AtomStrip, Numbers, ParameterLayout } from '../types.js';

/** Bytes that hold one bit of each parameter. */
export function signBytes(size: number): number {
  return Math.ceil(size / 8);
}

/** Signs of the gradients at both ends of a segment [2, bytes]: a bit is set where a number is below zero, that of parameter k in byte k / 8 at k modulo 8. */
export const gradientSigns = onceFor(({ startGradient, endGradient }: Allocated): Uint8Array => {
  const bytes = signBytes(startGradient.length);
  const packed = new Uint8Array(2 * bytes);
  pack(packed, startGradient);
  pack(packed.subarray(bytes), endGradient);
  return packed;
});

/** Signs are as good as random: a branch on them takes several times as long. */
function pack(bytes: Uint8Array, values: Float64Array): void {
  const whole = values.length - (values.length % 8);
  for (let k = 0; k < whole; k += 8) {
    bytes[k >> 3] =
      Number(values[k]! < 0) |
      (Number(values[k + 1]! < 0) << 1) |
      (Number(values[k + 2]! < 0) << 2) |
      (Number(values[k + 3]! < 0) << 3) |
      (Number(values[k + 4]! < 0) << 4) |
      (Number(values[k + 5]! < 0) << 5) |
      (Number(values[k + 6]! < 0) << 6) |
      (Number(values[k + 7]! < 0) << 7);
  }
  for (let k = whole; k < values.length; k++) bytes[k >> 3]! |= Number(values[k]! < 0) << (k & 7);
}

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
export function signChanges(signs: Numbers, layout: ParameterLayout): Readonly<Record<string, Int32Array>> {
  const bytes = signs.length / 2;
  const changed = new Uint8Array(8 * signBytes(layout.size));
  for (let byte = 0, k = 0; byte < bytes; byte++, k += 8) {
    const bits = signs[byte]! ^ signs[bytes + byte]!;
    if (bits === 0) continue;
    for (let bit = 0; bit < 8; bit++) changed[k + bit] = (bits >> bit) & 1;
  }
  const atoms = byAxis((axis) => sumOnes(changed, layout.atoms[axis]));
  return Object.fromEntries(layout.groupings.map((own) => [own.name, gatherCounts(own, atoms[own.axis])]));
}

/** Σ of flags [K] by atom [atoms]. */
function sumOnes(flags: Uint8Array, strips: readonly AtomStrip[]): Int32Array {
  const counts = new Int32Array(atomCount(strips));
  for (const { offset, outer, extent, inner, first } of strips) {
    let k = offset;
    for (let row = 0; row < outer; row++) {
      if (inner === 1) for (let at = first; at < first + extent; at++, k++) counts[at]! += flags[k]!;
      else
        for (let at = first; at < first + extent; at++) {
          let count = 0;
          for (const stop = k + inner; k < stop; k++) count += flags[k]!;
          counts[at]! += count;
        }
    }
  }
  return counts;
}

/** Euclidean norm of the values [K] of each layer, into `norms` [layers]. */
export function setLayerNorms(norms: Float64Array, values: Float64Array, layout: ParameterLayout): void {
  norms.fill(0);
  if (values.length === 0) return;
  for (const { layer, offset, size } of layout.tensors) {
    norms[layout.layers.indexOf(layer)]! += dotOf(values, values, offset, offset + size);
  }
  for (let layer = 0; layer < norms.length; layer++) norms[layer] = Math.sqrt(norms[layer]!);
}

/** Norms of several vectors [K] by layer, end to end [vectors, layers]. */
export function layerNorms(vectors: readonly Float64Array[], layout: ParameterLayout): Float64Array {
  const { length } = layout.layers;
  const norms = new Float64Array(vectors.length * length);
  vectors.forEach((vector, v) => { setLayerNorms(norms.subarray(v * length, (v + 1) * length), vector, layout); }); // prettier-ignore
  return norms;
}

/** Norms of the parts' gradients at both ends [2, parts, layers]; nothing where single parameters of parts are not kept. */
export function partNorms({ parts, layout }: Allocated): Float64Array {
  const gradients = parts?.gradients ?? [];
  const vectors = gradients.flatMap((all) =>
    Array.from({ length: all.length / layout.size }, (_, part) =>
      all.subarray(part * layout.size, (part + 1) * layout.size),
    ),
  );
  return layerNorms(vectors, layout);
}
