import { type ArraySpec, chunkPath } from './layout/arrays.js';
import { journalName, manifestName, type RunContext, windowCount } from './context.js';
import { type JournalLine, soundLines } from './journal.js';
import type { JournalRecord, MixedSegments, TrainingStats } from './records.js';
import { damaged } from './source.js';

const digestBytes = 32;
const hexOf = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** The half of a byte that a lower-case hexadecimal digit stands for. */
function half(code: number): number {
  return code < 58 ? code - 48 : code - 87;
}

/** A list of SHA-256 digests, 32 bytes each; as text 64 lower-case hexadecimal digits. */
export class Digests {
  readonly #bytes: Uint8Array;

  constructor(readonly count: number) {
    this.#bytes = new Uint8Array(digestBytes * count);
  }

  set(index: number, hex: string): void {
    for (let k = 0, at = digestBytes * index; k < 2 * digestBytes; k += 2, at++)
      this.#bytes[at] = (half(hex.charCodeAt(k)) << 4) | half(hex.charCodeAt(k + 1));
  }

  get(index: number): string {
    let hex = '';
    for (let at = digestBytes * index; at < digestBytes * (index + 1); at++) hex += hexOf[this.#bytes[at]!]!;
    return hex;
  }

  /** Whether a digest is this one. */
  is(index: number, hex: string): boolean {
    for (let k = 0, at = digestBytes * index; k < 2 * digestBytes; k += 2, at++)
      if (this.#bytes[at] !== ((half(hex.charCodeAt(k)) << 4) | half(hex.charCodeAt(k + 1)))) return false;
    return true;
  }
}

/** How far a run has come, by its journal, and the digests of all that it stored. */
export interface RunState {
  /** 1 for each θ row that is stored [T+1]. */
  readonly rows: Uint8Array;
  /** 1 for each segment that is stored [T]. */
  readonly segments: Uint8Array;
  /** 1 for each window whose chunks are written. */
  readonly windows: Uint8Array;
  /** Of θ rows [T+1], of segments' records [T], of segments' large chunks [T, arrays]. */
  readonly theta: Digests;
  readonly records: Digests;
  readonly chunks: Digests;
  /** Of all other files, by path. */
  readonly files: Map<string, string>;
  /** What was measured by another machine or version than the rest. */
  readonly mixed: MixedSegments[];
  /** Facts about the training once it ended. */
  stats: TrainingStats | null;
}

/** A run's state and the last line of its journal that is whole. */
export interface LoadedState {
  readonly state: RunState;
  readonly last: JournalLine | null;
}

export function emptyState(context: RunContext): RunState {
  const T = context.manifest.trajectory.iterations;
  return {
    rows: new Uint8Array(T + 1),
    segments: new Uint8Array(T),
    windows: new Uint8Array(windowCount(context)),
    theta: new Digests(T + 1),
    records: new Digests(T),
    chunks: new Digests(T * context.rowArrays.length),
    files: new Map(),
    mixed: [],
    stats: null,
  };
}

/** Replays the journal, one line in memory at a time. Throws StoreError where it is damaged, or the manifest is another one. */
export async function loadState(context: RunContext): Promise<LoadedState> {
  const loaded = await extendState(context, { state: emptyState(context), last: null });
  if (loaded.last === null) throw damaged(`${context.place}/${journalName}`, 'its first line is missing');
  return loaded;
}

/** Takes in what the journal says behind the last line that is known. Reads nothing before it. Throws StoreError as `loadState` does. */
export async function extendState(context: RunContext, { state, last }: LoadedState): Promise<LoadedState> {
  const path = `${context.place}/${journalName}`;
  for await (const line of soundLines(context, last)) {
    if (last === null) await checkManifest(context, line.record);
    if (!applyRecord(state, line.record))
      throw damaged(path, `line ${line.number} does not fit the manifest`);
    last = line;
  }
  return { state, last };
}

/** The manifest must be the one that the run began with: a changed one would mix two definitions in one ledger. */
async function checkManifest({ place, source, digest }: RunContext, first: JournalRecord): Promise<void> {
  const bytes = await source.get(manifestName);
  if (first.type !== 'created' || bytes === undefined || digest(bytes) === first.files[manifestName]) return;
  throw damaged(`${place}/${manifestName}`, 'it was changed after the run began');
}

/** Takes a record in; false where it speaks of rows, segments or windows that the run does not have. */
export function applyRecord(state: RunState, record: JournalRecord): boolean {
  if (record.type === 'rows') return applyRows(state, record);
  if (record.type === 'mixed') {
    const { from, to, environment } = record;
    state.mixed.push({ from, to, environment });
    return to <= state.segments.length;
  }
  if (record.type === 'window') {
    if (state.windows[record.window] === undefined) return false;
    state.windows[record.window] = 1;
  }
  if (record.type === 'trained') state.stats = record.stats;
  for (const [path, sha] of Object.entries(record.files)) state.files.set(path, sha);
  return true;
}

function applyRows(state: RunState, { theta, segments }: Extract<JournalRecord, { type: 'rows' }>): boolean {
  if (theta.some(({ row }) => state.rows[row] === undefined)) return false;
  if (segments.some(({ segment }) => state.segments[segment] === undefined)) return false;
  if (segments.some(({ rows }) => rows.length * state.segments.length !== state.chunks.count)) return false;
  for (const { row, sha256 } of theta) {
    state.rows[row] = 1;
    state.theta.set(row, sha256);
  }
  for (const { segment, record, rows } of segments) {
    state.segments[segment] = 1;
    state.records.set(segment, record);
    rows.forEach((sha, k) => {
      state.chunks.set(segment * rows.length + k, sha);
    });
  }
  return true;
}

/** SHA-256 that a chunk must have. */
export function expectedDigest(
  { rowArrays }: RunContext,
  state: RunState,
  spec: ArraySpec,
  chunk: number,
): string | undefined {
  if (spec.placement === 'theta') return state.theta.get(chunk);
  if (spec.placement === 'row') return state.chunks.get(chunk * rowArrays.length + rowArrays.indexOf(spec));
  return state.files.get(chunkPath(spec, chunk));
}

/** Whether a chunk of the ledger is stored, by the journal. */
export function isChunkStored(state: RunState, spec: ArraySpec, chunk: number): boolean {
  if (spec.placement === 'theta') return state.rows[chunk] === 1;
  if (spec.placement === 'row') return state.segments[chunk] === 1;
  return state.files.has(chunkPath(spec, chunk));
}

/** Length of the run of ones at the start. */
export function prefixLength(flags: Uint8Array): number {
  const gap = flags.indexOf(0);
  return gap < 0 ? flags.length : gap;
}

/** Maximal ranges [from, to) of zeros. */
export function gaps(flags: Uint8Array): { from: number; to: number }[] {
  const ranges: { from: number; to: number }[] = [];
  for (let from = flags.indexOf(0); from >= 0;) {
    const next = flags.indexOf(1, from);
    const to = next < 0 ? flags.length : next;
    ranges.push({ from, to });
    from = flags.indexOf(0, to);
  }
  return ranges;
}
