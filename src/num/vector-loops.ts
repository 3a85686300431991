import { combineInto, dot, firstNonFinite, type Floats, meanInto, type Term } from './sums.js';

/** Where values [n] fall into cells: from index `offset` on, `outer` times over, `extent` neighbouring cells of `inner` values each. */
export interface Strip {
  readonly offset: number;
  readonly outer: number;
  readonly extent: number;
  readonly inner: number;
  /** Its first cell. */
  readonly first: number;
}

/**
 * What a run does over and over with vectors of all its parameters. An engine may bring loops of its own, compiled for the machine; all give the same
 * numbers as the plain ones, to the bit.
 */
export interface VectorLoops {
  /** target [n] = Σ weight · vector [n], added in the order of the terms, from zeros. */
  readonly combine: (target: Float64Array, terms: readonly Term[]) => void;
  /** target [n] = Σ sources [n] / divisor, added in the order of the sources, from zeros. */
  readonly mean: (target: Float64Array, sources: readonly Float64Array[], divisor: number) => void;
  /** Divides each of the numbers [n] by `divisor`. */
  readonly divide: (values: Float64Array, divisor: number) => void;
  /** Whether all numbers [n] are finite. */
  readonly areFinite: (values: Floats) => boolean;
  /** target [n] = source [n], exactly. */
  readonly widen: (target: Float64Array, source: Float32Array) => void;
  /** target [n] = a − b, in float64. */
  readonly subtract: (target: Float64Array, a: Float32Array, b: Float32Array) => void;
  /** target [n] = from + s · delta, in float64. */
  readonly move: (target: Float64Array, from: Float32Array, delta: Float64Array, s: number) => void;
  /** Σ aᵢ bᵢ of two vectors [n], compensated as in `dot`. */
  readonly dot: (a: Float64Array, b: Float64Array) => number;
  /**
   * exact [n] = a ∘ b, and the same rounded into `stored` [n], which may be `exact`. Returns how many of the products are no finite float32: then what
   * was written is of no use.
   */
  readonly multiply: (
    exact: Float64Array,
    stored: Float32Array | Float64Array,
    a: Float64Array,
    b: Float64Array,
  ) => number;
  /** Adds values [n] to the compensated sums of the cells, `totals` and what their roundings lost [cells], in the order of the values (see CellSums). */
  readonly sumStrip: (totals: Float64Array, lost: Float64Array, values: Floats, strip: Strip) => void;
  /** Σ a ∘ b over indices [from, to), in four sums of each fourth product; what is left over goes to the first. */
  readonly dotOf: (a: Float64Array, b: Float64Array, from: number, to: number) => number;
  /** Counts the values [n] below and above zero of each cell: adds to `below` and `above` [cells]. */
  readonly countStrip: (below: Int32Array, above: Int32Array, values: Float64Array, strip: Strip) => void;
  /** Sets a bit for each value [n] below zero, that of value k in byte k / 8 at k modulo 8; `bits` [n / 8, rounded up]. */
  readonly packSigns: (bits: Uint8Array, values: Float64Array) => void;
  /** Adds to `counts` [cells] the flags [n] of each cell. */
  readonly countFlags: (counts: Int32Array, flags: Uint8Array, strip: Strip) => void;
  /** Sets flags [8 · bytes] to 1 where two rows of bits [bytes] differ, else 0. */
  readonly differingBits: (flags: Uint8Array, before: Uint8Array, after: Uint8Array) => void;
}

/** The largest finite float32. */
export const maxFloat32 = (2 - 2 ** -23) * 2 ** 127;

/** The loops as every platform has them. */
export const plainLoops: VectorLoops = {
  combine: combineInto,
  mean: meanInto,
  divide,
  areFinite: (values) => firstNonFinite(values) < 0,
  widen,
  subtract,
  move,
  dot,
  multiply,
  sumStrip,
  dotOf,
  countStrip,
  packSigns,
  countFlags,
  differingBits,
};

function divide(values: Float64Array, divisor: number): void {
  for (let k = 0; k < values.length; k++) values[k]! /= divisor;
}

/** A loop converts several times as quickly as `set` from another type does. */
function widen(target: Float64Array, source: Float32Array): void {
  for (let k = 0; k < target.length; k++) target[k] = source[k]!;
}

function subtract(target: Float64Array, a: Float32Array, b: Float32Array): void {
  for (let k = 0; k < target.length; k++) target[k] = a[k]! - b[k]!;
}

function move(target: Float64Array, from: Float32Array, delta: Float64Array, s: number): void {
  for (let k = 0; k < target.length; k++) target[k] = from[k]! + s * delta[k]!;
}

