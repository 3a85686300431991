import type { Allocated } from './allocate.js';
import type { Law } from './laws/law.js';
import type { Numbers } from './types.js';

/** What a column's numbers are counted by. `row` is a row of θ: a segment then gives two, at its start and at its end. */
export type Axis =
  | 'segment'
  | 'row'
  | 'part'
  | 'component'
  | 'layer'
  | 'neuron'
  | 'tensor'
  | 'cell'
  | 'direction'
  | 'parameter'
  | 'byte';

/**
 * `endGradients`: the rule evaluates gradients at the ends of segments. `certainty`: errors are estimated. `basis`: the total is divided by
 * the directions of one.
 */
export type ColumnCondition = 'endGradients' | 'certainty' | 'basis';

/** One stored quantity of the ledger. Whatever is stored of a measured segment is an entry of `columns`, and nothing else is. */
export interface Column {
  /** `allocation`: in the precision in which the run stores allocations. */
  readonly dtype: 'float64' | 'int32' | 'uint8' | 'allocation';
  /** The first is `segment` or `row`. */
  readonly axes: readonly [first: 'segment' | 'row', ...rest: Axis[]];
  /** `objective`: one array for each objective; `grouping`: for each objective and grouping; `run`: one for all. */
  readonly of: 'objective' | 'grouping' | 'run';
  /** Of groupings: those of which other columns hold the same. */
  readonly except?: readonly string[];
  /** `loss`: the loss's own, such as nats; `1`: a count. */
  readonly unit: 'loss' | '1';
  /** What one number is, as a phrase. */
  readonly description: string;
  /** Finest allocations that must be kept for it to be stored; default: it is stored always. */
  readonly finest?: 'neurons' | 'parameters';
  /** Stored only of objectives that are divided into parts; `parameters`: and only where these are kept by parameter. */
  readonly parts?: 'sums' | 'parameters';
  /** Stored only where updates are split into components; `parameters`: and only where these are kept by parameter. */
  readonly components?: 'sums' | 'parameters';
  /** Stored only where this holds of the run; default: always. */
  readonly when?: ColumnCondition;
  /** Read a row at a time, never as a whole: its rows can be large. */
  readonly large?: true;
  /** How a value computed anew is compared with the stored one: relative to the segment's largest, or in the loss's unit; else not. */
  readonly compare?: 'allocation' | 'loss' | 'residual';
  /** One row of numbers (of a `row` column, two rows) of a measured segment; by grouping, where there is an array for each. */
  readonly measure: (
    allocated: Allocated,
  ) => number | Numbers | readonly number[] | Readonly<Record<string, Numbers>>;
  /** What its numbers must satisfy together with those of other columns. */
  readonly law?: Law;
}
