import { DataError, isLossledgerError } from '../errors.js';

/** Bytes that can be read from any place, so that a large file need not be held in memory. */
export interface ByteSource {
  /** For messages. */
  readonly name: string;
  readonly size: number;
  /** Exactly `length` bytes from `offset` on. Throws DataError where the source ends before. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** The same at once, where the place of the bytes allows it. */
  readNow?(offset: number, length: number): Uint8Array;
  close(): Promise<void>;
}

/** Throws DataError where `length` bytes from `offset` on are not all inside the source. */
export function requireInside(
  { name, size }: Pick<ByteSource, 'name' | 'size'>,
  offset: number,
  length: number,
): void {
  if (offset >= 0 && length >= 0 && offset + length <= size) return;
  throw damaged(name, `${size} bytes (truncated)`, `at least ${offset + length} bytes, as its header says`);
}

/** Bytes in memory. */
export function memorySource(bytes: Uint8Array, name: string): ByteSource {
  const readNow = (offset: number, length: number): Uint8Array => {
    requireInside({ name, size: bytes.length }, offset, length);
    return bytes.slice(offset, offset + length);
  };
  return {
    name,
    size: bytes.length,
    readNow,
    read: (offset, length) =>
      new Promise((resolve) => {
        resolve(readNow(offset, length));
      }),
    close: () => Promise.resolve(),
  };
}

/** The error of a file whose bytes are not what its format says; `found` follows the file's name. */
export function damaged(file: string, found: string, expected: string, cause?: unknown): DataError {
  return new DataError(
    {
      given: `${file}: ${found}`,
      expected,
      remedy: 'write or fetch the file again; it may be cut off, or of another format than its name says',
    },
    { cause },
  );
}

/** The error of a file that is whole but not what was asked for. */
export function misfit(file: string, found: string, expected: string, remedy: string): DataError {
  return new DataError({ given: `${file}: ${found}`, expected, remedy });
}

/**
 * The one net under all that read a user's file. Throws the project's errors as they are, and whatever else comes out as a DataError that
 * names the file.
 */
export async function readOrRefuse<T>(file: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (isLossledgerError(cause)) throw cause;
    const reason = cause instanceof Error ? cause.message.split('\n')[0]! : String(cause);
    throw damaged(
      file,
      `cannot be read (${reason})`,
      'a whole file, as programs of its kind write it',
      cause,
    );
  }
}
