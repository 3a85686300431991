import { hash } from 'node:crypto';
import {
  closeSync, constants, fdatasync, fstatSync, fsync, mkdirSync, openSync, readFileSync, rmSync, writeSync,
} from 'node:fs'; // prettier-ignore
import { type FileHandle, link, lstat, open, readdir, realpath, rename, rm } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { promisify } from 'node:util';
import { isLossledgerError, StoreError } from '../errors.js';
import { makeFolder } from '../folders.js';
import type { ByteRange } from '../format/source.js';
import type { ListedPlace } from '../format/verify/unclaimed.js';
import { Turns } from '../num/turns.js';
import { draftOf, removeDeadDrafts } from './temporary.js';

/** What to tell about an error of the file system, by its code. */
const explanations: Readonly<Record<string, { expected: string; remedy: string }>> = {
  ENOSPC: { expected: 'free space on the disk', remedy: 'free some space, then resume the run; what is stored stays valid' },
  EDQUOT: { expected: 'room in the disk quota', remedy: 'free some space, then resume the run; what is stored stays valid' },
  EFBIG: { expected: 'files of this size to be allowed', remedy: 'raise the file size limit (ulimit -f), then resume the run; what is stored stays valid' },
  EROFS: { expected: 'a file system that can be written', remedy: 'choose a place on a writable disk (--out), or make it writable again, then resume the run' },
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

/** Waits until what was written to an open file or folder is on the disk. */
export const syncToDisk = promisify(fsync);
/** The same of a file’s bytes, and of what it takes to find them. */
export const syncBytes = promisify(fdatasync);

/** At most so many files are written at once: a run of many arrays has a thousand, and a process may open fewer. The disk has but four threads. */
const turns = new Turns(16);

/** Opens a file that is not there yet for writing. One that a crash left is replaced; a link is removed, not followed. */
function openNew(path: string): number {
  try {
    return openSync(path, 'wx');
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
  rmSync(path);
  return openSync(path, 'wx');
}

/**
 * Writes a new file and waits until its bytes are on the disk. Its folder entry is durable after `syncFolder`. Only that wait is left to
 * other threads: the rest goes to the system's memory, in less time than waking a thread takes.
 */
export async function writeDurable(path: string, bytes: Uint8Array): Promise<void> {
  await withOpen(path, 'new', async (file) => {
    writeAt(file, bytes, 0);
    await syncToDisk(file);
  });
}

/** What says that a file system has no links, or none to there. */
const unlinkable: readonly string[] = ['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS'];

/** Gives a file that nobody changes any more a second name, or where that cannot be copies it. What is in its place is replaced. Throws StoreError. */
export async function linkOrCopy(from: string, to: string): Promise<void> {
  await attempt(`write ${to}`, async () => {
    try {
      await link(from, to).catch(async (error: unknown) => {
        if (codeOf(error) !== 'EEXIST') throw error;
        await rm(to);
        await link(from, to);
      });
    } catch (error) {
      if (!unlinkable.includes(codeOf(error) ?? '')) throw error;
      await writeDurable(to, (await readIfPresent(from)) ?? new Uint8Array(0));
    }
  });
}

/** Moves a folder on one file system, in place of what is there; does nothing where it is not there any more. A link is refused. Throws StoreError. */
export async function moveFolder(from: string, to: string): Promise<void> {
  await attempt(`write ${to}`, async () => {
    const status = await lstat(from).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return null;
      throw error;
    });
    if (status === null) return;
    if (!status.isDirectory()) throw linkInside(from);
    await rename(from, to).catch(async (error: unknown) => {
      if (!['EEXIST', 'ENOTEMPTY', 'EPERM'].includes(codeOf(error) ?? '')) throw error;
      await rm(to, { recursive: true });
      await rename(from, to);
    });
  });
}

/** Writes all bytes at a position of an open file: to the system's memory, see `writeDurable`. */
export function writeAt(file: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length;)
    done += writeSync(file, bytes, done, bytes.length - done, position + done);
}

