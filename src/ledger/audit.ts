import { columnEntries } from './columns.js';
import type { Deviation, StoredRow } from './laws.js';
import type { ParameterLayout } from './types.js';

/** Checks that a segment's row of one objective obeys every column's law. No deviation: the row balances. */
export function audit(row: StoredRow, layout: ParameterLayout): Deviation[] {
  return columnEntries().flatMap(([, { law }]) => law?.(row, layout) ?? []);
}
