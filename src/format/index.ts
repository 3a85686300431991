/** Reading a run, wherever its files are: pure code over `Source.get(path, range?)`. */
export { csvLines, jsonText, npyBytes } from './export.js';
export type { Place } from './context.js';
export type { Manifest } from './manifest.js';
export { type ArrayReading, columnsOf, type RowRange } from './read-array.js';
export {
  curveRows,
  PyramidBuilder,
  pyramidBytes,
  type PyramidFile,
  type PyramidIndex,
  pyramidPaths,
  sumStride,
} from './derived/pyramid.js';
export type { Environment } from './parts/environment.js';
export type { MixedSegments } from './records.js';
export { openRun, type RunReader, type RunStatus } from './reader.js';
export { type ByteRange, type Digest, sha256, type Source } from './source.js';
export {
  decodeSummary,
  encodeSummary,
  requireRoom,
  type RunSummary,
  summaryColumns,
  summaryOf,
  summaryPath,
  type SummaryView,
} from './derived/summary.js';
export type { Finding } from './verify/finding.js';
export type { ListedPlace } from './verify/unclaimed.js';
export { verifyRun, type VerifyProgress } from './verify/verify.js';
