export { allocate, type Allocated, type SegmentInput } from './allocate.js';
export { audit, columns, type Column, type ColumnName, ledgerRow, type LedgerRow } from './columns.js';
export type { Deviation, StoredRow } from './laws.js';
export { layoutOf, layoutOfGraph, type LaidTensor } from './layout.js';
export { type Evaluated, measureRange, type MeasuredSegment, type RangeInput } from './measure-range.js';
export { measureTrajectory, type TrajectoryInput } from './measure-trajectory.js';
export type * from './types.js';
export type { LedgerView } from './view.js';
