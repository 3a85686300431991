import { rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { chunkPath } from '../../format/layout/arrays.js';
import { encodeNumbers } from '../../format/codec.js';
import { journalName, pendingPath } from '../../format/context.js';
import { chunksOf, encodeHeader, type Part, type PartHeader, partName, type PartSegment, segmentsOf } from '../../format/parts/part.js'; // prettier-ignore
import type { SegmentRecord } from '../../format/records.js';
import type { RunStatus } from '../../format/reader.js';
import { encodeRecord, numbersOf } from '../../format/windows.js';
import { isLossledgerError } from '../../errors.js';
import { makeFolder } from '../../folders.js';
import type { MeasuredSegment } from '../../ledger/measure-range.js';
import { ChunkWriter, syncFolders } from '../chunk-writer.js';
import { CommitQueue } from '../commits.js';
import { attempt, codeOf, sha256, syncFolder, writeDurable } from '../files.js';
import { RunFolder } from '../folder.js';
import { JournalWriter } from '../journal-writer.js';
import { type PendingRecord, WindowWriter } from '../window-writer.js';
import type { PartCopy } from './part-copy.js';
import { newDraft, partFolder } from './places.js';

/** Segments whose files may still be on their way to the disk. */
const inFlight = 8;

interface Entry {
  readonly record: SegmentRecord;
  readonly pending: PendingRecord;
  /** Folders that got new files. */
  readonly folders: readonly string[];
  /** Chunk files that it has, with their bytes. */
  readonly files: ReadonlyMap<string, number>;
}

/**
 * Writes the part of one task, as a draft of its own: nobody else writes there, so it needs no lock. It reads the trajectory of its run, to which it
 * writes nothing.
 */
export class PartWriter extends RunFolder {
  readonly #taken = new Set<number>();
  readonly #chunks: ChunkWriter;
  readonly #windows: WindowWriter;
  readonly #queue: CommitQueue<Entry>;

  private constructor(
    readonly run: RunFolder,
    readonly header: PartHeader,
    /** Folder of the draft. */
    readonly draft: string,
    readonly journal: JournalWriter,
    readonly copy: PartCopy | null,
  ) {
    super(run.context, run.state);
    this.#chunks = new ChunkWriter(draft);
    this.#windows = new WindowWriter(draft, run.context, run.state);
    this.#queue = new CommitQueue((batch) => this.#recordBatch(batch), inFlight);
  }

  /** Begins a draft of a part. Throws StoreError where it cannot be written. */
  static async begin(run: RunFolder, header: PartHeader): Promise<PartWriter> {
    const draft = newDraft(run.folder, header.task);
    await attempt(`make ${draft}`, () => makeFolder(draft));
    const bytes = encodeHeader(header);
    await writeDurable(join(draft, partName), bytes);
    const journal = await JournalWriter.open(join(draft, journalName), null);
    await journal.append({ type: 'created', files: { [partName]: sha256(bytes) } });
    await syncFolder(draft);
    const copy = (await run.elsewhere?.copyOf(header.task, draft)) ?? null;
    return new PartWriter(run, header, draft, journal, copy);
  }

  /** Segments of the range that are not in the part yet. */
  override unmeasured(): { from: number; to: number }[] {
    const ranges: { from: number; to: number }[] = [];
    for (let segment = this.header.from; segment < this.header.to; segment++) {
      if (this.#taken.has(segment)) continue;
      const last = ranges.at(-1);
      if (last?.to === segment) last.to++;
      else ranges.push({ from: segment, to: segment + 1 });
    }
    return ranges;
  }

  override get status(): RunStatus {
    return { ...super.status, segments: this.#taken.size };
  }

  /** Stores one segment of the range. Throws StoreError, NumericError where a small column holds a number that is not finite. */
  async commitSegment(measured: MeasuredSegment): Promise<void> {
    const { segment } = measured;
    const bytes = encodeRecord(this.context, measured);
    const chunks = this.context.rowArrays.map((spec) =>
      this.#chunks.encode(spec, segment, numbersOf(measured, spec)),
    );
    const record = {
      segment,
      record: sha256(bytes),
      theta: [this.state.theta.get(segment), this.state.theta.get(segment + 1)] as [string, string],
      rows: chunks.map((chunk) => chunk.sha256),
    };
    const folders = chunks.flatMap((chunk) => this.#chunks.foldersOf(chunk));
    const files = new Map(chunks.map((chunk) => [chunk.path, chunk.bytes.length]));
    const written = Promise.all(chunks.map((chunk) => this.#chunks.write(chunk)));
    await this.#add({ record, bytes }, { folders, files }, written);
  }

  /** Takes over what is sound of another draft of the same part. */
  async adopt(draft: Part): Promise<void> {
    if (!Buffer.from(encodeHeader(draft.header)).equals(encodeHeader(this.header))) return;
    try {
      for await (const segment of segmentsOf(draft)) await this.#adoptSegment(draft, segment);
    } catch (error) {
      // What is damaged, or was taken away meanwhile, is measured again; a disk that is full is not.
      if (!isLossledgerError(error) || codeOf(error.cause) === 'ENOSPC') throw error;
    }
  }

  async #adoptSegment({ context }: Part, { record, bytes }: PartSegment): Promise<void> {
    const { segment } = record;
    if (this.#taken.has(segment) || segment < this.header.from || segment >= this.header.to) return;
    const isSame = record.theta.every((sha, end) => sha === this.state.theta.get(segment + end));
    if (!isSame) return;
    const numbers = await chunksOf(context, record);
    const paths = context.rowArrays.map((spec) => chunkPath(spec, segment));
    const isElsewhere = this.copy?.refer(context, paths) ?? false;
    for (const [spec, own] of numbers)
      await this.#chunks.take(chunkPath(spec, segment), isElsewhere ? encodeNumbers(own) : context.place);
    const folders = paths.flatMap((path) => this.#chunks.foldersOf({ path }));
    const files = new Map(Array.from(numbers, ([spec, own]) => [chunkPath(spec, segment), own.byteLength]));
    await this.#add({ record, bytes }, { folders, files }, Promise.resolve());
  }

  async #add(
    { record, bytes }: PartSegment,
    own: Pick<Entry, 'folders' | 'files'>,
    written: Promise<unknown>,
  ): Promise<void> {
    const { segment } = record;
    this.#taken.add(segment);
    await this.#queue.add({ record, pending: { segment, bytes }, ...own }, written);
  }

  async #recordBatch(batch: readonly Entry[]): Promise<void> {
    await syncFolders(new Set(batch.flatMap(({ folders }) => folders)));
    await this.#windows.write(batch.map(({ pending }) => pending));
    await this.journal.append({ type: 'rows', theta: [], segments: batch.map(({ record }) => record) });
    const windows = new Set(batch.map(({ record }) => Math.floor(record.segment / this.context.windowRows)));
    const changed = [partName, journalName, ...Array.from(windows, (window) => pendingPath(window))];
    await this.copy?.record(new Map(batch.flatMap(({ files }) => [...files])), changed);
  }

  /** Resolves when all that was handed over is durable. */
  async flush(): Promise<void> {
    await this.#queue.flush();
    await this.copy?.flush();
  }

  /**
   * Makes the draft the part of its task, by one renaming, or in an object store by one conditional PUT. False where another worker has published it
   * already: then the draft is removed.
   *
   * @throws StoreError where the draft lacks segments, or cannot be renamed.
   */
  async publish(): Promise<boolean> {
    await this.#queue.flush();
    if (this.unmeasured().length > 0) throw new TypeError(`${this.draft} lacks segments`);
    if (this.copy !== null) {
      const isOurs = await this.copy.publish();
      await rm(this.draft, { recursive: true, force: true });
      return isOurs;
    }
    await syncFolder(this.draft);
    const part = partFolder(this.folder, this.header.task);
    try {
      await rename(this.draft, part);
    } catch (error) {
      if (!['EEXIST', 'ENOTEMPTY'].includes(codeOf(error) ?? '')) throw error;
      await rm(this.draft, { recursive: true, force: true });
      return false;
    }
    await syncFolder(dirname(part));
    return true;
  }

  /** Ends writing; what was handed over before is stored. */
  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.journal.close();
    }
  }
}
