import { isLossledgerError } from '../../errors.js';
import { audit } from '../../ledger/columns.js';
import type { StoredRow } from '../../ledger/laws/law.js';
import type { Numbers } from '../../ledger/types.js';
import { firstNonFinite } from '../../num/sums.js';
import { type ArraySpec, chunkPath, isByRow } from '../layout/arrays.js';
import { decodeChunk } from '../codec.js';
import {
  contextOf, journalName, manifestName, notARun, pendingPath, type Place, type RunContext, windowCount,
} from '../context.js'; // prettier-ignore
import { readJournal } from '../journal.js';
import { decodeManifest, divisionOf } from '../manifest.js';
import type { SegmentRecord } from '../records.js';
import { sha256, type Source } from '../source.js';
import { applyRecord, emptyState, expectedDigest, type RunState } from '../state.js';
import { finding, type Finding, locate } from './finding.js';
import { ahead, ReadAhead } from './read-ahead.js';
import { type ListedPlace, verifyShards, verifyUnclaimed } from './unclaimed.js';
import { readRecords, WindowReader } from '../windows.js';

/** Told after each stored row and segment. */
export type VerifyProgress = (done: number, total: number) => void;

/**
 * Checks a run: every line of the journal, the checksum of every file, that rows of θ are finite and are those that the segments were
 * measured from, that segments obey the laws of all columns (`audit`), and that neighbours agree on the loss between them. No finding:
 * all is as it was written. Where the place can list its files, those of the ledger that no line of the journal claims are found, too,
 * if they are more than a crash leaves: then the end of the journal is missing.
 *
 * @throws StoreError where there is no run, or one of another version.
 */
export async function verifyRun(place: ListedPlace, onProgress?: VerifyProgress): Promise<Finding[]> {
  const findings: Finding[] = [];
  const context = await verifyManifest(place, findings);
  if (context === null) return findings;
  const total = 2 * context.manifest.trajectory.iterations + 1;
  let done = 0;
  for await (const finding of verifyContents(context, place, () => onProgress?.(++done, total)))
    findings.push(finding);
  return findings;
}

/** The context to verify the rest with; null where the manifest was changed, since then nothing else can be judged. */
async function verifyManifest(place: Place, findings: Finding[]): Promise<RunContext | null> {
  const bytes = await place.source.get(manifestName);
  const expected = (await createdFiles(place))?.[manifestName];
  const about = { file: manifestName, array: null, rows: null };
  if (bytes === undefined) {
    if (expected === undefined) throw notARun(place.place);
    findings.push({ ...about, what: 'is missing' });
    return null;
  }
  if (expected !== undefined && (place.digest ?? sha256)(bytes) !== expected) {
    findings.push({ ...about, what: 'was changed; nothing else can be judged before it is restored' });
    return null;
  }
  return contextOf(place, decodeManifest(bytes, `${place.place}/${manifestName}`));
}

/** Checksums from the journal's first line; null where there is none. */
async function createdFiles(place: Place): Promise<Readonly<Record<string, string>> | null> {
  for await (const { record } of readJournal(place)) return record?.type === 'created' ? record.files : null;
  return null;
}

async function* verifyContents(
  context: RunContext,
  place: ListedPlace,
  step: () => void,
): AsyncGenerator<Finding> {
  const state = emptyState(context);
  const segments: SegmentRecord[] = [];
  const rows: number[] = [];
  let lines = 0;
  for await (const { number, record } of readJournal(context)) {
    lines = number;
    if (record === null || !applyRecord(state, record)) {
      yield { file: journalName, array: null, rows: null, what: `line ${number} is torn or was changed` };
      continue;
    }
    if (record.type === 'rows') {
      rows.push(...record.theta.map(({ row }) => row));
      segments.push(...record.segments);
    } else if (record.type !== 'mixed') {
      const source = new ReadAhead(context.source, Object.keys(record.files));
      for (const [file, sha] of Object.entries(record.files)) yield* verifyFile(context, source, file, sha);
    }
  }
  if (lines === 0) yield { file: journalName, array: null, rows: null, what: 'is missing' };
  yield* verifyTrajectory(context, state, rows, step);
  yield* verifySegments(context, state, segments, step);
  yield* verifyShards(context, state);
  yield* verifyUnclaimed(context, state, place);
}

/** Rows of θ: their checksums, and that they are finite. */
async function* verifyTrajectory(
  context: RunContext,
  state: RunState,
  rows: readonly number[],
  step: () => void,
): AsyncGenerator<Finding> {
  const spec = context.arrays.find(({ placement }) => placement === 'theta')!;
  const source = new ReadAhead(
    context.source,
    rows.map((row) => chunkPath(spec, row)),
  );
  for (const row of rows) {
    const theta = yield* verifyChunk(context, source, state, spec, row);
    const at = theta === null ? -1 : firstNonFinite(theta as Float32Array);
    if (at >= 0) yield finding(context, chunkPath(spec, row), `holds ${theta![at]!} at index ${at}`);
    step();
  }
}

/** Compares a file with its checksum; returns its bytes where it is sound. */
async function* verifyFile(
  context: RunContext,
  source: Pick<Source, 'get'>,
  file: string,
  expected: string,
): AsyncGenerator<Finding, Uint8Array | null> {
  const bytes = await source.get(file);
  if (bytes !== undefined && context.digest(bytes) === expected) return bytes;
  yield finding(context, file, bytes === undefined ? 'is missing' : 'was changed (its checksum differs)');
  return null;
}

