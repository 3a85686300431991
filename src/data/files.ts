import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { DataError } from '../errors.js';
import type { SourceFile } from './types.js';

/** SHA-256 of some bytes or text, hex. */
export function sha256(...parts: readonly (Uint8Array | string)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

/** Reads a whole file; throws DataError with `remedy` where it is missing or cannot be read. */
export async function readBytes(path: string, remedy: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new DataError(
      {
        given: `${path}: ${code === 'ENOENT' ? 'no such file' : String(cause)}`,
        expected: 'a readable file',
        remedy,
      },
      { cause },
    );
  }
}

/** What a published file must be. */
export interface PublishedFile extends SourceFile {
  readonly bytes: number;
}

/** Reads a published file and checks its length and SHA-256; throws DataError where it is missing or differs. */
export async function readPublished(path: string, file: PublishedFile, remedy: string): Promise<Uint8Array> {
  const bytes = await readBytes(path, remedy);
  if (bytes.length !== file.bytes) {
    const relation = bytes.length < file.bytes ? 'truncated' : 'too long';
    throw new DataError({
      given: `${path}: ${bytes.length} bytes (${relation})`,
      expected: `${file.bytes} bytes, as published`,
      remedy,
    });
  }
  const found = sha256(bytes);
  if (found !== file.sha256) {
    throw new DataError({
      given: `${path}: SHA-256 ${found}`,
      expected: `SHA-256 ${file.sha256}, as published`,
      remedy,
    });
  }
  return bytes;
}
