import { createHash } from 'node:crypto';
import { createReadStream, readSync } from 'node:fs';
import { open, readFile, stat, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { DataError } from '../errors.js';
import { damaged, requireInside, type ByteSource } from '../formats/source.js';
import type { SourceFile } from './types.js';

/** SHA-256 of some bytes or text, hex. */
export function sha256(...parts: readonly (Uint8Array | string)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

/** A file with its SHA-256, read piece by piece. */
export async function sourceFile(path: string): Promise<SourceFile> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return { name: basename(path), sha256: hash.digest('hex') };
}

/** A file on disk as bytes that can be read from any place. Throws DataError where it is missing, no plain file, or cannot be opened. */
export async function fileSource(path: string): Promise<ByteSource> {
  const file = await readable(path, 'check the path', () => open(path));
  try {
    const status = await file.stat();
    if (!status.isFile()) await readable(path, 'check the path', () => Promise.reject(notPlain()));
    return sourceOf(file, path, status.size);
  } catch (error) {
    await file.close();
    throw error;
  }
}

const notPlain = (): Error => new Error('not a plain file');

function sourceOf(file: FileHandle, name: string, size: number): ByteSource {
  const shorter = () => damaged(name, 'became shorter while it was read', `${size} bytes`);
  return {
    name,
    size,
    read: async (offset, length) => {
      requireInside({ name, size }, offset, length);
      const buffer = new Uint8Array(length);
      for (let at = 0; at < length;) {
        const { bytesRead } = await file.read(buffer, at, length - at, offset + at);
        if (bytesRead === 0) throw shorter();
        at += bytesRead;
      }
      return buffer;
    },
    readNow: (offset, length) => {
      requireInside({ name, size }, offset, length);
      const buffer = new Uint8Array(length);
      for (let at = 0; at < length;) {
        const count = readSync(file.fd, buffer, at, length - at, offset + at);
        if (count === 0) throw shorter();
        at += count;
      }
      return buffer;
    },
    close: () => file.close(),
  };
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
    throw notPlain();
  });
}

/** As `readBytes`, into memory that threads share. */
export async function readShared(path: string, remedy: string): Promise<Uint8Array> {
  return readable(path, remedy, async () => {
    if (!(await stat(path)).isFile()) throw notPlain();
    const file = await open(path);
    try {
      const bytes = new Uint8Array(new SharedArrayBuffer((await file.stat()).size));
      for (let at = 0; at < bytes.length;) {
        const { bytesRead } = await file.read(bytes, at, bytes.length - at, at);
        if (bytesRead === 0) throw new Error('it became shorter while it was read');
        at += bytesRead;
      }
      return bytes;
    } finally {
      await file.close();
    }
  });
}

/** The first bytes of a file, at most `count`; throws as `readBytes` does. */
export async function readStart(path: string, count: number, remedy: string): Promise<Uint8Array> {
  return readable(path, remedy, async () => {
    if (!(await stat(path)).isFile()) throw notPlain();
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

/** Reads a published file, by `read`, and checks its length and SHA-256; throws DataError where it is missing or differs. */
export async function readPublished(
  path: string,
  file: PublishedFile,
  remedy: string,
  read = readBytes,
): Promise<Uint8Array> {
  const { size } = await readable(path, remedy, () => stat(path));
  if (size !== file.bytes) {
    throw new DataError({
      given: `${path}: ${size} bytes (${size < file.bytes ? 'truncated' : 'too long'})`,
      expected: `${file.bytes} bytes, as published`,
      remedy,
    });
  }
  const bytes = await read(path, remedy);
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
