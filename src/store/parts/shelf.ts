import type { RunWriter } from '../writer.js';
import { resumeRun } from '../open.js';
import { partFolder, publishedTasks, removeTask, setAside } from './places.js';

/** The parts of a run that is merged. */
export interface Shelf {
  /** Numbers of the tasks that have a whole part. Throws StoreError. */
  published(): Promise<ReadonlySet<number>>;
  /** Folder with the whole part of a task. Throws StoreError. */
  fetch(task: number): Promise<string>;
  /** Lets go of a part that is in the run. Throws StoreError. */
  merged(task: number): Promise<void>;
  /** Takes a part out of the way, so that its task is done again; returns where it is now. Throws StoreError. */
  refuse(task: number): Promise<string>;
}

/** A run that parts are merged into. */
export interface Merge {
  readonly run: RunWriter;
  readonly shelf: Shelf;
  /** A text in which places are named, as the user knows them. */
  readonly named: (text: string) => string;
  /** Makes what was merged durable where the run is. Throws StoreError. */
  save(): Promise<void>;
  /** Ends merging; what was not saved may be lost. */
  close(): Promise<void>;
}

/** Opens a run in a folder to merge parts into it. Throws StoreError where another process writes it. */
export async function mergeInFolder(folder: string): Promise<Merge> {
  const run = await resumeRun(folder);
  return {
    run,
    shelf: {
      published: () => publishedTasks(folder),
      fetch: (task) => Promise.resolve(partFolder(folder, task)),
      merged: (task) => removeTask(folder, task),
      refuse: (task) => setAside(folder, task),
    },
    named: (text) => text,
    save: () => run.flush(),
    close: () => run.close(),
  };
}
