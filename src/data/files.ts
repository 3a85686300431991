import { createHash } from 'node:crypto';
import { open, readFile, stat } from 'node:fs/promises';
import { DataError } from '../errors.js';
import type { SourceFile } from './types.js';

/** SHA-256 of some bytes or text, hex. */
export function sha256(...parts: readonly (Uint8Array | string)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

/** Throws DataError for a path that cannot be read. */
async function readable<T>(path: string, remedy: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const given = `${path}: ${code === 'ENOENT' ? 'no such file' : message}`;
    throw new DataError({ given, expected: 'a readable file', remedy }, { cause });
  }
}

/** Reads a whole file; throws DataError with `remedy` where it is missing, no plain file (a device has no end), or cannot be read. */
export async function readBytes(path: string, remedy: string): Promise<Uint8Array> {
  return readable(path, remedy, async () => {
    if ((await stat(path)).isFile()) return readFile(path);
    throw new Error('not a plain file');
  });
}

/** The first bytes of a file, at most `count`; throws as `readBytes` does. */
export async function readStart(path: string, count: number, remedy: string): Promise<Uint8Array> {
  return readable(path, remedy, async () => {
    if (!(await stat(path)).isFile()) throw new Error('not a plain file');
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(new Uint8Array(count), 0, count, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  });
}

/** What a published file must be. */
export interface PublishedFile extends SourceFile {
  readonly bytes: number;
}

/** Reads a published file and checks its length and SHA-256; throws DataError where it is missing or differs. */
export async function readPublished(path: string, file: PublishedFile, remedy: string): Promise<Uint8Array> {
  const { size } = await readable(path, remedy, () => stat(path));
  if (size !== file.bytes) {
    throw new DataError({
      given: `${path}: ${size} bytes (${size < file.bytes ? 'truncated' : 'too long'})`,
      expected: `${file.bytes} bytes, as published`,
      remedy,
    });
  }
  const bytes = await readBytes(path, remedy);
  requirePublished(bytes, file, path, remedy);
  return bytes;
}

/** Throws DataError where bytes are not those of the published file. */
export function requirePublished(bytes: Uint8Array, file: PublishedFile, path: string, remedy: string): void {
  const found = sha256(bytes);
  if (found === file.sha256) return;
  throw new DataError({
    given: `${path}: SHA-256 ${found}`,
    expected: `SHA-256 ${file.sha256}, as published`,
    remedy,
  });
}
