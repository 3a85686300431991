import { join } from 'node:path';
import { journalName, manifestName, type RunContext } from './context.js';
import { damaged, readIfPresent, sha256 } from './files.js';
import { type JournalLine, soundLines } from './journal.js';
import type { JournalRecord, TrainingStats } from './records.js';

/** How far a run has come, by its journal. */
export interface RunState {
  /** 1 for each θ row that is stored [T+1]. */
  readonly rows: Uint8Array;
  /** 1 for each segment that is stored [T]. */
  readonly segments: Uint8Array;
  /** Facts about the training once it ended. */
  stats: TrainingStats | null;
  /** The small series as written last, where no segment came after them. */
  series: Extract<JournalRecord, { type: 'series' }> | null;
}

/** A run's state and the last line of its journal that is whole. */
export interface LoadedState {
  readonly state: RunState;
  readonly last: JournalLine | null;
}

export function emptyState({ manifest }: RunContext): RunState {
  const T = manifest.trajectory.iterations;
  return { rows: new Uint8Array(T + 1), segments: new Uint8Array(T), stats: null, series: null };
}

/** Replays the journal. Memory is one byte a row, and one line at a time. */
export async function loadState(context: RunContext): Promise<LoadedState> {
  const state = emptyState(context);
  const path = join(context.folder, journalName);
  let last: JournalLine | null = null;
  for await (const line of soundLines(path)) {
    if (last === null) await checkManifest(context, line.record);
    applyRecord(state, line.record);
    last = line;
  }
  if (last === null) throw damaged(path, 'its first line is missing');
  return { state, last };
}

/** The manifest must be the one that the run began with: a changed one would mix two definitions in one ledger. */
async function checkManifest({ folder }: RunContext, first: JournalRecord): Promise<void> {
  const path = join(folder, manifestName);
  const bytes = await readIfPresent(path);
  if (first.type !== 'created' || bytes === null || sha256(bytes) === first.files[manifestName]) return;
  throw damaged(path, 'it was changed after the run began');
}

export function applyRecord(state: RunState, record: JournalRecord): void {
  switch (record.type) {
    case 'created':
      break;
    case 'rows':
      for (const { row } of record.theta) state.rows[row] = 1;
      for (const { segment } of record.segments) state.segments[segment] = 1;
      if (record.segments.length > 0) state.series = null;
      break;
    case 'trained':
      state.stats = record.stats;
      break;
    case 'series':
      state.series = record;
      break;
  }
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
