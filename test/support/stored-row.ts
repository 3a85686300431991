import type { LedgerRow } from '../../src/ledger/columns.js';
import type { StoredRow } from '../../src/ledger/laws/law.js';
import type { Numbers } from '../../src/ledger/types.js';

/** A row as it is kept; what was not kept is null. */
export type KeptRow = { readonly [N in keyof LedgerRow]: LedgerRow[N] | null };

/** What laws ask of a stored row: its columns by path. What was not measured, which is empty, is not stored. */
export function stored(row: KeptRow): StoredRow {
  return (path) => {
    const [column, grouping] = path.split('/') as [keyof LedgerRow, string?];
    const kept: unknown = row[column];
    const value =
      grouping === undefined || kept === null ? kept : (kept as Record<string, unknown>)[grouping];
    if (typeof value === 'number') return Float64Array.of(value);
    const numbers = (value ?? []) as Numbers | number[];
    if (numbers.length === 0) return null;
    return Array.isArray(numbers) ? Float64Array.from(numbers) : numbers;
  };
}
