import { join } from 'node:path';
import { isLossledgerError, StoreError } from '../errors.js';
import { audit } from '../ledger/audit.js';
import type { MeasuredSplit } from '../ledger/types.js';
import { firstNonFinite } from '../num/sums.js';
import { type ArraySpec, chunkPath, type StoredNumbers } from './arrays.js';
import { decodeChunk } from './codec.js';
import { contextOf, journalName, manifestName, type RunContext } from './context.js';
import { readIfPresent, sha256 } from './files.js';
import { readJournal } from './journal.js';
import { LossRows } from './loss-rows.js';
import { decodeManifest } from './manifest.js';
import type { JournalRecord, SegmentRecord, SplitRecord } from './records.js';
import { columnOf, loadSeries } from './series.js';

/** Something that is wrong with a stored run. */
export interface Finding {
  /** File inside the run folder. */
  readonly file: string;
  /** Array that it belongs to, such as `allocation/train`; null where it is none. */
  readonly array: string | null;
  /** Rows [from, to) of that array which cannot be trusted; null where it is no array's data. */
  readonly rows: { readonly from: number; readonly to: number } | null;
  /** What is wrong, as a phrase. */
  readonly what: string;
}

/** Told after each stored row and segment. */
export type VerifyProgress = (done: number, total: number) => void;

/**
 * Checks a run folder: every line of the journal, the checksum of every file, that rows are finite, that they balance (`audit`), that
 * neighbouring segments agree on the loss between them, and that the arrays of small series say what the journal says. No finding: all is as it was written.
 *
 * @throws StoreError where the folder is not a run, or one of a newer version.
 */
export async function verifyRun(folder: string, onProgress?: VerifyProgress): Promise<Finding[]> {
  const findings: Finding[] = [];
  const context = await verifyManifest(folder, findings);
  if (context === null) return findings;
  const total = 2 * context.manifest.trajectory.iterations + 1;
  let done = 0;
  for await (const finding of verifyContents(context, () => onProgress?.(++done, total)))
    findings.push(finding);
  return findings;
}

/** The context to verify the rest with; null where the manifest was changed, since then nothing else can be judged. */
async function verifyManifest(folder: string, findings: Finding[]): Promise<RunContext | null> {
  const path = join(folder, manifestName);
  const bytes = await readIfPresent(path);
  const expected = (await createdFiles(folder))?.[manifestName];
  if (expected !== undefined && bytes !== null && sha256(bytes) !== expected) {
    findings.push({
      ...manifestFinding,
      what: 'was changed; nothing else can be judged before it is restored',
    });
    return null;
  }
  if (bytes !== null) return contextOf(folder, decodeManifest(bytes, path));
  if (expected === undefined) throw notARun(folder);
  findings.push({ ...manifestFinding, what: 'is missing' });
  return null;
}

const manifestFinding = { file: manifestName, array: null, rows: null };

/** Checksums from the journal's first line; null where there is none. */
async function createdFiles(folder: string): Promise<Readonly<Record<string, string>> | null> {
  const path = join(folder, journalName);
  if ((await readIfPresent(path)) === null) return null;
  for await (const { record } of readJournal(path)) return record?.type === 'created' ? record.files : null;
  return null;
}

function notARun(folder: string): StoreError {
  return new StoreError({
    given: `${folder} holds no ${manifestName}`,
    expected: 'a run folder',
    remedy: 'check the path',
  });
}

type Series = Extract<JournalRecord, { type: 'series' }>;

async function* verifyContents(context: RunContext, step: () => void): AsyncGenerator<Finding> {
  const path = join(context.folder, journalName);
  if ((await readIfPresent(path)) === null) {
    yield { file: journalName, array: null, rows: null, what: 'is missing' };
    return;
  }
  let sound = true;
  let series: Series | null = null;
  const losses = new LossRows(context.manifest);
  for await (const { number, record } of readJournal(path)) {
    if (record === null) {
      sound = false;
      yield { file: journalName, array: null, rows: null, what: `line ${number} is torn or was changed` };
      continue;
    }
    if (record.type === 'series') series = record;
    if (record.type === 'rows' && record.segments.length > 0) series = null;
    yield* verifyRecord(context, record, step);
    if (record.type !== 'rows') continue;
    for (const { row, what } of record.segments.flatMap((segment) => losses.contradictions(segment)))
      yield { file: journalName, array: null, rows: { from: row, to: row + 1 }, what };
  }
  if (series !== null) yield* verifySeries(context, series, sound);
}

async function* verifyRecord(
  context: RunContext,
  record: JournalRecord,
  step: () => void,
): AsyncGenerator<Finding> {
  switch (record.type) {
    case 'created':
    case 'trained':
      for (const [file, sha] of Object.entries(record.files)) yield* verifyFile(context, file, sha);
      break;
    case 'rows':
      for (const { row, sha256: sha } of record.theta) {
        yield* verifyTheta(context, row, sha);
        step();
      }
      for (const segment of record.segments) {
        yield* verifySegment(context, segment);
        step();
      }
      break;
    case 'series':
      // Only the last one is current; it is verified at the end.
      break;
  }
}

