export { allocate, type Allocated, type PartsInput, type SegmentInput, type SignCounts } from './allocate.js';
export type { AtomCounts, AtomTally } from './atoms.js';
export type { Certainty } from './certainty.js';
export {
  audit,
  type Axis,
  columns,
  type Column,
  type ColumnCondition,
  type ColumnName,
  ledgerRow,
  type LedgerRow,
} from './columns.js';
export type { Deviation, Law, RowDivision, StoredRow } from './laws/law.js';
export { layoutOf, layoutOfGraph, type LaidTensor } from './layout.js';
export type { Evaluated } from './evaluated.js';
export { measureRange, type MeasuredSegment, type Motion, type RangeInput } from './measure-range.js';
export { measureTrajectory, type TrajectoryInput } from './measure-trajectory.js';
export type { Role } from './roles.js';
export type { GroupSums } from './sums.js';
export { parameterKinds } from './types.js';
export type * from './types.js';
export type { LedgerView } from './view.js';
