import type { Numbers } from '../../ledger/types.js';

/** A moment of a curve: a strict extremum between its neighbours. */
export interface Moment {
  /** Segment. */
  readonly t: number;
  readonly value: number;
}

/** How many moments of each curve count (the paper's top 20). */
export const momentLimit = 20;

/**
 * The 20 lowest moments of each of several curves: strict local minima below zero, t = 1 … T − 2, ties to the earlier. Holds two values
 * and the moments of each curve, whatever T is.
 */
export class MomentWatch {
  readonly #before: Float64Array;
  readonly #current: Float64Array;
  readonly #found: Moment[][];
  #rows = 0;

  /** `sign` −1 turns curves over: then local maxima above zero are found. */
  constructor(
    curves: number,
    readonly sign: 1 | -1 = 1,
  ) {
    this.#before = new Float64Array(curves);
    this.#current = new Float64Array(curves);
    this.#found = Array.from({ length: curves }, () => []);
  }

  /** Takes the next value of every curve [curves]. */
  add(row: Numbers): void {
    const [before, current] = [this.#before, this.#current];
    for (let curve = 0; curve < current.length; curve++) {
      const [value, next] = [current[curve]!, this.sign * row[curve]!];
      if (this.#rows >= 2 && value < 0 && value < before[curve]! && value < next) {
        insert(this.#found[curve]!, { t: this.#rows - 1, value });
      }
      before[curve] = value;
      current[curve] = next;
    }
    this.#rows++;
  }

  /** Segments of each curve's moments, in order of time. */
  segments(): number[][] {
    return this.#found.map((moments) => moments.map(({ t }) => t).sort((a, b) => a - b));
  }

  /** Each curve's moments, lowest first, with values as they were given. */
  moments(): Moment[][] {
    return this.#found.map((list) => list.map(({ t, value }) => ({ t, value: this.sign * value })));
  }
}

/** Keeps the lowest, ascending; an equal value goes behind the earlier one. */
function insert(moments: Moment[], moment: Moment): void {
  if (moments.length === momentLimit && moment.value >= moments.at(-1)!.value) return;
  const at = moments.findIndex(({ value }) => moment.value < value);
  moments.splice(at < 0 ? moments.length : at, 0, moment);
  moments.length = Math.min(moments.length, momentLimit);
}
