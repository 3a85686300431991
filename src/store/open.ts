import { access, constants, lstat, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { StoreError, UsageError } from '../errors.js';
import { makeFolder } from '../folders.js';
import { zarrMetadata } from '../format/codec.js';
import {
  contextOf,
  journalName,
  loadContext,
  manifestName,
  type Place,
  type RunContext,
} from '../format/context.js';
import { encodeManifest, formatVersion, type ManifestContent, parseManifest } from '../format/manifest.js';
import { loadState } from '../format/state.js';
import { attempt, codeOf, folderPlace, sha256, storeFailure, syncFolder, writeDurable } from './files.js';
import { RunFolder } from './folder.js';
import { placeOf, refuseRunFile } from './place.js';
import { MirroredRun } from './s3/mirrored-run.js';
import { isRemote } from './s3/remote-run.js';
import { JournalWriter } from './journal-writer.js';
import { RunLock } from './lock.js';
import { draftOf, removeDeadDrafts } from './temporary.js';
import { RunWriter } from './writer.js';

/**
 * Makes a run folder with its manifest and empty arrays, and opens it for writing. The folder appears as a whole or not at all, and locked: nobody
 * resumes it before its maker writes it.
 *
 * @param attachments Further files that the run needs, by path inside the folder; checked like the manifest.
 * @throws StoreError (exit code 2) where the folder exists, or cannot be made; then nothing is touched.
 */
export async function createRunFolder(
  folder: string,
  content: ManifestContent,
  attachments: ReadonlyMap<string, Uint8Array> = new Map(),
): Promise<RunWriter> {
  requireLocal(folder);
  const target = resolve(folder);
  await refuseExisting(target);
  const manifest = parseManifest(
    { format: 'lossledger', formatVersion, ...content },
    join(folder, manifestName),
  );
  await removeDeadDrafts(target, 'new');
  const temporary = draftOf(target, 'new');
  let lock: RunLock | null = null;
  try {
    await attempt(`make ${target}`, () => makeFolder(temporary));
    await writeInitialFiles(contextOf(folderPlace(temporary), manifest), attachments);
    lock = await RunLock.acquire(temporary);
    await moveTo(temporary, target);
    lock.movedTo(folder);
  } catch (error) {
    await lock?.release();
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
  return openLocked(folder, contextOf(folderPlace(folder), manifest), lock);
}

/** Opens a run for reading, from a folder or from s3://BUCKET/PATH, also while it is being written or where it was interrupted. */
export async function openRun(address: string): Promise<RunFolder> {
  const context = await loadContext(placeOf(address));
  return new RunFolder(context, (await loadState(context)).state);
}

/**
 * Opens a run to measure parts of it, from a folder or from s3://BUCKET/PATH.
 *
 * @param scratch Folder for what must be on a disk of a run in an object store.
 * @throws StoreError, UsageError.
 */
export function openToMeasure(address: string, scratch?: string): Promise<RunFolder> {
  return isRemote(address) ? MirroredRun.open(address, scratch) : openRun(address);
}

/**
 * Opens a run for writing where it was left off.
 *
 * @throws StoreError (exit code 2) where another process writes it, naming that process.
 */
export function resumeRun(folder: string): Promise<RunWriter> {
  return resumeIn(folder, folderPlace(folder));
}

/** The same for a folder that lacks some of the run's files: `place` is what its rows are read from. Throws StoreError. */
export async function resumeIn(folder: string, place: Place): Promise<RunWriter> {
  requireLocal(folder);
  const context = await loadContext(place);
  return openLocked(folder, context, await RunLock.acquire(folder));
}

/** Opens a run for writing by a lock that is held, which is let go where that fails. */
async function openLocked(folder: string, context: RunContext, lock: RunLock): Promise<RunWriter> {
  try {
    const { state, last } = await loadState(context);
    const journal = await JournalWriter.open(join(folder, journalName), last);
    return await RunWriter.start(context, state, journal, lock).catch(async (error: unknown) => {
      await journal.close();
      throw error;
    });
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Throws UsageError for a run in an object store, which has no file that could be continued byte by byte. */
function requireLocal(folder: string): void {
  if (!isRemote(folder)) return;
  throw new UsageError({
    given: folder,
    expected: 'a folder of this machine: runs in object stores are read, and measured task by task',
    remedy: 'train into a folder and put the run there with lca pack; then lca plan, lca work and lca merge',
  });
}

async function writeInitialFiles(
  context: RunContext,
  attachments: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  const { place: folder, manifest } = context;
  const files = new Map([
    [manifestName, encodeManifest(manifest)],
    ...(await zarrMetadata(manifest)),
    ...attachments,
  ]);
  const paths = [...files.keys()].map((path) => join(folder, path));
  const folders = new Set(paths.map((path) => dirname(path)));
  for (const path of folders) await attempt(`make ${path}`, () => makeFolder(path));
  await Promise.all([...files].map(([path, bytes]) => writeDurable(join(folder, path), bytes)));
  const journal = await JournalWriter.open(join(folder, journalName), null);
  const checksums = Object.fromEntries([...files].map(([path, bytes]) => [path, sha256(bytes)]));
  await journal.append({ type: 'created', files: checksums });
  await journal.close();
  await Promise.all([...folders].map((path) => syncFolder(path)));
}

/** Throws StoreError where there is something at `folder` already, UsageError where it lies among what a run holds. */
export async function refuseExisting(folder: string): Promise<void> {
  refuseRunFile(folder);
  try {
    await lstat(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return requireWritable(dirname(resolve(folder)));
    throw storeFailure(`look at ${folder}`, error);
  }
  throw exists(folder);
}

/**
 * Looks at where results are to be written, before they are computed; the folder may still have to be made. Throws UsageError where it is
 * none, or a run's own, and StoreError where nothing can be written.
 */
export async function requireResultFolder(folder: string | undefined): Promise<void> {
  if (folder === undefined) return;
  refuseRunFile(folder);
  const status = await stat(folder).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return null;
    throw storeFailure(`look at ${folder}`, error);
  });
  if (status === null || status.isDirectory()) return requireWritable(resolve(folder));
  throw new UsageError({
    given: `${folder}, which is a file`,
    expected: 'a folder for the results, or a path where one can be made',
    remedy: 'choose another folder',
  });
}

/** Throws StoreError where nothing can be made below a folder, which may itself still have to be made. */
async function requireWritable(folder: string): Promise<void> {
  const status = await lstat(folder).catch(() => null);
  if (status === null && dirname(folder) !== folder) return requireWritable(dirname(folder));
  await attempt(`write below ${folder}`, () => access(folder, constants.W_OK | constants.X_OK));
}

async function moveTo(temporary: string, target: string): Promise<void> {
  try {
    await rename(temporary, target);
  } catch (error) {
    if (['EEXIST', 'ENOTEMPTY', 'ENOTDIR'].includes(codeOf(error) ?? '')) throw exists(target);
    throw storeFailure(`make ${target}`, error);
  }
  await syncFolder(dirname(target));
}

function exists(folder: string): StoreError {
  return new StoreError({
    given: `${folder} exists`,
    expected: 'a folder that does not exist yet',
    remedy: 'choose another --out, go on with lca resume, or delete the folder',
  });
}
