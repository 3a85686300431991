/** The package's entry on Node: run experiments and read runs. Browser-safe parts are subpaths (`lossledger/graph`, …). */
export * from './errors.js';
export type * from './data/types.js';
export type * from './engines/types.js';
export type { OutputKind } from './graph/outputs.js';
export { type StatisticsKind, statisticsKinds } from './graph/statistics.js';
export type * from './graph/types.js';
export type * from './ledger/types.js';
export type * from './models/types.js';
export type * from './quadrature/types.js';
export * from './analysis/index.js';
export { chooseEngine, engineNames, engineNamed, engineStatuses } from './engines/registry.js';
export type {
  Arithmetic,
  ChoiceOptions,
  ChosenEngine,
  EngineStatus,
  RegisteredEngine,
} from './engines/registry.js';
export { checkConfig, resolveConfig, type ConfigSource } from './experiment/config/file.js';
export { presets, type Preset } from './experiment/config/presets.js';
export type { RunConfig, RunConfigInput } from './experiment/config/schema.js';
export type { ProgressSink, RowGate, SegmentRange, WorkControl } from './experiment/control.js';
export { openExperiment } from './experiment/experiment.js';
export type { Experiment, SettledConfig, StoredRun } from './experiment/experiment.js';
export { createRun, experimentOf, manifestOf } from './experiment/manifest.js';
export type { Basis } from './experiment/objectives/basis.js';
export type { MeasuredObjective } from './experiment/objectives/divide.js';
export type { StatedPaths } from './experiment/paths.js';
export type { Network } from './experiment/network/types.js';
export type { Places } from './experiment/places.js';
export type { OutputUse } from './experiment/readings.js';
export type { CopyControl, Recorded } from './experiment/recorded.js';
export type { PassedTensor } from './trajectory/passed.js';
export type { Reading } from './formats/reading.js';
export type { StoredDType } from './format/layout/arrays.js';
export type { Manifest, ManifestContent } from './format/manifest.js';
export type { ArrayReading, RowRange } from './format/read-array.js';
export type { Environment } from './format/parts/environment.js';
export type { PartSegment } from './format/parts/part.js';
export type { RunReader, RunStatus } from './format/reader.js';
export type { MixedSegments, SegmentRecord } from './format/records.js';
export type { JournalRecord, TrainingStats } from './format/records.js';
export type { ColumnName, ColumnNumbers, LedgerRow, SmallColumnName } from './ledger/columns.js';
export { measureRange } from './ledger/measure-range.js';
export type { ComponentsInput } from './ledger/allocate.js';
export type { Evaluated, PartsEvaluated } from './ledger/evaluated.js';
export type { MeasuredSegment, Motion, RangeInput } from './ledger/measure-range.js';
export type { Strip, VectorLoops } from './num/vector-loops.js';
export type { Floats, Term } from './num/sums.js';
export { measureTrajectory, type TrajectoryInput } from './ledger/measure-trajectory.js';
export type { LedgerView } from './ledger/view.js';
export { measureRun, type MeasureControl, type MeasuredStore } from './run/measure.js';
export { type Thread, Threads, withThreads } from './objective/threads.js';
export { reportRun, type Report, type ReportOptions } from './run/report.js';
export { trainRun } from './run/train.js';
export { verifyFolder, type Verification, type VerifyOptions } from './run/verify.js';
export type { FoldedLayer, ModelTensor, ModelWeights, TensorShape } from './trajectory/types.js';
export type { RunFolder } from './store/folder.js';
export type { CellPartition } from './objective/chunks.js';
export type { Division, PlannedPart } from './objective/plan.js';
export { openRun, resumeRun } from './store/open.js';
export type { RunWriter } from './store/writer.js';
