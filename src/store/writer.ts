import { dirname, join } from 'node:path';
import { NumericError, StoreError } from '../errors.js';
import { firstNonFinite } from '../num/sums.js';
import { type ArraySpec, chunkPath, emptyRow, type StoredNumbers, widthOf } from './arrays.js';
import { encodeChunk } from './codec.js';
import { CommitQueue } from './commits.js';
import { arrayNamed, type RunContext } from './context.js';
import { readIfPresent, sha256, syncFolder, writeAtomic, writeDurable } from './files.js';
import type { JournalWriter } from './journal.js';
import type { RunLock } from './lock.js';
import { RunReader } from './reader.js';
import type { JournalRecord, SegmentRecord, ThetaRecord, TrainingStats } from './records.js';
import { type MeasuredSegmentData, splitRecords } from './segment.js';
import { columnOf, loadSeries } from './series.js';
import { applyRecord, prefixLength, type RunState } from './state.js';

/** Rows or segments whose files may still be on their way to the disk. */
const inFlight = 8;

interface Entry {
  readonly theta: readonly ThetaRecord[];
  readonly segments: readonly SegmentRecord[];
  /** Folders that got new files. */
  readonly folders: readonly string[];
}

/** A chunk that is ready to be written. */
interface EncodedChunk {
  /** Inside the run folder. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

/**
 * The one process that may write a run. What is handed over is stored in the background and durable after `flush`; the given arrays
 * may be reused as soon as a call resolves. After an error nothing more is stored, and what was stored before stays valid.
 */
export class RunWriter extends RunReader {
  readonly #journal: JournalWriter;
  readonly #lock: RunLock;
  readonly #queue: CommitQueue<Entry>;

  constructor(context: RunContext, state: RunState, journal: JournalWriter, lock: RunLock) {
    super(context, state);
    this.#journal = journal;
    this.#lock = lock;
    this.#queue = new CommitQueue((batch) => this.#recordBatch(batch), inFlight);
  }

  /**
   * Stores θ_row [K]. A row that is stored already must be the same, bit for bit: training is replayed when a run resumes.
   *
   * @throws NumericError naming tensor and index, StoreError where the row differs from the stored one.
   */
  async writeTheta(row: number, theta: Float32Array): Promise<void> {
    this.#checkTheta(row, theta);
    const chunk = await this.#encode(arrayNamed(this.context, 'theta'), row, theta);
    if (this.state.rows[row] === 1) return this.#compare(row, chunk);
    const entry = { theta: [{ row, sha256: chunk.sha256 }], segments: [], folders: [this.#folderOf(chunk)] };
    await this.#queue.add(entry, this.#write(chunk));
  }

  /**
   * Ends training: stores the order of the examples and facts for reports. Does nothing where that was done already.
   *
   * @param order One row [B] an iteration; null where the manifest says that none is known.
   */
  async finishTraining(
    order: Iterable<Int32Array> | AsyncIterable<Int32Array> | null,
    stats: TrainingStats = {},
  ): Promise<void> {
    if (this.state.stats !== null) return;
    await this.flush();
    this.#requireAllRows();
    const spec = this.context.arrays.find(({ source }) => source.kind === 'order');
    const files = spec && order ? await this.#writeRows(spec, order) : {};
    await this.#record({ type: 'trained', files, stats });
  }

  /** Stores one segment. Segments may come in any order. */
  async commitSegment(data: MeasuredSegmentData): Promise<void> {
    const { segment, subintervals, evaluations } = data;
    if (this.state.segments[segment] !== 0)
      throw this.#misplaced('segment', segment, this.state.segments.length);
    const splits = splitRecords(data, this.manifest.splits);
    const chunks = await this.#encodeSegment(data);
    const files = Object.fromEntries(chunks.map((chunk) => [chunk.path, chunk.sha256]));
    const record = { segment, subintervals, evaluations, splits, files };
    const folders = chunks.map((chunk) => this.#folderOf(chunk));
    const written = Promise.all(chunks.map((chunk) => this.#write(chunk)));
    await this.#queue.add({ theta: [], segments: [record], folders }, written);
  }

  /**
   * Writes the small series as arrays, at the end of measuring or of a part of it, and returns whether the run is complete. They follow from
   * the journal, so a run that was interrupted ends with the same bytes.
   */
  async seal(): Promise<boolean> {
    await this.flush();
    const { segments } = this.status;
    if (this.state.series?.segments !== segments) await this.#writeSeries(segments);
    return this.status.sealed;
  }

  override async theta(row: number): Promise<Float32Array> {
    if (this.state.rows[row] !== 1) await this.flush();
    return super.theta(row);
  }

  /** Resolves when all that was handed over is durable. */
  async flush(): Promise<void> {
    await this.#queue.flush();
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
    const folders = new Set(batch.flatMap((entry) => entry.folders));
    await Promise.all([...folders].map((folder) => syncFolder(folder)));
    const theta = batch.flatMap((entry) => entry.theta);
    const segments = batch.flatMap((entry) => entry.segments);
    await this.#record({ type: 'rows', theta, segments });
  }

  async #record(record: JournalRecord): Promise<void> {
    await this.#lock.check();
    await this.#journal.append(record);
    applyRecord(this.state, record);
  }

  async #encode(spec: ArraySpec, chunk: number, data: StoredNumbers): Promise<EncodedChunk> {
    const bytes = await encodeChunk(spec, data);
    return { path: chunkPath(spec, chunk), bytes, sha256: sha256(bytes) };
  }

  #encodeSegment({ segment, rows }: MeasuredSegmentData): Promise<EncodedChunk[]> {
    const { splits } = this.manifest;
    return Promise.all(
      this.context.arrays.flatMap((spec) => {
        const { source } = spec;
        if (source.kind !== 'allocation' && source.kind !== 'neurons') return [];
        const row = rows[splits.indexOf(source.split)]!;
        return this.#encode(spec, segment, source.kind === 'allocation' ? row.allocation : row.neuronSums);
      }),
    );
  }

  #folderOf({ path }: EncodedChunk): string {
    return join(this.folder, dirname(path));
  }

  #write({ path, bytes }: EncodedChunk): Promise<void> {
    return writeDurable(join(this.folder, path), bytes);
  }