function multiply(
  exact: Float64Array,
  stored: Float32Array | Float64Array,
  a: Float64Array,
  b: Float64Array,
): number {
  let bad = 0;
  for (let k = 0; k < exact.length; k++) {
    const value = a[k]! * b[k]!;
    bad += Number(!(Math.abs(value) <= maxFloat32));
    exact[k] = value;
    stored[k] = value;
  }
  return bad;
}

/** The rounding error of each addition is taken in Knuth's form, which gives the same number as Neumaier's without a branch. */
function sumStrip(totals: Float64Array, lost: Float64Array, values: Floats, strip: Strip): void {
  const { offset, outer, extent, inner, first } = strip;
  let k = offset;
  for (let row = 0; row < outer; row++) {
    if (inner === 1) {
      // A loop of its own: one that adds a single value takes longer to begin than to run.
      for (let cell = first; cell < first + extent; cell++, k++) {
        const value = values[k]!;
        const total = totals[cell]!;
        const next = total + value;
        const added = next - total;
        lost[cell]! += total - (next - added) + (value - added);
        totals[cell] = next;
      }
      continue;
    }
    for (let cell = first; cell < first + extent; cell++) {
      let total = totals[cell]!;
      let rest = lost[cell]!;
      for (const end = k + inner; k < end; k++) {
        const value = values[k]!;
        const next = total + value;
        const added = next - total;
        rest += total - (next - added) + (value - added);
        total = next;
      }
      totals[cell] = total;
      lost[cell] = rest;
    }
  }
}

/** Σ a ∘ b of two vectors [n] over indices [from, to), in four sums side by side: one alone would wait for each addition. */
export function dotOf(a: Float64Array, b: Float64Array, from: number, to: number): number {
  let s = 0;
  let t = 0;
  let u = 0;
  let v = 0;
  let k = from;
  for (; k + 4 <= to; k += 4) {
    s += a[k]! * b[k]!;
    t += a[k + 1]! * b[k + 1]!;
    u += a[k + 2]! * b[k + 2]!;
    v += a[k + 3]! * b[k + 3]!;
  }
  for (; k < to; k++) s += a[k]! * b[k]!;
  return s + t + (u + v);
}

/** Signs are as good as random: a branch on them takes several times as long. */
function countStrip(below: Int32Array, above: Int32Array, values: Float64Array, strip: Strip): void {
  const { offset, outer, extent, inner, first } = strip;
  let k = offset;
  for (let row = 0; row < outer; row++) {
    if (inner === 1) {
      for (let cell = first; cell < first + extent; cell++, k++) {
        below[cell]! += Number(values[k]! < 0);
        above[cell]! += Number(values[k]! > 0);
      }
      continue;
    }
    for (let cell = first; cell < first + extent; cell++) {
      let helping = 0;
      let hurting = 0;
      for (const end = k + inner; k < end; k++) {
        helping += Number(values[k]! < 0);
        hurting += Number(values[k]! > 0);
      }
      below[cell]! += helping;
      above[cell]! += hurting;
    }
  }
}

/** Without a branch, as above. */
function packSigns(bits: Uint8Array, values: Float64Array): void {
  const whole = values.length - (values.length % 8);
  for (let k = 0; k < whole; k += 8) {
    bits[k >> 3] =
      Number(values[k]! < 0) |
      (Number(values[k + 1]! < 0) << 1) |
      (Number(values[k + 2]! < 0) << 2) |
      (Number(values[k + 3]! < 0) << 3) |
      (Number(values[k + 4]! < 0) << 4) |
      (Number(values[k + 5]! < 0) << 5) |
      (Number(values[k + 6]! < 0) << 6) |
      (Number(values[k + 7]! < 0) << 7);
  }
  if (whole === values.length) return;
  let last = 0;
  for (let k = whole; k < values.length; k++) last |= Number(values[k]! < 0) << (k & 7);
  bits[whole >> 3] = last;
}

function countFlags(counts: Int32Array, flags: Uint8Array, strip: Strip): void {
  const { offset, outer, extent, inner, first } = strip;
  let k = offset;
  for (let row = 0; row < outer; row++) {
    if (inner === 1) {
      for (let cell = first; cell < first + extent; cell++, k++) counts[cell]! += flags[k]!;
      continue;
    }
    for (let cell = first; cell < first + extent; cell++) {
      let count = 0;
      for (const end = k + inner; k < end; k++) count += flags[k]!;
      counts[cell]! += count;
    }
  }
}

function differingBits(flags: Uint8Array, before: Uint8Array, after: Uint8Array): void {
  for (let byte = 0, k = 0; byte < before.length; byte++) {
    const bits = before[byte]! ^ after[byte]!;
    for (let bit = 0; bit < 8; bit++, k++) flags[k] = (bits >> bit) & 1;
  }
}
