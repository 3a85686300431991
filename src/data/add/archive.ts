import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { createGunzip } from 'node:zlib';
import { damaged } from '../../formats/source.js';

const blockBytes = 512;

/** Largest file that is taken out of an archive. */
const maxFileBytes = 2 ** 27;

/** One file of an archive. */
export interface ArchivedFile {
  /** Without folders. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * The files of a gzip-compressed tar archive whose names (folders left out) are `wanted`, one after the other. Throws DataError
 * where the archive is damaged, or a wanted file is larger than 128 MiB.
 */
export async function* archivedFiles(
  path: string,
  wanted: ReadonlySet<string>,
): AsyncGenerator<ArchivedFile> {
  const bytes = new StreamBytes(path);
  try {
    for (;;) {
      const header = await bytes.take(blockBytes);
      if (header === null || header.every((byte) => byte === 0)) return;
      const { name, size } = parseHeader(header, path);
      const padded = Math.ceil(size / blockBytes) * blockBytes;
      if (wanted.has(name) && size <= maxFileBytes) {
        const content = await bytes.take(padded);
        if (content === null) throw damaged(path, `${name} is cut off`, 'a whole archive');
        yield { name, bytes: content.subarray(0, size) };
      } else if (!(await bytes.skip(padded))) {
        throw damaged(path, `${name} is cut off`, 'a whole archive');
      }
    }
  } finally {
    await bytes.close();
  }
}

/** Name without folders and size of a tar entry (POSIX ustar; sizes in octal). */
function parseHeader(header: Buffer, path: string): { name: string; size: number } {
  const text = (from: number, to: number) => header.toString('latin1', from, to).replace(/\0.*$/s, '').trim();
  const size = text(124, 136);
  if (!/^[0-7]+$/.test(size)) throw damaged(path, 'a broken tar header', 'a whole .tar.gz archive');
  return { name: basename(text(0, 100)), size: parseInt(size, 8) };
}

/** Decompressed bytes of a file, taken front to back. */
class StreamBytes {
  readonly #path: string;
  readonly #pieces: AsyncIterator<Buffer>;
  readonly #file;
  #rest: Buffer = Buffer.alloc(0);

  constructor(path: string) {
    this.#path = path;
    this.#file = createReadStream(path);
    const decompressed = createGunzip({ chunkSize: 2 ** 18 });
    this.#file.on('error', (error) => decompressed.destroy(error));
    this.#pieces = this.#file.pipe(decompressed)[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** The next `count` bytes, or null at the end. */
  async take(count: number): Promise<Buffer | null> {
    const parts: Buffer[] = [];
    const whole = await this.#forEach(count, (part) => parts.push(part));
    return whole ? Buffer.concat(parts) : null;
  }

  /** Passes over `count` bytes; false where there are fewer. */
  skip(count: number): Promise<boolean> {
    return this.#forEach(count, () => undefined);
  }

  async close(): Promise<void> {
    this.#file.destroy();
    await this.#pieces.return?.();
  }

  async #forEach(count: number, visit: (part: Buffer) => void): Promise<boolean> {
    for (let missing = count; missing > 0;) {
      if (this.#rest.length === 0 && !(await this.#refill())) return false;
      const part = this.#rest.subarray(0, missing);
      this.#rest = this.#rest.subarray(part.length);
      missing -= part.length;
      visit(part);
    }
    return true;
  }

  async #refill(): Promise<boolean> {
    try {
      const next = await this.#pieces.next();
      if (next.done) return false;
      this.#rest = next.value;
      return true;
    } catch (cause) {
      throw damaged(this.#path, 'not readable as gzip', 'a whole .tar.gz archive', cause);
    }
  }
}
