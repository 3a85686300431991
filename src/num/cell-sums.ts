import type { Floats } from './sums.js';

/**
 * Compensated sums, one for each cell, as accurate as `sum`. The rounding error of each addition is taken in Knuth's form, which gives the
 * same number as Neumaier's without a branch.
 */
export class CellSums {
  readonly #totals: Float64Array;
  readonly #lost: Float64Array;

  constructor(cells: number) {
    this.#totals = new Float64Array(cells);
    this.#lost = new Float64Array(cells);
  }

  /** Adds one value to a cell. */
  add(cell: number, value: number): void {
    const total = this.#totals[cell]!;
    const next = total + value;
    const added = next - total;
    this.#lost[cell]! += total - (next - added) + (value - added);
    this.#totals[cell] = next;
  }

  /** Adds values [from, to) of `values` [n], one to each cell from `first` on. */
  addEach(first: number, values: Floats, from: number, to: number): void {
    const totals = this.#totals;
    const losts = this.#lost;
    for (let k = from, cell = first; k < to; k++, cell++) {
      const value = values[k]!;
      const total = totals[cell]!;
      const next = total + value;
      const added = next - total;
      losts[cell]! += total - (next - added) + (value - added);
      totals[cell] = next;
    }
  }

  /** Sets cells from `first` on to what another's cells [from, to) hold. */
  adopt(first: number, other: CellSums, from: number, to: number): void {
    this.#totals.set(other.#totals.subarray(from, to), first);
    this.#lost.set(other.#lost.subarray(from, to), first);
  }

  /** Adds values [from, to) of `values` [n] to one cell, in order. */
  addRun(cell: number, values: Floats, from: number, to: number): void {
    let total = this.#totals[cell]!;
    let lost = this.#lost[cell]!;
    for (let k = from; k < to; k++) {
      const value = values[k]!;
      const next = total + value;
      const added = next - total;
      lost += total - (next - added) + (value - added);
      total = next;
    }
    this.#totals[cell] = total;
    this.#lost[cell] = lost;
  }

  /** The sums [cells], each rounded once. NaN and infinities come through. */
  results(): Float64Array {
    const sums = this.#totals.slice();
    for (let cell = 0; cell < sums.length; cell++)
      if (Number.isFinite(sums[cell]!)) sums[cell]! += this.#lost[cell]!;
    return sums;
  }
}
