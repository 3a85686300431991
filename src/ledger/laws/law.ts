import type { Numbers, ParameterLayout } from '../types.js';

/** A law that a row breaks. */
export interface Deviation {
  /** What disagrees, such as `total and the sum of the layer sums`. */
  readonly what: string;
  /** Layer, or null where the law is about the whole row. */
  readonly layer: string | null;
  readonly deviation: number;
  /** The largest deviation that rounding explains. */
  readonly bound: number;
}

/**
 * The stored numbers of a column in one segment (of a `row` column, at its start and at its end), such as `total` or `entity_sums/kind`; null
 * where it is not kept.
 */
export type StoredRow = (column: string) => Numbers | null;

/** How the objective of a row is divided. */
export interface RowDivision {
  /** What each part is a part by: those by one thing add up to the whole, together with those by null. */
  readonly by: readonly (string | null)[];
  /** How far parts may miss the whole, relative to the size of all their numbers. */
  readonly tolerance: number;
}

export const undivided: RowDivision = { by: ['all'], tolerance: 0 };

/** What rounding to float64 explains where sums were taken in another order, relative to the size of all their terms. */
export const reordering = 2 ** -36;

/**
 * What the numbers of a segment must satisfy. Laws without a bound of rounding hold to the bit, because both sides are the same
 * reduction. No deviation: the row is sound.
 */
export type Law = (row: StoredRow, layout: ParameterLayout, division: RowDivision) => Deviation[];

/** The deviation of a number from what it should be, where that exceeds the bound. */
export function deviations(
  what: string,
  layer: string | null,
  given: number,
  expected: number,
  bound = 0,
): Deviation[] {
  const deviation = Math.abs(given - expected);
  return deviation <= bound ? [] : [{ what, layer, deviation, bound }];
}

/** Σ |values| [n]. */
export function sizeOfAll(values: Numbers | readonly number[]): number {
  let size = 0;
  for (const value of values) size += Math.abs(value);
  return size;
}
