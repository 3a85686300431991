import { channel } from 'node:diagnostics_channel';

/** Name of the channel (`node:diagnostics_channel`) on which programs are told that begin to be compiled in this thread: `Compilation`. */
export const compilations = 'lossledger:compilations';

/** A compiler at work. */
export interface Compilation {
  /** Settled when it has ended, whether it failed or not. */
  readonly done: Promise<unknown>;
}

/** Waits for a compilation, of which those who listen are told. */
export function told<T>(done: Promise<T>): Promise<T> {
  channel(compilations).publish({ done } satisfies Compilation);
  return done;
}
