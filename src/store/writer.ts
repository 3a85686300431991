import { NumericError, StoreError } from '../errors.js';
import { arrayNamed, type RunContext } from '../format/context.js';
import type { PartSegment } from '../format/parts/part.js';
import type { JournalRecord, MixedSegments, SegmentRecord, ThetaRecord, TrainingStats } from '../format/records.js'; // prettier-ignore
import type { RunStatus } from '../format/reader.js';
import { applyRecord, gaps, prefixLength, type RunState } from '../format/state.js';
import { encodeRecord, numbersOf } from '../format/windows.js';
import { placeOf } from '../ledger/layout.js';
import type { MeasuredSegment } from '../ledger/measure-range.js';
import type { Numbers } from '../ledger/types.js';
import { firstNonFinite } from '../num/sums.js';
import { AdoptedSegments } from './adopted.js';
import { type Adoption, ChunkWriter, type EncodedChunk, misfit, syncFolders } from './chunk-writer.js';
import { CommitQueue } from './commits.js';
import { sha256 } from './files.js';
import { RunFolder } from './folder.js';
import type { JournalWriter } from './journal-writer.js';
import type { RunLock } from './lock.js';
import { ShardWriter } from './shard-writer.js';
import { type PendingRecord, WindowWriter } from './window-writer.js';

/** Rows or segments whose files may still be on their way to the disk. */
const inFlight = 8;

interface Entry {
  readonly theta?: ThetaRecord;
  readonly segment?: SegmentRecord;
  /** The segment's record of small columns. */
  readonly pending?: PendingRecord;
  /** Folders that got new files. */
  readonly folders: readonly string[];
}

/**
 * The one process that may write a run. What is handed over is stored in the background and durable after `flush`; the given arrays
 * may be reused as soon as a call resolves. After an error nothing more is stored, and what was stored before stays valid.
 */
export class RunWriter extends RunFolder {
  readonly #journal: JournalWriter;
  readonly #lock: RunLock;
  readonly #queue: CommitQueue<Entry>;
  readonly #windows: WindowWriter;
  /** Segments handed over, stored or on their way. */
  readonly #taken: Uint8Array;
  readonly #chunks: ChunkWriter;
  readonly #adopted: AdoptedSegments;

  private constructor(context: RunContext, state: RunState, journal: JournalWriter, lock: RunLock) {
    super(context, state);
    this.#journal = journal;
    this.#lock = lock;
    this.#queue = new CommitQueue((batch) => this.#recordBatch(batch), inFlight);
    this.#chunks = new ChunkWriter(this.folder, new ShardWriter(this.folder, context, state));
    this.#windows = new WindowWriter(this.folder, context, state);
    this.#taken = state.segments.slice();
    this.#adopted = new AdoptedSegments(context, state, { chunks: this.#chunks, windows: this.#windows, journal, lock }); // prettier-ignore
  }

