import type { AtomAxis, AtomStrip, TensorSpan } from './types.js';

/** The atoms of all tensors, in θ's order. */
export function atomStrips(tensors: readonly TensorSpan[], axis: AtomAxis): AtomStrip[] {
  let next = 0;
  return tensors.map((tensor) => {
    const { offset, size, shape } = tensor;
    const at = tensor[axis];
    const extent = at === null ? 1 : shape[at]!;
    const inner = at === null ? size : shape.slice(at + 1).reduce((product, length) => product * length, 1);
    const first = next;
    next += extent;
    return { offset, outer: size === 0 ? 0 : size / (extent * inner), extent, inner, first };
  });
}

/** Number of atoms. */
export function atomCount(strips: readonly AtomStrip[]): number {
  const last = strips.at(-1);
  return last === undefined ? 0 : last.first + last.extent;
}

/** What is known of the values in each atom [atoms]. */
export interface AtomTally {
  /** Rounded once from a compensated sum in θ's order. */
  readonly sums: Float64Array;
  /** Values below, above and exactly zero. */
  readonly helping: Int32Array;
  readonly hurting: Int32Array;
  readonly zero: Int32Array;
}

/** Sums and counts the signs of values [K] by atom. */
export function tallyAtoms(values: Float64Array, strips: readonly AtomStrip[]): AtomTally {
  const atoms = atomCount(strips);
  const tally = {
    sums: new Float64Array(atoms),
    helping: new Int32Array(atoms),
    hurting: new Int32Array(atoms),
    zero: new Int32Array(atoms),
  };
  const lost = new Float64Array(atoms);
  for (const strip of strips) tallyStrip(values, strip, tally, lost);
  for (let atom = 0; atom < atoms; atom++) tally.sums[atom]! += lost[atom]!;
  return tally;
}

/** Neumaier's compensated sums, an atom's state kept in `sums` and `lost` between the visits to it. */
function tallyStrip(values: Float64Array, strip: AtomStrip, tally: AtomTally, lost: Float64Array): void {
  if (strip.inner === 1) tallyColumns(values, strip, tally, lost);
  else tallyRuns(values, strip, tally, lost);
}

/** Where an atom's values stand side by side. Signs are as good as random, so nothing branches on them. */
function tallyRuns(
  values: Float64Array,
  { offset, outer, extent, inner, first }: AtomStrip,
  { sums, helping, hurting, zero }: AtomTally,
  lost: Float64Array,
): void {
  let k = offset;
  for (let visit = 0; visit < outer * extent; visit++) {
    const at = first + (visit % extent);
    let total = sums[at]!;
    let rounding = lost[at]!;
    let below = 0;
    let above = 0;
    for (const end = k + inner; k < end; k++) {
      const value = values[k]!;
      const next = total + value;
      rounding += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
      total = next;
      below += Number(value < 0);
      above += Number(value > 0);
    }
    sums[at] = total;
    lost[at] = rounding;
    helping[at]! += below;
    hurting[at]! += above;
    zero[at]! += inner - below - above;
  }
}

/** Where neighbours belong to different atoms: row after row of one value each. */
function tallyColumns(
  values: Float64Array,
  { offset, outer, extent, first }: AtomStrip,
  { sums, helping, hurting, zero }: AtomTally,
  lost: Float64Array,
): void {
  for (let row = offset; row < offset + outer * extent; row += extent) {
    for (let column = 0; column < extent; column++) {
      const at = first + column;
      const value = values[row + column]!;
      const total = sums[at]!;
      const next = total + value;
      // Knuth's form of the rounding error: the same number, without a branch.
      const added = next - total;
      lost[at]! += total - (next - added) + (value - added);
      sums[at] = next;
      helping[at]! += Number(value < 0);
      hurting[at]! += Number(value > 0);
    }
  }
  for (let at = first; at < first + extent; at++) zero[at]! += outer - helping[at]! - hurting[at]!;
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
    for (let visit = 0; visit < outer * extent; visit++) {
      const end = k + inner;
      slopes[first + (visit % extent)]! += dotOf(direction, gradient, k, end);
      k = end;
    }
  }
}

/** Σ a ∘ b over [from, to), in four sums side by side: one alone waits for each addition. */
function dotOf(a: Float64Array, b: Float64Array, from: number, to: number): number {
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
