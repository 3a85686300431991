import { arrayFromBytes, elementBytes, sizeOf, type NdArray } from '../formats/array.js';
import { requireNumbers, type NpyHeader } from '../formats/npy.js';
import { NpzArrayStream, readNpzArray } from '../formats/npz.js';
import type { ByteSource } from '../formats/source.js';
import type { ZipEntry } from '../formats/zip.js';
import type { TensorEntry, TensorFile } from './types.js';

/** An `.npz` archive as a file of tensors. Throws DataError where a header is damaged. */
export async function openNpz(
  source: ByteSource,
  entries: ReadonlyMap<string, ZipEntry>,
): Promise<TensorFile> {
  const arrays = new Map<string, ArchivedRows>();
  for (const entry of entries.values()) {
    if (!entry.name.endsWith('.npy')) continue;
    arrays.set(entry.name.slice(0, -'.npy'.length), await ArchivedRows.open(source, entry));
  }
  const described = [...arrays].map(([name, { header }]): [string, TensorEntry] => [name, header]);
  return {
    name: source.name,
    entries: new Map(described),
    text: () => null,
    read: (name, from, to) => arrays.get(name)!.read(from, to),
    close: async () => {
      for (const rows of arrays.values()) await rows.close();
      await source.close();
    },
  };
}

/** Rows of an archived array, read front to back; an earlier row starts over. */
class ArchivedRows {
  #next = 0;
  #stream: NpzArrayStream | null = null;
  /** The whole array, where its order allows no reading by rows. */
  #whole: NdArray | null = null;

  private constructor(
    readonly source: ByteSource,
    readonly entry: ZipEntry,
    readonly header: NpyHeader,
  ) {}

  static async open(source: ByteSource, entry: ZipEntry): Promise<ArchivedRows> {
    const stream = new NpzArrayStream(source, entry);
    try {
      return new ArchivedRows(source, entry, await stream.header(entry));
    } finally {
      await stream.close();
    }
  }

  async read(from?: number, to?: number): Promise<NdArray> {
    if (from === undefined || to === undefined) return readNpzArray(this.source, this.entry);
    const { dtype, shape, columnMajor } = requireNumbers(
      this.header,
      `${this.source.name}(${this.entry.name})`,
    );
    const extents = [to - from, ...shape.slice(1)];
    const width = sizeOf(shape.slice(1));
    if (columnMajor && shape.length > 1) {
      this.#whole ??= await readNpzArray(this.source, this.entry);
      return { dtype, shape: extents, data: this.#whole.data.slice(from * width, to * width) };
    }
    const bytes = await this.#rows(from, to, width * elementBytes[dtype]);
    return arrayFromBytes(dtype, extents, bytes, { bigEndian: this.header.bigEndian });
  }

  async #rows(from: number, to: number, width: number): Promise<Uint8Array> {
    if (this.#stream === null || from < this.#next) await this.#restart();
    for (; this.#next < from; this.#next++) await this.#stream!.take(width);
    const bytes = await this.#stream!.take((to - from) * width);
    this.#next = to;
    if (this.#next === this.header.shape[0]) await this.#stream!.finish();
    return bytes;
  }

  async #restart(): Promise<void> {
    await this.close();
    this.#stream = new NpzArrayStream(this.source, this.entry);
    await this.#stream.header(this.entry);
    this.#next = 0;
  }

  async close(): Promise<void> {
    await this.#stream?.close();
    this.#stream = null;
  }
}