  /** @internal Begins to write a run where it was left off: finds out which records were lost, and finishes the windows that a crash left complete. */
  static async start(
    context: RunContext,
    state: RunState,
    journal: JournalWriter,
    lock: RunLock,
  ): Promise<RunWriter> {
    const run = new RunWriter(context, state, journal, lock);
    await run.#windows.clearAll();
    for (const segment of await run.#windows.findLost()) run.#taken[segment] = 0;
    for (const window of run.#windows.completed()) await run.#writeWindow(window);
    return run;
  }

  /** Segments that are stored by the journal, but whose records are missing or damaged: they are to be measured again, and must come out as before. */
  get lost(): ReadonlySet<number> {
    return this.#windows.lost;
  }

  override get status(): RunStatus {
    return { ...super.status, segments: super.status.segments - this.lost.size };
  }

  override unmeasured(): { from: number; to: number }[] {
    return gaps(this.state.segments.map((flag, segment) => (this.lost.has(segment) ? 0 : flag)));
  }

  /**
   * Stores θ_row [K]. A row that is stored already must be the same, bit for bit: training is replayed when a run resumes.
   *
   * @throws NumericError naming tensor and index, StoreError where the row differs from the stored one.
   */
  async writeTheta(row: number, theta: Float32Array): Promise<void> {
    this.#checkTheta(row, theta);
    const chunk = this.#chunks.encode(arrayNamed(this.context, 'theta'), row, theta);
    if (this.state.rows[row] === 1) return this.#compare(row, chunk);
    this.#lock.check();
    const entry = { theta: { row, sha256: chunk.sha256 }, folders: this.#chunks.foldersOf(chunk) };
    await this.#queue.add(entry, this.#chunks.write(chunk));
  }

  /**
   * Ends training: stores which examples were used and facts for reports. Does nothing where that was done already.
   *
   * @param arrays Rows of `order`, one [B] an iteration, where the manifest says that it is known, of `split/SET`, one [1] an example, and of `basis`, where there is one, one [K] a direction.
   */
  async finishTraining(
    arrays: Readonly<Record<string, Iterable<Numbers>>>,
    stats: TrainingStats = {},
  ): Promise<void> {
    if (this.state.stats !== null) return;
    await this.#untilRow(this.state.rows.length - 1);
    this.#requireAllRows();
    const files: Record<string, string> = {};
    for (const spec of this.context.arrays.filter(({ placement }) => placement === 'order')) {
      Object.assign(files, await this.#chunks.writeRows(spec, arrays[spec.name] ?? []));
    }
    await this.#record({ type: 'trained', files, stats });
  }

  /**
   * Stores one segment, whose rows of θ are stored already. Segments may come in any order; one that is stored already changes nothing.
   *
   * @throws StoreError where other numbers are stored of it, NumericError where a small column holds a number that is not finite.
   */
  async commitSegment(measured: MeasuredSegment): Promise<void> {
    const { segment } = measured;
    if (this.#taken[segment] === undefined) throw this.#misplaced('segment', segment, this.#taken.length);
    const bytes = encodeRecord(this.context, measured);
    if (this.#taken[segment] === 1) return this.#requireStored(segment, sha256(bytes));
    const chunks = this.context.rowArrays.map((spec) =>
      this.#chunks.encode(spec, segment, numbersOf(measured, spec)),
    );
    if (this.lost.has(segment)) {
      for (const chunk of chunks) this.#chunks.release(chunk);
      return this.#restore({ segment, bytes }, chunks.map((chunk) => chunk.sha256)); // prettier-ignore
    }
    this.#taken[segment] = 1;
    for (const row of [segment, segment + 1]) await this.#untilRow(row);
    this.#lock.check();
    const record: SegmentRecord = {
      segment,
      record: sha256(bytes),
      theta: [this.state.theta.get(segment), this.state.theta.get(segment + 1)],
      rows: chunks.map((chunk) => chunk.sha256),
    };
    const folders = chunks.flatMap((chunk) => this.#chunks.foldersOf(chunk));
    const written = Promise.all(chunks.map((chunk) => this.#chunks.write(chunk)));
    await this.#queue.add({ segment: record, pending: { segment, bytes }, folders }, written);
  }

  /** Writes a record that was lost; all else of its segment is stored, `rows` by checksum, and stays as it is. Throws StoreError where other numbers are. */
  async #restore(pending: PendingRecord, rows: readonly string[]): Promise<void> {
    this.#windows.requireAsBefore(pending.segment, sha256(pending.bytes), rows);
    this.#taken[pending.segment] = 1;
    this.#lock.check();
    await this.#queue.add({ pending, folders: [] }, Promise.resolve());
  }

  /**
   * @internal Stores segments that were measured elsewhere and checked. Their chunks of large columns lie in the folder `from` as in a run folder, and may be
   * moved. They are durable where `unsaved` is 0: many are saved together, since waiting for the disk takes longest. One that is stored already changes nothing.
   * Throws StoreError where other numbers are.
   */
  async adoptSegments(segments: readonly PartSegment[], from: string, how: Adoption['how']): Promise<void> {
    await this.#queue.flush();
    for (const { record, bytes } of segments) {
      const { segment } = record;
      if (this.#taken[segment] === 1) await this.#requireStored(segment, record.record);
      else if (this.lost.has(segment)) await this.#restore({ segment, bytes }, record.rows);
    }
    await this.#queue.flush();
    const fresh = segments.filter(({ record }) => this.#taken[record.segment] === 0);
    for (const { record } of fresh) this.#taken[record.segment] = 1;
    if (fresh.length > 0) await this.#adopted.adopt(fresh, from, how);
    if (this.#adopted.areMany) await this.flush();
  }

  /** @internal Segments that were adopted and may be lost when the machine stops. */
  get unsaved(): number {
    return this.#adopted.count;
  }

  /** Notes that segments which are adopted next were measured by another machine or version. Throws StoreError. */
  async noteMixed(mixed: MixedSegments): Promise<void> {
    await this.flush();
    await this.#record({ type: 'mixed', ...mixed });
  }

  override async theta(row: number): Promise<Float32Array> {
    await this.#untilRow(row);
    return super.theta(row);
  }

  /** Resolves when a row that was handed over is durable: others that come behind it are not waited for, which may go on coming. */
  async #untilRow(row: number): Promise<void> {
    while (this.state.rows[row] !== 1 && (await this.#queue.settle()));
  }

  /** Resolves when all that was handed over is durable. */
  async flush(): Promise<void> {
    await this.#queue.flush();
    await this.#writeWindows(await this.#adopted.save());
  }

  /** Flushes, and lets other processes write the run. */
  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.#journal.close();
      await this.#lock.release();
    }
  }

  async #recordBatch(batch: readonly Entry[]): Promise<void> {
    this.#lock.check();
    const folders = new Set(batch.flatMap((entry) => entry.folders));
    await syncFolders(folders);
    const pending = batch.flatMap((entry) => entry.pending ?? []);
    await this.#windows.write(pending);
    const theta = batch.flatMap((entry) => entry.theta ?? []);
    const segments = batch.flatMap((entry) => entry.segment ?? []);
    // Records that were lost are of segments that the journal knows.
    if (theta.length + segments.length > 0) await this.#record({ type: 'rows', theta, segments });
    await this.#writeWindows(pending.map(({ segment }) => segment));
  }

  /** Writes the chunks of all windows that newly stored segments complete. */
  async #writeWindows(stored: readonly number[]): Promise<void> {
    for (const window of this.#windows.completedBy(stored)) await this.#writeWindow(window);
  }

  /** Writes the chunks of a window whose segments are all stored. */
  async #writeWindow(window: number): Promise<void> {
    const chunks = (await this.#windows.chunksOf(window)).map(({ spec, chunk, numbers }) =>
      this.#chunks.encode(spec, chunk, numbers),
    );
    await Promise.all(chunks.map((chunk) => this.#chunks.write(chunk)));
    await syncFolders(new Set(chunks.flatMap((chunk) => this.#chunks.foldersOf(chunk))));
    const files = Object.fromEntries(chunks.map(({ path, sha256 }) => [path, sha256]));
    await this.#record({ type: 'window', window, files });
    await this.#windows.clear(window);
  }

  async #record(record: JournalRecord): Promise<void> {
    this.#lock.check();
    await this.#journal.append(record);
    applyRecord(this.state, record);
  }

  #checkTheta(row: number, theta: Float32Array): void {
    if (this.state.rows[row] === undefined) throw this.#misplaced('row', row, this.state.rows.length);
    if (theta.length !== this.layout.size) throw misfit('theta', theta.length, this.layout.size);
    const at = firstNonFinite(theta);
    if (at < 0) return;
    const place = placeOf(this.layout, at);
    throw new NumericError(
      {
        given: `parameter ${place.tensor}[${place.index}] is ${theta[at]!} after ${row} iterations`,
        expected: 'finite numbers',
        remedy: 'train with a lower learning rate; what was stored before stays valid',
      },
      { iteration: row, ...place },
    );
  }

  async #compare(row: number, chunk: EncodedChunk): Promise<void> {
    const stored = await this.context.source.get(chunk.path);
    const isSame = stored !== undefined && Buffer.from(stored).equals(chunk.bytes);
    this.#chunks.release(chunk);
    if (isSame) return;
    throw new StoreError({
      given: `${chunk.path} in ${this.folder} is not what training gives now (row ${row} of theta)`,
      expected: 'the same bytes, since training is replayed when a run resumes',
      remedy: 'run lca verify to see whether the file is damaged; otherwise resume with the machine and version that began the run',
    }); // prettier-ignore
  }

  async #requireStored(segment: number, record: string): Promise<void> {
    await this.flush();
    if (this.state.records.get(segment) === record) return;
    throw new StoreError({
      given: `segment ${segment} of ${this.folder}, which is stored with other numbers`,
      expected: 'the numbers that are stored',
      remedy: 'measure with the machine and version that began the run; lca verify says whether what is stored is sound',
    }); // prettier-ignore
  }

  #requireAllRows(): void {
    const rows = prefixLength(this.state.rows);
    if (rows !== this.state.rows.length) throw misfit('theta (rows)', rows, this.state.rows.length);
  }

  #misplaced(what: string, index: number, length: number): StoreError {
    return new StoreError({
      given: `${what} ${index}, which is outside the run`,
      expected: `a ${what} from 0 to ${length - 1}`,
      remedy: 'ask the run which ones are missing',
    });
  }
}
