import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { DataError } from '../errors.js';
import { damaged } from './damaged.js';

/** Bytes that can be read from any place, so that a large file need not be held in memory. */
export interface ByteSource {
  /** For messages. */
  readonly name: string;
  readonly size: number;
  /** Exactly `length` bytes from `offset` on. Throws DataError where the source ends before. */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

function checkRange(source: { name: string; size: number }, offset: number, length: number): void {
  if (offset >= 0 && length >= 0 && offset + length <= source.size) return;
  throw damaged(
    source.name,
    `${source.size} bytes (truncated)`,
    `at least ${offset + length} bytes, as its header says`,
  );
}

/** Bytes in memory. */
export function memorySource(bytes: Uint8Array, name: string): ByteSource {
  const source = { name, size: bytes.length };
  return {
    ...source,
    read: (offset, length) =>
      new Promise((resolve) => {
        checkRange(source, offset, length);
        resolve(bytes.slice(offset, offset + length));
      }),
    close: () => Promise.resolve(),
  };
}

/** A file on disk. Throws DataError where it is missing, is no plain file, or cannot be opened. */
export async function fileSource(path: string): Promise<ByteSource> {
  const file = await openFile(path);
  try {
    const status = await file.stat();
    if (!status.isFile()) throw unreadable(path, 'not a plain file');
    return sourceOf(file, path, status.size);
  } catch (error) {
    await file.close();
    throw error;
  }
}

function unreadable(path: string, why: string, cause?: unknown): DataError {
  return new DataError(
    { given: `${path}: ${why}`, expected: 'a readable file', remedy: 'check the path' },
    { cause },
  );
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw unreadable(path, code === 'ENOENT' ? 'no such file' : message, cause);
  }
}

function sourceOf(file: FileHandle, name: string, size: number): ByteSource {
  return {
    name,
    size,
    read: async (offset, length) => {
      checkRange({ name, size }, offset, length);
      const buffer = new Uint8Array(length);
      for (let at = 0; at < length;) {
        const { bytesRead } = await file.read(buffer, at, length - at, offset + at);
        if (bytesRead === 0) throw damaged(name, 'became shorter while it was read', `${size} bytes`);
        at += bytesRead;
      }
      return buffer;
    },
    close: () => file.close(),
  };
}
