import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import * as z from 'zod';
import { fileSource, sha256 } from '../data/files.js';
import { arrayFromBytes, elementBytes, sizeOf, type ElementType, type NdArray } from '../formats/array.js';
import { damaged, misfit, type ByteSource } from '../formats/source.js';
import type { Recording, RecordedUpdate, TensorEntry } from './types.js';

/** What says that a folder was written by the recorder for PyTorch. */
const descriptionName = 'recording.json';

/** Stands beside it once training is over. */
const closedName = 'closed.json';

/** How often a recording that grows is looked at. */
const pollMilliseconds = 100;

/** Bytes before the first row of each of its arrays. */
const headerBytes = 128;

const text = z.string().min(1).max(1000);

const descriptionSchema = z.looseObject({
  format: z.literal('lossledger recording'),
  version: z.literal(1),
  id: text,
  /** θ, end to end. */
  parameters: z.array(z.looseObject({ name: text, shape: z.array(z.int().min(0)) })).min(1),
  components: z.array(z.string().regex(/^[A-Za-z]\w*$/)),
  every: z.int().min(1),
  /** Steps that the training is to have; null: not said. */
  steps: z.int().min(1).nullable(),
  /** Other names of tied parameters, with the one they are recorded under. */
  tied: z.record(z.string(), z.string()),
  /** Parameters that were not trained, with the SHA-256 of their numbers as float32. */
  frozen: z.array(z.object({ name: text, sha256: text })),
});

/** What a recorder says of its folder. */
export type RecorderDescription = z.infer<typeof descriptionSchema>;

/** Whether a folder was written by the recorder. */
export function isRecorderFolder(folder: string): boolean {
  return existsSync(join(folder, descriptionName));
}

/** Reads the description. Throws DataError where it is damaged or of another version. */
export async function readDescription(folder: string): Promise<RecorderDescription> {
  const path = join(folder, descriptionName);
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw damaged(path, 'no JSON', 'what the recorder wrote', cause);
  }
  const result = descriptionSchema.safeParse(content);
  if (result.success) return result.data;
  throw damaged(path, z.prettifyError(result.error), 'what the recorder of this version writes');
}

/** Whether training is over, so that no more rows will come. */
function isClosed(folder: string): boolean {
  return existsSync(join(folder, closedName));
}

/** Rows that are whole by now. */
async function rowsNow(folder: string): Promise<number> {
  const size = await stat(join(folder, 'iteration.npy')).then((file) => file.size, () => 0); // prettier-ignore
  return Math.max(0, Math.floor((size - headerBytes) / elementBytes.int64));
}

/**
 * Waits until a recording has so many rows, or the signal aborts. Throws DataError where training ended before, or where the folder is not
 * the recorder's.
 */
export async function waitForRows(folder: string, rows: number, signal?: AbortSignal): Promise<void> {
  for (;;) {
    signal?.throwIfAborted();
    // Asked first: rows that came before it was closed are seen.
    const isOver = isClosed(folder);
    const found = await rowsNow(folder);
    if (found >= rows) return;
    if (isOver) {
      throw misfit(
        folder,
        `a recording that ended with ${found} rows`,
        `${rows} rows or more, as the recorder was told of its steps`,
        'make a new run without --follow, which measures the rows that there are',
      );
    }
    await setTimeout(pollMilliseconds, undefined, signal === undefined ? {} : { signal });
  }
}

/** Steps that a recording which is followed is to have. Throws DataError where it does not say, or leaves steps out. */
export async function stepsToFollow(folder: string): Promise<number> {
  const { steps, every } = await readDescription(folder);
  if (steps !== null && every === 1) return steps;
  throw misfit(
    join(folder, descriptionName),
    steps === null
      ? 'a recording that does not say how many steps it will have'
      : `a row every ${every} steps`,
    'a recording of every step, and their number',
    'record with Recorder(…, steps=N), or measure without --follow when training is over',
  );
}

/** Files of the recorder, whole: description, iterations, θ and components. */
export function recorderFiles(folder: string, { components }: RecorderDescription): string[] {
  const arrays = ['theta.npy', ...components.map((name) => join('update', `${name}.npy`)), 'iteration.npy'];
  return [descriptionName, ...arrays].map((name) => join(folder, name));
}

/** Rows that are whole in a file of a recording, whose length alone tells: its header may be a row behind. */
function wholeRows(source: ByteSource, rowBytes: number): number {
  return Math.max(0, Math.floor((source.size - headerBytes) / rowBytes));
}

/** Rows of equal width behind a header, such as θ [T+1, K]. */
class RowFile {
  private constructor(
    readonly source: ByteSource,
    readonly dtype: ElementType,
    readonly width: number,
  ) {}

