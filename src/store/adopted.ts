import type { RunContext } from '../format/context.js';
import { bytesOf, widthOf } from '../format/layout/arrays.js';
import type { PartSegment } from '../format/parts/part.js';
import type { JournalRecord, SegmentRecord } from '../format/records.js';
import { applyRecord, type RunState } from '../format/state.js';
import { recordBytes } from '../format/windows.js';
import { type Adoption, type ChunkWriter, syncFolders } from './chunk-writer.js';
import type { JournalWriter } from './journal-writer.js';
import type { RunLock } from './lock.js';
import type { WindowWriter } from './window-writer.js';

/** Segments of which the disk and the journal are told together. */
const mostSegments = 8192;
const mostBytes = 2 ** 26;
/** Segments in a line of the journal. */
const lineSegments = 1024;

/** What writes the files of a run. */
interface Writers {
  readonly chunks: ChunkWriter;
  readonly windows: WindowWriter;
  readonly journal: JournalWriter;
  readonly lock: RunLock;
}

/** Segments that were measured elsewhere and are in the files of a run, and in its state, but not in its journal yet: waiting for the disk takes longest. */
export class AdoptedSegments {
  readonly #segmentBytes: number;
  #folders = new Set<string>();
  #segments: SegmentRecord[] = [];

  constructor(
    readonly context: RunContext,
    readonly state: RunState,
    readonly writers: Writers,
  ) {
    this.#segmentBytes = context.rowArrays.reduce((sum, spec) => sum + widthOf(spec) * bytesOf[spec.dtype], recordBytes(context)); // prettier-ignore
  }

  get count(): number {
    return this.#segments.length;
  }

  /** Whether so many wait that they should be saved. */
  get areMany(): boolean {
    return this.count >= mostSegments || this.count * this.#segmentBytes >= mostBytes;
  }

  /** Puts segments in their places, whose chunks of large columns lie in the folder `from`, and may be moved. Throws StoreError. */
  async adopt(segments: readonly PartSegment[], from: string, how: Adoption['how']): Promise<void> {
    const { chunks, windows, lock } = this.writers;
    lock.check();
    const moved = segments.map(({ record, changed }) => chunks.adopt(this.context.rowArrays, record.segment, { from, how, changed })); // prettier-ignore
    for (const folder of (await Promise.all(moved)).flat()) this.#folders.add(folder);
    await windows.write(segments.map(({ record: { segment }, bytes }) => ({ segment, bytes })), 'later'); // prettier-ignore
    const records = segments.map(({ record }) => record);
    for (const record of records) this.#segments.push(record);
    applyRecord(this.state, linesOf(records, records.length)[0]!);
  }

  /**
   * Makes what was adopted durable; returns which segments that are. Where that fails it is not tried again: what a disk failed to write once, it may lose
   * without a word the next time. Throws StoreError.
   */
  async save(): Promise<number[]> {
    const [folders, segments] = [this.#folders, this.#segments];
    [this.#folders, this.#segments] = [new Set(), []];
    if (segments.length === 0) return [];
    const { windows, journal, lock } = this.writers;
    const stored = segments.map(({ segment }) => segment);
    await syncFolders(folders);
    await windows.sync(stored);
    lock.check();
    await journal.append(...linesOf(segments, lineSegments));
    return stored;
  }
}

/** Lines of the journal with so many segments each. */
function linesOf(segments: readonly SegmentRecord[], size: number): JournalRecord[] {
  const lines: JournalRecord[] = [];
  for (let at = 0; at < segments.length; at += size)
    lines.push({ type: 'rows', theta: [], segments: segments.slice(at, at + size) });
  return lines;
}
