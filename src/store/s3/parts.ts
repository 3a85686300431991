import { decodeIndex, type PackedFile } from './packs.js';
import { forEach, type RemoteRun } from './remote-run.js';

/*
 * In an object store, parts/TASK/part-N is the index of the part of a task, once it is whole: made by one conditional PUT, never changed. Where
 * merging refuses it, parts/TASK/refused-N is made the same way, and the next worker publishes part-N+1: nothing is renamed or removed before the task is
 * merged. parts/TASK/DRAFT.index is how far a worker is, and parts/TASK/DRAFT/0, 1, … its packs.
 */

/** What is there of a task. */
interface TaskNames {
  readonly parts: number;
  readonly refused: number;
  readonly drafts: readonly string[];
}

/** Path inside the run of everything of a task. */
export function taskPath(task: number): string {
  return `parts/${task}/`;
}

/** Path of the index of a worker's draft. */
export function draftIndexPath(task: number, draft: string): string {
  return `${taskPath(task)}${draft}.index`;
}

/** Path of the next pack of a worker's draft. */
export function packPath(task: number, draft: string, number: number): string {
  return `${taskPath(task)}${draft}/${number}`;
}

function namesOf(paths: readonly string[]): TaskNames {
  const names = paths.map((path) => path.split('/')[2]!);
  const countOf = (kind: string) => names.filter((name) => new RegExp(`^${kind}-\\d+$`).test(name)).length;
  return {
    parts: countOf('part'),
    refused: countOf('refused'),
    drafts: names.filter((name) => name.endsWith('.index')),
  };
}

async function namesOfTask(run: RemoteRun, task: number): Promise<TaskNames> {
  return namesOf(await run.list(taskPath(task)));
}

/** Numbers of the tasks that have a whole part which was not refused, and of those of which there is anything. Throws StoreError. */
export async function tasksThere(run: RemoteRun): Promise<{ published: Set<number>; present: Set<number> }> {
  const byTask = new Map<number, string[]>();
  for (const path of await run.list('parts/')) {
    const task = Number(path.split('/')[1]);
    const paths = byTask.get(task) ?? [];
    byTask.set(task, paths);
    paths.push(path);
  }
  const whole = [...byTask].filter(([, paths]) => {
    const { parts, refused } = namesOf(paths);
    return parts > refused;
  });
  return { published: new Set(whole.map(([task]) => task)), present: new Set(byTask.keys()) };
}

/** Whether a task has a whole part which was not refused. Throws StoreError. */
export async function isPublishedRemotely(run: RemoteRun, task: number): Promise<boolean> {
  const { parts, refused } = await namesOfTask(run, task);
  return parts > refused;
}

/** Makes an index the part of its task, by one conditional PUT. False where another worker has published it. Throws StoreError. */
export async function publishIndex(run: RemoteRun, task: number, index: Uint8Array): Promise<boolean> {
  const { refused } = await namesOfTask(run, task);
  return (await run.put(`${taskPath(task)}part-${refused}`, index, 'absent')) !== null;
}

/** The files of the whole part of a task; null where it has none. Throws StoreError. */
export async function publishedFiles(
  run: RemoteRun,
  task: number,
): Promise<{ path: string; bytes: Uint8Array } | null> {
  const { refused } = await namesOfTask(run, task);
  const path = `${taskPath(task)}part-${refused}`;
  const bytes = await run.get(path);
  return bytes === undefined ? null : { path, bytes };
}

/** Refuses the part of a task, so that it is done again; returns where it says so. Throws StoreError. */
export async function refusePart(run: RemoteRun, task: number): Promise<string> {
  const { refused } = await namesOfTask(run, task);
  const path = `${taskPath(task)}refused-${refused}`;
  await run.put(path, new Uint8Array(0), 'absent');
  return `${run.address}/${path}`;
}

/** Files of the drafts of a task, of workers that ended and of others that may be at work; none that are in a part which was refused. Throws StoreError. */
export async function remoteDrafts(run: RemoteRun, task: number): Promise<Map<string, PackedFile>[]> {
  const { refused, drafts } = await namesOfTask(run, task);
  const bad = new Set<string>();
  for (let number = 0; number < refused; number++)
    for (const { pack } of (await readFiles(run, `${taskPath(task)}part-${number}`)).values())
      bad.add(draftOfPack(pack));
  const found: Map<string, PackedFile>[] = [];
  await forEach(drafts, async (name) => {
    const files = await readFiles(run, taskPath(task) + name);
    const isSound = Array.from(files.values(), ({ pack }) => draftOfPack(pack)).every((own) => !bad.has(own));
    if (files.size > 0 && isSound) found.push(files);
  });
  return found;
}

function draftOfPack(pack: string): string {
  return pack.split('/')[2]!;
}

/** None where there is no such index, or a damaged one. */
async function readFiles(run: RemoteRun, path: string): Promise<Map<string, PackedFile>> {
  const bytes = await run.get(path);
  if (bytes === undefined) return new Map();
  try {
    return decodeIndex(bytes, path);
  } catch {
    return new Map();
  }
}

/** Removes everything of a task that is merged, the whole part last. Throws StoreError. */
export async function removeTaskRemotely(run: RemoteRun, task: number): Promise<void> {
  const paths = await run.list(taskPath(task));
  const isCommit = (path: string) => /\/part-\d+$/.test(path);
  await run.remove(paths.filter((path) => !isCommit(path)));
  await run.remove(paths.filter(isCommit));
}