  static async open(path: string, dtype: ElementType, width: number): Promise<RowFile> {
    const source = await fileSource(path);
    const file = new RowFile(source, dtype, width);
    const start = Buffer.from(await source.read(0, Math.min(10, source.size)));
    if (start.toString('latin1', 0, 6) === '\x93NUMPY' && start.readUInt16LE(8) === headerBytes - 10)
      return file;
    await source.close();
    throw damaged(path, 'a header that is not the recorder’s', `numpy’s, of ${headerBytes} bytes`);
  }

  get rows(): number {
    return wholeRows(this.source, this.width * elementBytes[this.dtype]);
  }

  /** `count` numbers of a row from its `from`-th on. */
  async read(row: number, from = 0, count = this.width): Promise<NdArray> {
    const bytes = elementBytes[this.dtype];
    const at = headerBytes + (row * this.width + from) * bytes;
    return arrayFromBytes(this.dtype, [count], await this.source.read(at, count * bytes));
  }

  close(): Promise<void> {
    return this.source.close();
  }
}

/** Where a parameter stands in a row. */
interface Place {
  readonly shape: readonly number[];
  readonly from: number;
  readonly size: number;
}

/** By all of its names. */
function placesOf({ parameters, tied }: RecorderDescription, file: string): Map<string, Place> {
  const places = new Map<string, Place>();
  let from = 0;
  for (const { name, shape } of parameters) {
    const size = sizeOf(shape);
    places.set(name, { shape, from, size });
    from += size;
  }
  for (const [name, first] of Object.entries(tied)) {
    const place = places.get(first);
    if (place === undefined) throw damaged(file, `${name} tied to ${first}, which it does not hold`, 'names of parameters'); // prettier-ignore
    places.set(name, place);
  }
  return places;
}

/**
 * What the recorder wrote into a folder, as far as it is whole: a recording that is still growing, or was killed, has the rows that it had
 * when it was opened. Throws DataError where its files are damaged.
 */
export async function recorderRecording(folder: string): Promise<Recording> {
  const description = await readDescription(folder);
  const places = placesOf(description, join(folder, descriptionName));
  const width = description.parameters.reduce((total, { shape }) => total + sizeOf(shape), 0);
  if (width === 0) throw misfit(folder, 'parameters without numbers', 'at least one number', 'record a model with parameters'); // prettier-ignore
  const opened: RowFile[] = [];
  const close = async (): Promise<void> => {
    for (const file of opened) await file.close();
  };
  const open = async (name: string, dtype: ElementType, own: number): Promise<RowFile> => {
    const file = await RowFile.open(join(folder, name), dtype, own);
    opened.push(file);
    return file;
  };
  try {
    const theta = await open('theta.npy', 'float32', width);
    const updates = new Map<string, RowFile>();
    for (const name of description.components) updates.set(name, await open(join('update', `${name}.npy`), 'float32', width)); // prettier-ignore
    const iteration = await open('iteration.npy', 'int64', 1);
    const rows = Math.min(theta.rows, iteration.rows, ...[...updates.values()].map((file) => file.rows + 1));
    const iterations: number[] = [];
    for (let t = 0; t < rows; t++) iterations.push(Number((await iteration.read(t)).data[0]));
    return {
      name: folder,
      rows,
      iteration: iterations,
      tensors: entriesOf(places, []),
      flat: null,
      frozen: description.frozen,
      updates: new Map([...updates].map(([name, file]) => [name, updateOf(file, places, rows)])),
      read: (name, t) => readPlace(theta, places.get(name)!, t),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function entriesOf(places: ReadonlyMap<string, Place>, rows: readonly number[]): Map<string, TensorEntry> {
  const entry = ({ shape }: Place): TensorEntry => ({ shape: [...rows, ...shape], dtype: 'float32', storedType: 'f4' }); // prettier-ignore
  return new Map([...places].map(([name, place]) => [name, entry(place)]));
}

function updateOf(file: RowFile, places: ReadonlyMap<string, Place>, rows: number): RecordedUpdate {
  return {
    tensors: entriesOf(places, [rows - 1]),
    read: (name, t) => readPlace(file, places.get(name)!, t),
  };
}

async function readPlace(file: RowFile, { shape, from, size }: Place, row: number): Promise<NdArray> {
  return { ...(await file.read(row, from, size)), shape };
}

/** SHA-256 of numbers [n] as little-endian float32, as the recorder states it of parameters that were not trained. */
export function numbersDigest({ buffer, byteOffset, byteLength }: Float32Array): string {
  return sha256(new Uint8Array(buffer, byteOffset, byteLength));
}
