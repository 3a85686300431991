import type { ColumnName, ColumnNumbers, SmallColumnName } from './columns.js';
import type { Numbers, Objective, ParameterLayout } from './types.js';

/** A stored ledger, as analyses read it. Two-dimensional arrays are row-major. */
export interface LedgerView {
  /** T: measured segments. */
  readonly segments: number;
  /** Training iteration that each row of θ belongs to [T+1]; 0…T unless checkpoints are apart. */
  readonly iteration: Int32Array;
  readonly layout: ParameterLayout;
  /** In the order of the manifest; the first is what is shown where there is room for one. */
  readonly objectives: readonly Objective[];
  /** What the motion of segments is split into; none: it is not split. */
  readonly components: readonly string[];
  /** Of losses and allocations: `nats`, or another loss's. */
  readonly unit: string;
  readonly rule: string;
  /** In the loss's unit; null: never refined. */
  readonly tolerance: number | null;
  /** Share of the signs that refinement was to make certain; null: errors were not estimated. */
  readonly certify: number | null;
  /**
   * A column of one objective, or without one a column of the run: [T, …] by segment, [T+1, …] by row of θ.
   *
   * @throws UsageError where the run has no such column.
   */
  column<N extends SmallColumnName>(name: N, objective?: string): ColumnNumbers<N>;
  /** Whether the run has a small column, of one objective or its own. */
  has(name: SmallColumnName, objective?: string): boolean;
  /** The rows of any column, of one objective or without one of the run, of one grouping where it is by grouping, one segment at a time; null where it was not kept. */
  rows(name: ColumnName, objective?: string, grouping?: string): AsyncIterable<Numbers> | null;
}
