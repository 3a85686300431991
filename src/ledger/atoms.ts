import { sizeOf } from '../graph/types.js';
import { CellSums } from '../num/cell-sums.js';
import type { Floats } from '../num/sums.js';
import { dotOf, plainLoops, type VectorLoops } from '../num/vector-loops.js';
import type { AtomAxis, AtomStrip, TensorSpan } from './types.js';

/** The atoms of all tensors, in θ's order. */
export function atomStrips(tensors: readonly TensorSpan[], axis: AtomAxis): AtomStrip[] {
  let next = 0;
  return tensors.map((tensor) => {
    const { offset, size, shape } = tensor;
    const at = tensor[axis];
    const extent = at === null ? 1 : shape[at]!;
    const inner = at === null ? size : sizeOf(shape.slice(at + 1));
    const first = next;
    next += extent;
    return { offset, outer: size === 0 ? 0 : size / (extent * inner), extent, inner, first };
  });
}

/** What a function gives for each axis of atoms. */
export function byAxis<T>(of: (axis: AtomAxis) => T): Readonly<Record<AtomAxis, T>> {
  return { neuronAxis: of('neuronAxis'), inputAxis: of('inputAxis') };
}

/** Number of atoms. */
export function atomCount(strips: readonly AtomStrip[]): number {
  const last = strips.at(-1);
  return last === undefined ? 0 : last.first + last.extent;
}

/** How many of the values in each atom [atoms] are below, above and exactly zero. */
export interface AtomCounts {
  readonly helping: Int32Array;
  readonly hurting: Int32Array;
  readonly zero: Int32Array;
}

/** Sums of values [K] by atom [atoms], compensated, in θ's order. */
export function sumAtoms(values: Floats, strips: readonly AtomStrip[], loops?: VectorLoops): CellSums {
  const sums = new CellSums(atomCount(strips));
  for (const strip of strips) sums.addStrip(values, strip, loops);
  return sums;
}

/** What is known of the values in each atom [atoms]. */
export interface AtomTally extends AtomCounts {
  /** Each rounded once from a compensated sum in θ's order. */
  readonly sums: Float64Array;
}

/** Counts the signs of values [K] by atom. */
export function countAtoms(
  values: Float64Array,
  strips: readonly AtomStrip[],
  loops: VectorLoops = plainLoops,
): AtomCounts {
  const helping = new Int32Array(atomCount(strips));
  const hurting = new Int32Array(helping.length);
  const zero = new Int32Array(helping.length);
  for (const strip of strips) {
    loops.countStrip(helping, hurting, values, strip);
    const { outer, extent, inner, first } = strip;
    for (let at = first; at < first + extent; at++) zero[at] = outer * inner - helping[at]! - hurting[at]!;
  }
  return { helping, hurting, zero };
}

/** Sets `slopes` [atoms] to Σ direction ∘ gradient over each atom, both [K]: how fast the loss changes along the direction. */
export function setSlopes(
  slopes: Float64Array,
  direction: Float64Array,
  gradient: Float64Array,
  strips: readonly AtomStrip[],
): void {
  slopes.fill(0);
  for (const { offset, outer, extent, inner, first } of strips) {
    let k = offset;
    for (let row = 0; row < outer; row++) {
      for (let at = first; at < first + extent; at++, k += inner) {
        slopes[at]! += inner === 1 ? direction[k]! * gradient[k]! : dotOf(direction, gradient, k, k + inner);
      }
    }
  }
}