/** As verifyFile, for one chunk; returns its numbers where it is sound. */
async function* verifyChunk(
  context: RunContext,
  source: Pick<Source, 'get'>,
  state: RunState,
  spec: ArraySpec,
  chunk: number,
): AsyncGenerator<Finding, Numbers | null> {
  const file = chunkPath(spec, chunk);
  const bytes = yield* verifyFile(context, source, file, expectedDigest(context, state, spec, chunk)!);
  if (bytes === null) return null;
  try {
    return decodeChunk(spec, bytes, file);
  } catch (error) {
    if (!isLossledgerError(error)) throw error;
    yield finding(context, file, error.problem.given);
    return null;
  }
}

/** Every segment in order, window by window: its files, its θ, its laws, its neighbours. */
async function* verifySegments(
  context: RunContext,
  state: RunState,
  records: readonly SegmentRecord[],
  step: () => void,
): AsyncGenerator<Finding> {
  const ordered = [...records].sort((a, b) => a.segment - b.segment);
  const unsound = new Set<number>();
  const files = filesByWindow(context, state);
  const columns = new ReadAhead(
    context.source,
    files.flat().map(([path]) => path),
  );
  for (const [window, own] of files.entries()) {
    const found = await windowFinding(context, columns, state, window, own);
    if (found === null) continue;
    unsound.add(window);
    if (found.what !== null) yield found.what;
  }
  const reader = new WindowReader(context, state);
  const source = new ReadAhead(context.source, largeChunks(context, ordered));
  for (const record of ordered) {
    yield* verifyTheta(state, record);
    // The end of a window's last segment is known from the next one.
    const judged = [0, 1].every(
      (end) => !unsound.has(Math.floor((record.segment + end) / context.windowRows)),
    );
    yield* verifyRow(context, source, state, judged ? reader : null, record.segment);
    step();
  }
}

/** The files that `verifyRow` reads of segments, in its order. */
function* largeChunks(context: RunContext, segments: readonly SegmentRecord[]): Generator<string> {
  for (const { segment } of segments) {
    for (const index of context.manifest.objectives.keys()) {
      for (const spec of context.rowArrays) {
        if (spec.column !== null && (spec.objective ?? index) === index) yield chunkPath(spec, segment);
      }
    }
  }
}

/** What is wrong with a window's small columns; `what` is null where a checksum has told already, null: they can be read. */
async function windowFinding(
  context: RunContext,
  source: Pick<Source, 'get'>,
  state: RunState,
  window: number,
  files: readonly WindowFile[],
): Promise<{ what: Finding | null } | null> {
  const file = pendingPath(window);
  if (state.windows[window] === 0) {
    try {
      await readRecords(context, state, window);
      return null;
    } catch (error) {
      if (!isLossledgerError(error)) throw error;
      return { what: { file, array: null, rows: null, what: error.problem.given } };
    }
  }
  for (const [path, sha] of files) {
    const bytes = await source.get(path);
    if (bytes === undefined || context.digest(bytes) !== sha) return { what: null };
  }
  return null;
}

/** A file of small columns, and its checksum. */
type WindowFile = readonly [path: string, sha: string];

/** Those of each window; none where its columns are still in records. */
function filesByWindow(context: RunContext, state: RunState): WindowFile[][] {
  const files: WindowFile[][] = Array.from({ length: windowCount(context) }, () => []);
  for (const [path, sha] of state.files) {
    const window = locate(context, path)?.window ?? null;
    if (window !== null && state.windows[window] === 1) files[window]!.push([path, sha]);
  }
  return files;
}

/** A segment counts only for the rows of θ that it was measured from. */
function* verifyTheta(state: RunState, { segment, theta }: SegmentRecord): Generator<Finding> {
  for (const [end, sha] of theta.entries()) {
    const row = segment + end;
    if (state.theta.get(row) === sha) continue;
    yield {
      file: journalName,
      array: 'theta',
      rows: { from: row, to: row + 1 },
      what: `segment ${segment} was measured from another row ${row}`,
    };
  }
}

/** The laws of one segment's columns, objective by objective, and the checksums of its large chunks. */
async function* verifyRow(
  context: RunContext,
  source: Pick<Source, 'get'>,
  state: RunState,
  reader: WindowReader | null,
  segment: number,
): AsyncGenerator<Finding> {
  const rows = { from: segment, to: segment + 1 };
  for (const [index, { name }] of context.manifest.objectives.entries()) {
    const numbers = new Map<string, Numbers>();
    let whole = reader !== null;
    const own = context.arrays.filter(
      ({ column, objective }) => column !== null && (objective ?? index) === index,
    );
    const [large, small] = [true, false].map((isLarge) =>
      own.filter(({ placement }) => (placement === 'row') === isLarge),
    );
    const keep = ({ column, grouping }: ArraySpec, found: Numbers | null) => {
      if (found === null) whole = false;
      else numbers.set(grouping === null ? column! : `${column!}/${grouping}`, found);
    };
    for (const spec of large!) keep(spec, yield* verifyChunk(context, source, state, spec, segment));
    for await (const [spec, found] of ahead(small!, (each) => cellsOf(reader, each, segment)))
      keep(spec, found);
    if (!whole) continue;
    const division = divisionOf(context.manifest, index);
    const row: StoredRow = (column) => numbers.get(column) ?? null;
    for (const { what, layer, deviation, bound } of audit(row, context.layout, division)) {
      const where = `${name}${layer === null ? '' : `, layer ${layer}`}, segment ${segment}`;
      yield {
        file: journalName,
        array: null,
        rows,
        what: `does not balance: ${what} differ by ${deviation} (at most ${bound} expected; ${where})`,
      };
    }
  }
}

async function cellsOf(
  reader: WindowReader | null,
  spec: ArraySpec,
  segment: number,
): Promise<Numbers | null> {
  if (reader === null) return null;
  const start = await reader.row(spec, segment);
  if (!isByRow(spec)) return start;
  return Float64Array.from([...start, ...(await reader.row(spec, segment + 1))]);
}