/** Compares a file with its checksum; returns its bytes where it is sound. */
async function* verifyFile(
  context: RunContext,
  file: string,
  expected: string,
): AsyncGenerator<Finding, Uint8Array | null> {
  const bytes = await readIfPresent(join(context.folder, file));
  if (bytes !== null && sha256(bytes) === expected) return bytes;
  yield finding(context, file, bytes === null ? 'is missing' : 'was changed (its checksum differs)');
  return null;
}

/** As verifyFile, for one chunk; returns its numbers where it is sound. */
async function* verifyChunk(
  context: RunContext,
  spec: ArraySpec,
  chunk: number,
  expected: string | undefined,
): AsyncGenerator<Finding, StoredNumbers | null> {
  const file = chunkPath(spec, chunk);
  if (expected === undefined) {
    yield finding(context, file, 'has no checksum in the journal');
    return null;
  }
  const bytes = yield* verifyFile(context, file, expected);
  if (bytes === null) return null;
  try {
    return await decodeChunk(spec, bytes, file);
  } catch (error) {
    if (!isLossledgerError(error)) throw error;
    yield finding(context, file, error.problem.given);
    return null;
  }
}

async function* verifyTheta(context: RunContext, row: number, sha: string): AsyncGenerator<Finding> {
  const spec = context.arrays.find(({ source }) => source.kind === 'theta')!;
  const theta = yield* verifyChunk(context, spec, row, sha);
  if (theta === null) return;
  const at = firstNonFinite(theta as Float32Array);
  if (at >= 0) yield finding(context, chunkPath(spec, row), `holds ${theta[at]!} at index ${at}`);
}

async function* verifySegment(context: RunContext, record: SegmentRecord): AsyncGenerator<Finding> {
  for (const [split, sums] of Object.entries(record.splits)) {
    yield* verifySplit(context, record, split as MeasuredSplit, sums);
  }
}

async function* verifySplit(
  context: RunContext,
  { segment, files }: SegmentRecord,
  split: MeasuredSplit,
  sums: SplitRecord,
): AsyncGenerator<Finding> {
  const chunkOf = async function* (kind: 'allocation' | 'neurons') {
    const spec = context.arrays.find(({ source }) => source.kind === kind && source.split === split);
    return spec ? yield* verifyChunk(context, spec, segment, files[chunkPath(spec, segment)]) : null;
  };
  const allocation = (yield* chunkOf('allocation')) as Float32Array | Float64Array | null;
  const neuronSums = (yield* chunkOf('neurons')) as Float64Array | null;
  const row = {
    ...sums,
    allocation,
    neuronSums,
    layerSums: Float64Array.from(sums.layerSums),
    helping: Int32Array.from(sums.helping),
    hurting: Int32Array.from(sums.hurting),
    zero: Int32Array.from(sums.zero),
    lossChange: sums.loss[1] - sums.loss[0],
  };
  for (const { what, layer, deviation, bound } of audit(row, context.layout)) {
    const where = `${split}${layer === null ? '' : `, layer ${layer}`}, segment ${segment}`;
    yield {
      file: journalName,
      array: null,
      rows: { from: segment, to: segment + 1 },
      what: `does not balance: ${what} differ by ${deviation} (at most ${bound} expected; ${where})`,
    };
  }
}

/** The small series as arrays: checksums, and where the journal is sound, their numbers. */
async function* verifySeries(context: RunContext, record: Series, sound: boolean): AsyncGenerator<Finding> {
  const T = context.manifest.trajectory.iterations;
  const series = sound ? await loadSeries(context, T) : null;
  for (const [file, sha] of Object.entries(record.files)) {
    const located = locate(context, file);
    if (located === null) {
      yield finding(context, file, 'belongs to no array');
      continue;
    }
    const { spec, chunk } = located;
    const numbers = yield* verifyChunk(context, spec, chunk, sha);
    if (numbers === null || series === null) continue;
    const expected = columnOf(series, spec)!.subarray(chunk * numbers.length, (chunk + 1) * numbers.length);
    if (!expected.every((value, k) => Object.is(value, numbers[k]))) {
      yield finding(context, file, 'does not say what the journal says');
    }
  }
}

/** Array and chunk that a file is. */
function locate({ arrays }: RunContext, file: string): { spec: ArraySpec; chunk: number } | null {
  const match = /^ledger\.zarr\/(.+)\/c\.(\d+)(\.0)*$/.exec(file);
  const spec = match && arrays.find(({ name }) => name === match[1]);
  return spec ? { spec, chunk: Number(match[2]) } : null;
}

function finding(context: RunContext, file: string, what: string): Finding {
  const located = locate(context, file);
  if (located === null) return { file, array: null, rows: null, what };
  const { spec, chunk } = located;
  const from = chunk * spec.chunkRows;
  return {
    file,
    array: spec.name,
    rows: { from, to: Math.min(from + spec.chunkRows, spec.shape[0]!) },
    what,
  };
}
