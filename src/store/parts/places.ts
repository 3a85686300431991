import { link, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RunContext } from '../../format/context.js';
import { attempt, codeOf, folderPlace, makeInside, syncFolder, writeDurable } from '../files.js';
import { isPublishedRemotely, tasksThere } from '../s3/parts.js';
import { isRemote, RemoteRun } from '../s3/remote-run.js';
import { deadDrafts, draftOf } from '../temporary.js';

/*
 * RUN/parts/TASK/part is the part of a task, once it is whole; beside it are drafts, each of one worker, and parts that merging refused. Everything
 * of a task is in that folder, and goes with it when the part is merged.
 */

/** Folder of everything of a task. */
function taskFolder(run: string, task: number): string {
  return join(run, 'parts', String(task));
}

/** Folder of the part of a task, which appears when it is whole. */
export function partFolder(run: string, task: number): string {
  return join(taskFolder(run, task), 'part');
}

/** A folder for a part that this process begins. */
export function newDraft(run: string, task: number): string {
  return draftOf(partFolder(run, task), 'part');
}

/** The context of a run, read from a folder of one of its parts. */
export function contextAt(context: RunContext, folder: string): RunContext {
  const { place, source, digest } = folderPlace(folder);
  return { ...context, place, source, files: source, digest: digest!, chunkDigest: digest! };
}

/** Numbers of the tasks that have a whole part, of a run in a folder or in an object store. Throws StoreError. */
export async function publishedTasks(run: string): Promise<Set<number>> {
  if (isRemote(run)) return (await tasksThere(RemoteRun.at(run))).published;
  const tasks = (await namesIn(join(run, 'parts'))).filter((name) => /^\d+$/.test(name)).map(Number);
  const published = await Promise.all(
    tasks.map(async (task) => (await namesIn(taskFolder(run, task))).includes('part')),
  );
  return new Set(tasks.filter((_, index) => published[index]));
}

/** Whether a task has a whole part, of a run in a folder or in an object store. Throws StoreError. */
export async function isPublished(run: string, task: number): Promise<boolean> {
  if (isRemote(run)) return isPublishedRemotely(RemoteRun.at(run), task);
  return (await namesIn(taskFolder(run, task))).includes('part');
}

/** Folders of all drafts of a task: of workers that were stopped, and of others that may be at work now. Throws StoreError. */
export async function draftsOf(run: string, task: number): Promise<string[]> {
  const names = await namesIn(taskFolder(run, task));
  return names.filter((name) => name.endsWith('.part')).map((name) => join(taskFolder(run, task), name));
}

/** Removes the drafts of a task whose processes ended, as far as that can be told here. */
export async function removeDead(run: string, task: number): Promise<void> {
  for (const draft of await deadDrafts(partFolder(run, task), 'part'))
    await rm(draft, { recursive: true, force: true });
}

/** Takes a part out of the way that cannot be merged, so that its task is done again; returns where it is now. Throws StoreError. */
export async function setAside(run: string, task: number): Promise<string> {
  const part = partFolder(run, task);
  const names = await namesIn(dirname(part));
  let number = 1;
  while (names.includes(`refused-${number}`)) number++;
  const aside = join(dirname(part), `refused-${number}`);
  await attempt(`move ${part}`, () => rename(part, aside));
  await syncFolder(dirname(part));
  return aside;
}

/** Removes everything of a task that is merged, but what a worker that does not know it yet writes at this moment. Throws StoreError. */
export async function removeTask(run: string, task: number): Promise<void> {
  const folder = taskFolder(run, task);
  await attempt(`remove ${folder}`, async () => {
    try {
      await rm(folder, { recursive: true, force: true });
    } catch (error) {
      if (codeOf(error) !== 'ENOTEMPTY') throw error;
    }
  });
}

/** Removes the plan and all parts. */
export async function removePlan(run: string): Promise<void> {
  if (isRemote(run)) {
    const remote = RemoteRun.at(run);
    // Without its plan no worker takes a part for one of the next.
    for (const path of ['plan/', 'parts/']) await remote.remove(await remote.list(path));
    return;
  }
  for (const name of ['plan', 'parts']) await rm(join(run, name), { recursive: true, force: true });
}

/** Makes a file of a run as a whole; false where there is one of that name already. Throws StoreError. */
export async function createFile(run: string, path: string, bytes: Uint8Array): Promise<boolean> {
  if (isRemote(run)) return (await RemoteRun.at(run).put(path, bytes, 'absent')) !== null;
  await makeInside(run, dirname(path));
  const target = join(run, path);
  const draft = draftOf(target, 'tmp');
  await writeDurable(draft, bytes);
  try {
    await link(draft, target);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
  await syncFolder(dirname(target));
  return true;
}

async function namesIn(folder: string): Promise<string[]> {
  return attempt(`list ${folder}`, async () => {
    try {
      return await readdir(folder);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    }
  });
}
