import type { ByteSource } from '../formats/source.js';
import { arrayFromBytes } from '../formats/array.js';
import { NpzArrayStream, readNpzArray, readNpzDirectory } from '../formats/npz.js';
import { readNpyHeader } from '../formats/npy.js';
import { requireFloat32 } from '../formats/safetensors.js';
import type { ZipEntry } from '../formats/zip.js';
import { integersOf } from './integers.js';
import { sizeOf } from './layout.js';
import type { RowArray, RowFile } from './types.js';

/** An `.npz` archive as named arrays. Throws DataError where its table of contents is damaged. */
export async function openNpz(source: ByteSource): Promise<RowFile> {
  const entries = await readNpzDirectory(source);
  const opened: NpzRows[] = [];
  return {
    name: source.name,
    names: [...entries.keys()],
    rows: async (name) => {
      const rows = await NpzRows.open(source, entries.get(name)!);
      opened.push(rows);
      return rows;
    },
    integers: async (name) =>
      integersOf(await readNpzArray(source, entries.get(name)!), `${source.name}(${name})`),
    close: async () => {
      await Promise.all(opened.map((rows) => rows.close()));
      await source.close();
    },
  };
}

/** A single `.npy` file as the array `theta`. */
export async function openNpyTheta(source: ByteSource): Promise<RowFile> {
  const header = await readNpyHeader(source);
  const width = sizeOf(header.shape.slice(1));
  return {
    name: source.name,
    names: ['theta'],
    rows: () =>
      new Promise((resolve) => {
        requireFloat32(header, source.name);
        const row = async (t: number) => {
          const bytes = await source.read(header.offset + 4 * t * width, 4 * width);
          return arrayFromBytes('float32', [width], bytes, header).data as Float32Array;
        };
        resolve({ shape: header.shape, row });
      }),
    integers: () => Promise.resolve([]),
    close: () => source.close(),
  };
}

/** Rows of an archived array, read front to back; an earlier row starts over. */
class NpzRows implements RowArray {
  #next = 0;

  private constructor(
    readonly source: ByteSource,
    readonly entry: ZipEntry,
    readonly shape: readonly number[],
    readonly bigEndian: boolean,
    private stream: NpzArrayStream,
  ) {}

  static async open(source: ByteSource, entry: ZipEntry): Promise<NpzRows> {
    const stream = new NpzArrayStream(source, entry);
    try {
      const header = await stream.header(entry);
      requireFloat32(header, `${source.name}(${entry.name})`);
      return new NpzRows(source, entry, header.shape, header.bigEndian, stream);
    } catch (error) {
      await stream.close();
      throw error;
    }
  }

  async row(t: number): Promise<Float32Array> {
    if (t < this.#next) await this.#restart();
    const width = sizeOf(this.shape.slice(1));
    let bytes = new Uint8Array(0);
    for (; this.#next <= t; this.#next++) bytes = new Uint8Array(await this.stream.take(4 * width));
    if (this.#next === this.shape[0]) await this.stream.finish();
    return arrayFromBytes('float32', [width], bytes, { bigEndian: this.bigEndian }).data as Float32Array;
  }

  async #restart(): Promise<void> {
    await this.close();
    this.stream = new NpzArrayStream(this.source, this.entry);
    await this.stream.header(this.entry);
    this.#next = 0;
  }

  close(): Promise<void> {
    return this.stream.close();
  }
}
