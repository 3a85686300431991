import { strFromU8 } from 'fflate';
import { arrayFromBytes, type NdArray } from './array.js';
import { npyHeaderSpan, npyPreambleBytes, parseNpyHeader, requireNumbers, type NpyHeader } from './npy.js';
import { damaged, type ByteSource } from './source.js';
import { readZipDirectory, zipEntryPieces, type ZipEntry } from './zip.js';

/** The arrays of an `.npz` archive by name; entries that are no `.npy` files are passed over. Throws DataError for damage. */
export async function readNpzDirectory(source: ByteSource): Promise<ReadonlyMap<string, ZipEntry>> {
  const entries = [...(await readZipDirectory(source)).values()];
  return new Map(
    entries
      .filter(({ name }) => name.endsWith('.npy'))
      .map((entry) => [entry.name.slice(0, -'.npy'.length), entry]),
  );
}

/** Takes an archived array's bytes front to back, without holding the whole of it. */
export class NpzArrayStream {
  readonly #pieces: AsyncGenerator<Uint8Array, void>;
  readonly #file: string;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(source: ByteSource, entry: ZipEntry) {
    this.#pieces = zipEntryPieces(source, entry);
    this.#file = `${source.name}(${entry.name})`;
  }

  /** Reads the header; to be called first. Throws DataError where header and entry do not agree. */
  async header(entry: ZipEntry): Promise<NpyHeader> {
    const preamble = await this.take(Math.min(npyPreambleBytes, entry.size));
    const { from, to } = npyHeaderSpan(preamble, this.#file);
    const rest = await this.take(Math.max(0, to - preamble.length));
    const text = strFromU8(preamble.subarray(from), true) + strFromU8(rest, true);
    const header = parseNpyHeader(text, this.#file);
    if (header.bytes === null || entry.size === to + header.bytes) return header;
    throw damaged(
      this.#file,
      `${entry.size} bytes`,
      `${to + header.bytes} bytes for [${header.shape.join(', ')}]`,
    );
  }

  /** The next `length` bytes. Throws DataError where the array ends before. */
  async take(length: number): Promise<Uint8Array> {
    const taken = new Uint8Array(length);
    for (let at = 0; at < length;) {
      if (this.#rest.length === 0) this.#rest = await this.#next();
      const part = this.#rest.subarray(0, length - at);
      taken.set(part, at);
      at += part.length;
      this.#rest = this.#rest.subarray(part.length);
    }
    return taken;
  }

  /** Reads what follows the last element, nothing, so that length and checksum of the entry are checked. Throws DataError. */
  async finish(): Promise<void> {
    const { done } = await this.#pieces.next();
    if (!done || this.#rest.length > 0) throw damaged(this.#file, 'bytes after the last element', 'none');
  }

  async close(): Promise<void> {
    await this.#pieces.return(undefined);
  }

  async #next(): Promise<Uint8Array> {
    const next = await this.#pieces.next();
    if (next.done) throw damaged(this.#file, 'truncated', 'as many elements as its header says');
    return next.value;
  }
}

/** Reads a whole array of an archive and checks its checksum. */
export async function readNpzArray(source: ByteSource, entry: ZipEntry): Promise<NdArray> {
  const stream = new NpzArrayStream(source, entry);
  try {
    const header = requireNumbers(await stream.header(entry), `${source.name}(${entry.name})`);
    const { dtype, shape, bytes } = header;
    const array = arrayFromBytes(dtype, shape, await stream.take(bytes), header);
    await stream.finish();
    return array;
  } finally {
    await stream.close();
  }
}