  async #writeSeries(segments: number): Promise<void> {
    const series = await loadSeries(this.context, this.manifest.trajectory.iterations);
    const written = await Promise.all(
      this.context.arrays.map(async (spec) => {
        const column = columnOf(series, spec);
        return column === null ? {} : this.#writeRows(spec, rowsOf(column, widthOf(spec)));
      }),
    );
    const files = Object.assign({}, ...written) as Record<string, string>;
    await this.#record({ type: 'series', segments, files });
  }

  /** Writes all rows of an array in chunks of many rows; returns the checksums of their files. */
  async #writeRows(
    spec: ArraySpec,
    rows: Iterable<StoredNumbers> | AsyncIterable<StoredNumbers>,
  ): Promise<Record<string, string>> {
    const width = widthOf(spec);
    const files: Record<string, string> = {};
    let buffer = emptyRow(spec.dtype, spec.chunkRows * width);
    const store = async (chunk: number): Promise<void> => {
      const encoded = await this.#encode(spec, chunk, buffer);
      await writeAtomic(join(this.folder, encoded.path), encoded.bytes);
      files[encoded.path] = encoded.sha256;
      buffer = emptyRow(spec.dtype, buffer.length);
    };
    let count = 0;
    for await (const row of rows) {
      if (row.length !== width) throw this.#misfit(spec.name, row.length, width);
      buffer.set(row, (count % spec.chunkRows) * width);
      count++;
      if (count % spec.chunkRows === 0) await store(count / spec.chunkRows - 1);
    }
    if (count !== spec.shape[0]) throw this.#misfit(`${spec.name} (rows)`, count, spec.shape[0]!);
    if (count % spec.chunkRows !== 0) await store(Math.floor(count / spec.chunkRows));
    return files;
  }

  #checkTheta(row: number, theta: Float32Array): void {
    if (this.state.rows[row] === undefined) throw this.#misplaced('row', row, this.state.rows.length);
    if (theta.length !== this.layout.size) throw this.#misfit('theta', theta.length, this.layout.size);
    const at = firstNonFinite(theta);
    if (at < 0) return;
    const tensor = this.layout.tensors.find(({ offset, size }) => at >= offset && at < offset + size)!;
    const location = { iteration: row, tensor: tensor.name, index: at - tensor.offset };
    throw new NumericError(
      {
        given: `parameter ${tensor.name}[${location.index}] is ${theta[at]!} after ${row} iterations`,
        expected: 'finite numbers',
        remedy: 'train with a lower learning rate; what was stored before stays valid',
      },
      location,
    );
  }

  async #compare(row: number, chunk: EncodedChunk): Promise<void> {
    const stored = await readIfPresent(join(this.folder, chunk.path));
    if (stored?.equals(chunk.bytes)) return;
    throw new StoreError({
      given: `${chunk.path} in ${this.folder} is not what training gives now (row ${row} of theta)`,
      expected: 'the same bytes, since training is replayed when a run resumes',
      remedy: 'run lca verify to see whether the file is damaged; otherwise resume with the machine and version that began the run',
    }); // prettier-ignore
  }

  #requireAllRows(): void {
    const rows = prefixLength(this.state.rows);
    if (rows !== this.state.rows.length) throw this.#misfit('theta (rows)', rows, this.state.rows.length);
  }

  #misfit(name: string, given: number, expected: number): StoreError {
    return new StoreError({
      given: `${name} has ${given} entries`,
      expected: `${expected}, as the manifest says`,
      remedy: 'hand over what the manifest describes, or make a new run',
    });
  }

  #misplaced(what: string, index: number, length: number): StoreError {
    return new StoreError({
      given: `${what} ${index}, which is stored already or outside the run`,
      expected: `a ${what} below ${length} that is not stored yet`,
      remedy: 'ask the run which ones are missing',
    });
  }
}

function* rowsOf(column: StoredNumbers, width: number): Generator<StoredNumbers> {
  for (let from = 0; from < column.length; from += width) yield column.subarray(from, from + width);
}
