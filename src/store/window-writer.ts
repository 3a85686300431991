import { constants, existsSync, lstatSync } from 'node:fs';
import { rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreError } from '../errors.js';
import { pendingPath, type RunContext } from '../format/context.js';
import type { RunState } from '../format/state.js';
import { type Chunk, chunksOfWindow, recordBytes } from '../format/windows.js';
import { makeInside, syncBytes, withOpen, writeAt } from './files.js';

/** A segment's record of small columns. */
export interface PendingRecord {
  readonly segment: number;
  readonly bytes: Uint8Array;
}

/** Records of neighbouring segments as one, from the first of them on. Where they lie end to end already, nothing is copied. */
function runsOf(records: readonly PendingRecord[]): PendingRecord[] {
  const runs: { segment: number; next: number; pieces: Uint8Array[] }[] = [];
  for (const { segment, bytes } of records) {
    const last = runs.at(-1);
    if (last?.next !== segment) runs.push({ segment, next: segment + 1, pieces: [bytes] });
    else {
      const before = last.pieces.at(-1)!;
      if (doFollow(before, bytes)) last.pieces[last.pieces.length - 1] = spanning(before, bytes);
      else last.pieces.push(bytes);
      last.next++;
    }
  }
  return runs.map(({ segment, pieces }) => ({
    segment,
    bytes: pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces),
  }));
}

function doFollow(before: Uint8Array, own: Uint8Array): boolean {
  return before.buffer === own.buffer && before.byteOffset + before.length === own.byteOffset;
}

function spanning(before: Uint8Array, own: Uint8Array): Uint8Array {
  return new Uint8Array(before.buffer, before.byteOffset, before.length + own.length);
}

/** Writes the records of segments, and turns those of whole windows into the chunks of their arrays. */
export class WindowWriter {
  readonly #recordBytes: number;
  /** Segments that the journal has, and whose records are missing or damaged. */
  readonly lost = new Set<number>();
  /** Whether the folder of the records is there. */
  #isMade = false;

  constructor(
    readonly folder: string,
    readonly context: RunContext,
    readonly state: RunState,
  ) {
    this.#recordBytes = recordBytes(context);
  }

