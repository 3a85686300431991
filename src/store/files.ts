import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isLossledgerError, StoreError } from '../errors.js';
import type { Place } from '../format/context.js';
import type { ByteRange } from '../format/source.js';

/** What to tell about an error of the file system, by its code. */
const explanations: Readonly<Record<string, { expected: string; remedy: string }>> = {
  ENOSPC: { expected: 'free space on the disk', remedy: 'free some space, then resume the run; what is stored stays valid' },
  EDQUOT: { expected: 'room in the disk quota', remedy: 'free some space, then resume the run; what is stored stays valid' },
  EFBIG: { expected: 'files of this size to be allowed', remedy: 'raise the file size limit (ulimit -f), then resume the run; what is stored stays valid' },
  EROFS: { expected: 'a file system that can be written', remedy: 'choose a folder on a writable disk' },
  EACCES: { expected: 'permission to read and write there', remedy: 'change the permissions, or choose another folder' },
  EPERM: { expected: 'permission to read and write there', remedy: 'change the permissions, or choose another folder' },
  EMFILE: { expected: 'fewer open files', remedy: 'raise the limit of open files (ulimit -n), then resume the run' },
  ENOENT: { expected: 'the file or folder to exist', remedy: 'check the path' },
  ENOTDIR: { expected: 'a folder', remedy: 'check the path: a part of it is a file' },
}; // prettier-ignore

const unexplained = {
  expected: 'the file system to do it',
  remedy: 'check disk and path, then resume the run; what is stored stays valid',
};

/** Code of a file system error, such as `ENOENT`. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** A StoreError for a failed file operation; errors of this project pass through. */
export function storeFailure(doing: string, error: unknown): Error {
  if (isLossledgerError(error)) return error;
  const code = codeOf(error);
  if (code === undefined) return error instanceof Error ? error : new Error(String(error));
  const given = `could not ${doing} (${code})`;
  return new StoreError({ given, ...(explanations[code] ?? unexplained) }, { cause: error });
}

/** Runs a file operation. Throws what it throws, the file system's errors as StoreErrors that say what was being done. */
export async function attempt<T>(doing: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw storeFailure(doing, error);
  }
}

/** Writes a file and waits until its bytes are on the disk. Its folder entry is durable after `syncFolder`. */
export async function writeDurable(path: string, bytes: Uint8Array): Promise<void> {
  await attempt(`write ${path}`, async () => {
    const file = await open(path, 'w');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  });
}

/** Writes all bytes at a position of an open file. */
export async function writeAt(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/** Makes the names in a folder durable (created, renamed, removed files). */
export async function syncFolder(path: string): Promise<void> {
  await attempt(`write folder ${path}`, async () => {
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  });
}

/** Replaces a file as a whole: after a crash it holds the old bytes or the new ones. What a crash leaves beside it, the next write takes. */
export async function writeAtomic(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    await writeDurable(temporary, bytes);
    await attempt(`write ${path}`, () => rename(temporary, path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** The file's bytes, or null where there is no such file. Throws StoreError where it cannot be read. */
export async function readIfPresent(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw storeFailure(`read ${path}`, error);
  }
}

/** SHA-256, hex. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A run folder as a place to read from. */
export function folderPlace(folder: string): Place {
  const get = async (path: string, range?: ByteRange): Promise<Uint8Array | undefined> => {
    const file = join(folder, path);
    return (range === undefined ? await readIfPresent(file) : await readRange(file, range)) ?? undefined;
  };
  return { place: folder, source: { get }, digest: sha256 };
}

/** Bytes of a file, or null where there is no such file. */
async function readRange(path: string, { start, end }: ByteRange): Promise<Uint8Array | null> {
  try {
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(end - start), 0, end - start, start);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw storeFailure(`read ${path}`, error);
  }
}

/** Writes a file that follows from the ledger (an analysis, a figure, a page) as a whole, making its folder. */
export async function writeResult(folder: string, name: string, content: string | Uint8Array): Promise<void> {
  const path = join(folder, name);
  await attempt(`make ${dirname(path)}`, () => mkdir(dirname(path), { recursive: true }));
  await writeAtomic(path, typeof content === 'string' ? Buffer.from(content) : content);
}