/** Opens a file or folder, by flags or as a new file, which is closed when the work on it is done. Throws StoreError, and what the work throws. */
export async function withOpen(
  path: string,
  how: number | 'new',
  work: (file: number) => Promise<void>,
): Promise<void> {
  const whileOpen = async (): Promise<void> => {
    const file = how === 'new' ? openNew(path) : openSync(path, how);
    await work(file).finally(() => { closeSync(file); }); // prettier-ignore
  };
  await attempt(`write ${path}`, () => turns.take(whileOpen));
}

/** Makes the names in a folder durable (created, renamed, removed files). */
export async function syncFolder(path: string): Promise<void> {
  await withOpen(path, constants.O_RDONLY, syncToDisk);
}

/**
 * Replaces a file as a whole: after a crash it holds the old bytes or the new ones. What a crash leaves beside it, the next write takes
 * away. A link in its place is replaced, not followed; a device or a pipe is refused.
 */
export async function writeAtomic(path: string, bytes: Uint8Array): Promise<void> {
  await requireReplaceable(path);
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

/** Throws StoreError where a path is a device, a pipe or a socket: a file in its place would take it from the system. */
async function requireReplaceable(path: string): Promise<void> {
  const status = await lstat(path).catch(() => null);
  if (status === null || status.isFile() || status.isSymbolicLink() || status.isDirectory()) return;
  throw new StoreError({
    given: `${path}, which is no plain file`,
    expected: 'the path of a file, new or to be replaced',
    remedy: 'choose another path (--out)',
  });
}

/**
 * Reads from a plain file, whose bytes are counted; null where there is none. A device or a pipe, which might never end, is refused.
 * Throws StoreError where it cannot be read.
 */
async function readPlain<T>(
  path: string,
  read: (file: FileHandle, size: number) => Promise<T>,
): Promise<T | null> {
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return null;
    throw storeFailure(`read ${path}`, error);
  });
  if (file === null) return null;
  const work = async (): Promise<T> => {
    const status = await file.stat();
    if (status.isFile()) return read(file, status.size);
    throw notPlain(path);
  };
  return attempt(`read ${path}`, work).finally(() => file.close());
}

/** The bytes of a small plain file, as `readIfPresent` gives them, at once: it takes less time than waking a thread. Throws StoreError. */
export function readNow(path: string): Buffer | null {
  let file: number | null = null;
  try {
    file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    if (!fstatSync(file).isFile()) throw notPlain(path);
    return readFileSync(file);
  } catch (error) {
    if (file === null && codeOf(error) === 'ENOENT') return null;
    throw storeFailure(`read ${path}`, error);
  } finally {
    if (file !== null) closeSync(file);
  }
}

function notPlain(path: string): StoreError {
  return new StoreError({
    given: `${path}, which is a folder, a device or a pipe`,
    expected: 'a plain file',
    remedy: 'restore the file from a copy, or move what is in its place away',
  });
}

/** Files of at most so many bytes are read at once. */
const atOnce = 2 ** 30;

/** The bytes of a plain file, or null where there is no such file. Throws StoreError where it cannot be read. */
export function readIfPresent(path: string): Promise<Buffer | null> {
  return readPlain(path, async (file, size) => {
    if (size > atOnce) return file.readFile();
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafeSlow(size), 0, size, 0);
    return bytesRead === size ? buffer : file.readFile();
  });
}

/** SHA-256, hex. */
export function sha256(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex');
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
    await makeFolder(folder);
    return [await realpath(folder), await realpath(root)] as const;
  });
  if (real !== join(top, path)) throw linkInside(folder, real);
}

function linkInside(folder: string, real = 'another place'): StoreError {
  return new StoreError({
    given: `${folder}, where a link leads to ${real}`,
    expected: 'folders of the run’s own, without links',
    remedy: 'replace the link by the folder; nothing was written through it',
  });
}

/** Makes a folder in one that is there; false where something of that name is there already. Throws StoreError. */
export function makeNew(folder: string): boolean {
  try {
    mkdirSync(folder);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw storeFailure(`make ${folder}`, error);
  }
}
