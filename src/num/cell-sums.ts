import type { Floats } from './sums.js';
import { plainLoops, type Strip, type VectorLoops } from './vector-loops.js';

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

  /** Adds values [n] to the cells that a strip of them falls into, in order. */
  addStrip(values: Floats, strip: Strip, loops: VectorLoops = plainLoops): void {
    loops.sumStrip(this.#totals, this.#lost, values, strip);
  }

  /** Sets cells from `first` on to what another's cells [from, to) hold. */
  adopt(first: number, other: CellSums, from: number, to: number): void {
    this.#totals.set(other.#totals.subarray(from, to), first);
    this.#lost.set(other.#lost.subarray(from, to), first);
  }

  /** The sums [cells], each rounded once. NaN and infinities come through. */
  results(): Float64Array {
    const sums = this.#totals.slice();
    for (let cell = 0; cell < sums.length; cell++)
      if (Number.isFinite(sums[cell]!)) sums[cell]! += this.#lost[cell]!;
    return sums;
  }
}