  /** Writes records, each at its place in its window's file; they are durable when this resolves, or where they are to be saved `later`, after `sync`. */
  async write(records: readonly PendingRecord[], when: 'now' | 'later' = 'now'): Promise<void> {
    const windows = new Set(records.map(({ segment }) => this.#windowOf(segment)));
    if (windows.size > 0) await this.#makeFolder();
    for (const window of windows) {
      const own = runsOf(records.filter(({ segment }) => this.#windowOf(segment) === window));
      await this.#within(window, constants.O_CREAT, async (file) => {
        for (const { segment, bytes } of own)
          writeAt(file, bytes, (segment % this.context.windowRows) * this.#recordBytes);
        if (when === 'now') await syncBytes(file);
      });
      for (const { segment } of records) this.lost.delete(segment);
    }
  }

  /** Makes the records of segments durable that were written before. */
  async sync(segments: readonly number[]): Promise<void> {
    const windows = new Set(segments.map((segment) => this.#windowOf(segment)));
    if (windows.size > 0) await this.#makeFolder();
    await Promise.all([...windows].map((window) => this.#within(window, 0, syncBytes)));
  }

  /** Makes the folder, or where that was done before sees that it is still there: records in another one would be lost with the segments that they are of. */
  async #makeFolder(): Promise<void> {
    const folder = join(this.folder, 'pending');
    if (!this.#isMade) await makeInside(this.folder, 'pending');
    else if (lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) throw gone(folder);
    this.#isMade = true;
  }

  /** Opens the file of a window for reading and writing, with further flags. */
  async #within(window: number, flags: number, work: (file: number) => Promise<void>): Promise<void> {
    const { O_RDWR, O_NOFOLLOW } = constants;
    await withOpen(join(this.folder, pendingPath(window)), O_RDWR | O_NOFOLLOW | flags, work);
  }

  /** Of the windows that newly stored segments may complete, those that are: with all their segments, and the first one behind them. */
  completedBy(stored: readonly number[]): number[] {
    const touched = new Set<number>();
    for (const segment of stored) touched.add(this.#windowOf(segment)).add(this.#windowOf(segment - 1));
    return [...touched].filter((window) => this.#isComplete(window));
  }

  /** All windows that are complete and whose chunks are not written. */
  completed(): number[] {
    return [...this.state.windows.keys()].filter((window) => this.#isComplete(window));
  }

  #isComplete(window: number): boolean {
    const { segments, windows } = this.state;
    if (windows[window] !== 0) return false;
    const from = window * this.context.windowRows;
    const all = segments.subarray(from, from + this.context.windowRows + 1);
    return !all.includes(0) && !all.some((_, k) => this.lost.has(from + k));
  }

  /** Finds the segments whose records are not what the journal says, in the windows that are not written yet. Throws StoreError where one cannot be read. */
  async findLost(): Promise<ReadonlySet<number>> {
    const { segments, windows, records } = this.state;
    const { windowRows, source, digest } = this.context;
    for (const [window, written] of windows.entries()) {
      const from = window * windowRows;
      const own = segments.subarray(from, from + windowRows);
      if (written === 1 || !own.includes(1)) continue;
      const bytes = (await source.get(pendingPath(window))) ?? new Uint8Array(0);
      for (const [k, stored] of own.entries()) {
        const record = bytes.subarray(k * this.#recordBytes, (k + 1) * this.#recordBytes);
        if (stored === 1 && !records.is(from + k, digest(record))) this.lost.add(from + k);
      }
    }
    return this.lost;
  }

  /** Throws StoreError where a segment whose record was lost has other numbers now: digests of its record, and of its chunks of large columns. */
  requireAsBefore(segment: number, record: string, rows: readonly string[]): void {
    const { records, chunks } = this.state;
    const isSame =
      records.is(segment, record) && rows.every((sha, k) => chunks.is(segment * rows.length + k, sha));
    if (isSame) return;
    const path = pendingPath(this.#windowOf(segment));
    throw new StoreError({
      given: `segment ${segment} of ${this.folder}, whose record in ${path} is missing or damaged, and which has other numbers now than the journal says`,
      expected: 'the same numbers, bit for bit, as the machine and version that began the run give',
      remedy: `put ${path} back from a copy, or resume with that machine and version; otherwise measure into a new folder (--out). What is stored stays as it is`,
    });
  }

  /** The chunks of a complete window. Throws StoreError where a record is damaged, or neighbours contradict each other. */
  async chunksOf(window: number): Promise<Chunk[]> {
    return chunksOfWindow(this.context, this.state, window);
  }

  /** Deletes the records of a window whose chunks are written, and the folder of records with the last ones. */
  async clear(window: number): Promise<void> {
    await rm(join(this.folder, pendingPath(window)), { force: true });
    if (this.state.windows.includes(0)) return;
    this.#isMade = false;
    await rmdir(join(this.folder, 'pending')).catch(() => undefined);
  }

  /** Deletes what a crash left after the chunks of its window were written. */
  async clearAll(): Promise<void> {
    if (!this.state.windows.includes(1) || !existsSync(join(this.folder, 'pending'))) return;
    await this.#makeFolder();
    for (const [window, written] of this.state.windows.entries()) if (written === 1) await this.clear(window);
  }

  #windowOf(segment: number): number {
    return Math.floor(segment / this.context.windowRows);
  }
}

function gone(folder: string): StoreError {
  return new StoreError({
    given: `${folder}, which was moved, deleted or replaced while the run is written`,
    expected: 'the folder that holds the records of the segments measured last',
    remedy:
      'put it back, then resume the run; without it these segments are measured again. What is stored outside it stays valid',
  });
}

/** Says of a run that is written on that segments are measured again, and why; null: none are. */
export function lostInWords({
  folder,
  lost,
}: {
  readonly folder: string;
  readonly lost: ReadonlySet<number>;
}): string | null {
  const segments = [...lost];
  if (segments.length === 0) return null;
  const which = segments.length === 1 ? `segment ${segments[0]!}` : `${segments.length} segments (${segments[0]!} to ${segments.at(-1)!})`; // prettier-ignore
  return `Records of ${which} are missing or damaged in ${folder}/pending: measured again, and kept only where the numbers are the same, bit for bit.`;
}
