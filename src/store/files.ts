import { createHash } from 'node:crypto';
import {
  constants,
  type FileHandle,
  mkdir,
  open,
  readdir,
  realpath,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { isLossledgerError, StoreError } from '../errors.js';
import type { ByteRange } from '../format/source.js';
import type { ListedPlace } from '../format/verify/unclaimed.js';
import { draftOf, removeDeadDrafts } from './temporary.js';

/** What to tell about an error of the file system, by its code. */
const explanations: Readonly<Record<string, { expected: string; remedy: string }>> = {
  ENOSPC: { expected: 'free space on the disk', remedy: 'free some space, then resume the run; what is stored stays valid' },
  EDQUOT: { expected: 'room in the disk quota', remedy: 'free some space, then resume the run; what is stored stays valid' },
  EFBIG: { expected: 'files of this size to be allowed', remedy: 'raise the file size limit (ulimit -f), then resume the run; what is stored stays valid' },
  EROFS: { expected: 'a file system that can be written', remedy: 'choose a place on a writable disk (--out)' },
  EACCES: { expected: 'permission to read and write there', remedy: 'change the permissions, or choose another place (--out)' },
  EPERM: { expected: 'permission to read and write there', remedy: 'change the permissions, or choose another place (--out)' },
  EMFILE: { expected: 'fewer open files', remedy: 'raise the limit of open files (ulimit -n), then resume the run' },
  ENOENT: { expected: 'the file or folder to exist', remedy: 'check the path' },
  ENAMETOOLONG: { expected: 'a shorter name', remedy: 'choose a name of at most 255 bytes, in a path that is not too long' },
  EISDIR: { expected: 'a file', remedy: 'move the folder that is in its place away' },
  ERR_FS_EISDIR: { expected: 'a file', remedy: 'move the folder that is in its place away' },
  ELOOP: { expected: 'a file of its own, no link to another one', remedy: 'replace the link by the file' },
  EIO: { expected: 'a disk that works', remedy: 'check the disk, then resume the run; what is stored stays valid' },
  ENOTDIR: { expected: 'a folder', remedy: 'check the path: a part of it is a file' },
}; // prettier-ignore

const unexplained = {
  expected: 'the file system to do it',
  remedy: 'check disk and path, then resume the run; what is stored stays valid',
};

/** What fails though it was asked for rightly. */
const failures: readonly string[] = ['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO', 'EMFILE', 'ENFILE'];

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
  const exitCode = failures.includes(code) ? 1 : 2;
  return new StoreError({ given, ...(explanations[code] ?? unexplained) }, { cause: error, exitCode });
}

/** Runs a file operation. Throws what it throws, the file system's errors as StoreErrors that say what was being done. */
export async function attempt<T>(doing: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw storeFailure(doing, error);
  }
}

/** Opens a file that is not there yet for writing. One that a crash left is replaced; a link is removed, not followed. */
async function openNew(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx');
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
  await rm(path);
  return open(path, 'wx');
}

/** Writes a new file and waits until its bytes are on the disk. Its folder entry is durable after `syncFolder`. */
export async function writeDurable(path: string, bytes: Uint8Array): Promise<void> {
  await attempt(`write ${path}`, async () => {
    const file = await openNew(path);
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

/**
 * Replaces a file as a whole: after a crash it holds the old bytes or the new ones. What a crash leaves beside it, the next write takes
 * away. A link in its place is replaced, not followed.
 */
export async function writeAtomic(path: string, bytes: Uint8Array): Promise<void> {
  await removeDeadDrafts(path, 'tmp');
  const temporary = draftOf(path, 'tmp');
  try {
    await writeDurable(temporary, bytes);
    await attempt(`write ${path}`, () => rename(temporary, path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Whether there is a folder at a path, or a link to one. */
export async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}

/** Opens a plain file for reading; null where there is none. A device or a pipe, which might never end, is refused: throws StoreError. */
async function openPlain(path: string): Promise<FileHandle | null> {
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return null;
    throw storeFailure(`read ${path}`, error);
  });
  if (file === null || (await file.stat()).isFile()) return file;
  await file.close();
  throw new StoreError({
    given: `${path}, which is a folder, a device or a pipe`,
    expected: 'a plain file',
    remedy: 'restore the file from a copy, or move what is in its place away',
  });
}

/** Reads from a plain file; null where there is none. Throws StoreError where it cannot be read. */
async function readPlain<T>(path: string, read: (file: FileHandle) => Promise<T>): Promise<T | null> {
  const file = await openPlain(path);
  if (file === null) return null;
  return attempt(`read ${path}`, () => read(file)).finally(() => file.close());
}

/** The bytes of a plain file, or null where there is no such file. Throws StoreError where it cannot be read. */
export function readIfPresent(path: string): Promise<Buffer | null> {
  return readPlain(path, (file) => file.readFile());
}

/** SHA-256, hex. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A run folder as a place to read from, whose files can be listed. */
export function folderPlace(folder: string): ListedPlace {
  const get = async (path: string, range?: ByteRange): Promise<Uint8Array | undefined> => {
    const file = join(folder, path);
    return (range === undefined ? await readIfPresent(file) : await readRange(file, range)) ?? undefined;
  };
  const list = async (): Promise<string[]> => {
    const entries = await attempt(`list ${folder}`, () => readdir(folder, { recursive: true }));
    return sep === '/' ? entries : entries.map((path) => path.replaceAll(sep, '/'));
  };
  return { place: folder, source: { get }, digest: sha256, list };
}

/** Bytes of a file, or null where there is no such file. */
function readRange(path: string, { start, end }: ByteRange): Promise<Uint8Array | null> {
  return readPlain(path, async (file) => {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(end - start), 0, end - start, start);
    return buffer.subarray(0, bytesRead);
  });
}

/**
 * Makes a folder inside a run folder. Throws StoreError where a link on the way leads out of it: a run that somebody else made must not
 * say where its files are written.
 */
export async function makeInside(root: string, path: string): Promise<void> {
  const folder = join(root, path);
  const [real, top] = await attempt(`make ${folder}`, async () => {
    await mkdir(folder, { recursive: true });
    return [await realpath(folder), await realpath(root)] as const;
  });
  if (real === join(top, path)) return;
  throw new StoreError({
    given: `${folder}, where a link leads to ${real}`,
    expected: 'folders of the run’s own, without links',
    remedy: 'replace the link by the folder; nothing was written through it',
  });
}

/** Makes a folder in one that is there; false where something of that name is there already. Throws StoreError. */
export async function makeNew(folder: string): Promise<boolean> {
  return attempt(`make ${folder}`, async () => {
    try {
      await mkdir(folder);
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      throw error;
    }
  });
}

/** Writes a file that follows from the ledger (an analysis, a figure, a page) as a whole, making its folder. */
export async function writeResult(folder: string, name: string, content: string | Uint8Array): Promise<void> {
  await makeInside(folder, dirname(name));
  await writeAtomic(join(folder, name), typeof content === 'string' ? Buffer.from(content) : content);
}
