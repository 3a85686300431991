import { onceFor } from '../../num/once.js';
import type { Grouping, Numbers, ParameterLayout } from '../types.js';

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
export type Law = (row: StoredRow, layout: ParameterLayout, division: RowDivision) => readonly Deviation[];

const none: readonly Deviation[] = [];

/** The deviation of a number from what it should be, where that exceeds the bound. */
export function deviations(
  what: string,
  layer: string | null,
  given: number,
  expected: number,
  bound = 0,
): readonly Deviation[] {
  const deviation = Math.abs(given - expected);
  return deviation <= bound ? none : [{ what, layer, deviation, bound }];
}

/**
 * The deviations of numbers [n] from what they should be. Nearly always there are none, so that what disagrees is said only where something does: `about`
 * names it, by index, and its layer.
 */
export function deviationsOf(
  given: ArrayLike<number>,
  expected: (k: number) => number,
  about: (k: number) => readonly [what: string, layer: string | null],
  bound: (k: number) => number = noBound,
): readonly Deviation[] {
  let found: Deviation[] | null = null;
  for (let k = 0; k < given.length; k++) {
    const [deviation, most] = [Math.abs(given[k]! - expected(k)), bound(k)];
    if (deviation <= most) continue;
    const [what, layer] = about(k);
    (found ??= []).push({ what, layer, deviation, bound: most });
  }
  return found ?? none;
}

const noBound = (): number => 0;

/** All deviations of some laws. */
export function together(lists: readonly (readonly Deviation[])[]): readonly Deviation[] {
  return lists.every((list) => list.length === 0) ? none : lists.flat();
}

/** Names of the arrays of columns by a grouping, made once: text that is joined anew takes long to be looked up. */
export const columnsBy = onceFor(({ name }: Grouping) => ({
  sums: `entity_sums/${name}`,
  helping: `entity_helping/${name}`,
  hurting: `entity_hurting/${name}`,
  zero: `entity_zero/${name}`,
  undetermined: `entity_undetermined/${name}`,
  signChanges: `sign_changes/${name}`,
  components: `component_sums/${name}`,
}));

/** Whether every parameter is in a cell of a grouping. */
export const holdsAll = onceFor(({ cellOf }: Grouping) => !cellOf.includes(-1));

/** Σ |values| [n]. */
export function sizeOfAll(values: Numbers | readonly number[]): number {
  let size = 0;
  for (const value of values) size += Math.abs(value);
  return size;
}
