import type { RunContext } from '../../format/context.js';

/** Where the draft of a part goes beside the disk: an object store, from which other machines go on and in which it is published. */
export interface PartCopy {
  /**
   * Takes files of the draft in: those that are new and stay as they are, with their bytes, and those that are written again and again. They may wait for
   * others before they are sent.
   */
  record(stored: ReadonlyMap<string, number>, changed: readonly string[]): Promise<void>;
  /** Takes files over that another worker sent already; false where they come from elsewhere and must be sent. */
  refer(from: RunContext, paths: readonly string[]): boolean;
  /** Sends what waits. */
  flush(): Promise<void>;
  /** Sends what waits and makes all of it the part of its task; false where another worker has. */
  publish(): Promise<boolean>;
}

/** Where parts of a run are beside its folder here. */
export interface PartsElsewhere {
  /** Begins the copy of a draft, which lies in a folder. Throws StoreError where it cannot be written. */
  copyOf(task: number, draft: string): Promise<PartCopy>;
  /** What to read the drafts of a task from that other machines left. Throws StoreError. */
  draftsOf(task: number): Promise<RunContext[]>;
}
