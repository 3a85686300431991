import { Worker } from 'node:worker_threads';
import { end, release } from './messages.js';
import { fewestSlots } from './slots.js';

/** Threads run the bundled program, also where the caller runs from TypeScript (tests do, after a build). */
const workerUrl = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/bin/worker.js' : '../bin/worker.js',
  import.meta.url,
);

/** What is used of a worker thread. */
export interface Thread {
  /** −1 where it has ended. */
  readonly threadId: number;
  postMessage(message: unknown): void;
  on(event: 'message', listener: (message: unknown) => void): this;
  on(event: 'error', listener: (error: Error) => void): this;
  on(event: 'exit', listener: (code: number) => void): this;
  once(event: 'exit', listener: () => void): this;
  removeAllListeners(event: string): this;
  terminate(): Promise<unknown>;
  ref(): void;
  unref(): void;
}

/**
 * Worker threads that evaluators use one after the other: a run times, measures and counts errors, and each time a thread takes a tenth of a second to
 * load what it needs.
 */
export class Threads {
  readonly #idle: Thread[] = [];

  /** Starts threads ahead, before it is known what for: at most `count`, and no more than every plan has work for. */
  warm(count: number): void {
    while (this.#idle.length < Math.min(count, fewestSlots)) this.#keep(new Worker(workerUrl));
  }

  /** A thread that nobody uses, or a new one. Throws where the system gives none. */
  take(): Thread {
    const idle = this.#idle.pop();
    if (idle === undefined) return new Worker(workerUrl);
    idle.ref();
    return forgotten(idle);
  }

  /** Takes back a thread that works on nothing: it lets go of its programs, and may be used again. */
  give(worker: Thread): void {
    worker.postMessage(release);
    this.#keep(forgotten(worker));
  }

  /** Ends the threads that nobody uses: one that still lets go of its programs does that first. */
  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map(ended));
  }

  /** Nobody hears of an idle thread that fails: whoever takes the next one finds out, or never needs it. */
  #keep(worker: Thread): void {
    const forget = (): void => {
      const at = this.#idle.indexOf(worker);
      if (at >= 0) this.#idle.splice(at, 1);
    };
    worker.on('error', forget).on('exit', forget);
    // A program need not close what only waits.
    worker.unref();
    this.#idle.push(worker);
  }
}

/**
 * Asks a thread to end between two things that it does, and resolves when it has, also by an error. To be terminated instead is only for threads whose engine
 * allows it: libraries such as ONNX Runtime take the process with them where that happens in a call of theirs.
 */
export function ended(worker: Thread): Promise<void> {
  return new Promise((resolve) => {
    // A thread that has ended has no number.
    if (worker.threadId < 0) return resolve();
    // The process waits for it, too.
    worker.ref();
    worker.once('exit', () => { resolve(); }); // prettier-ignore
    worker.postMessage(end);
  });
}

/** A thread that nobody listens to any more. Of these events alone: by others it keeps track of who listens, and it hears nothing without. */
function forgotten(worker: Thread): Thread {
  for (const event of ['message', 'error', 'exit']) worker.removeAllListeners(event);
  return worker;
}

/** Does work with threads that end with it. */
export async function withThreads<T>(work: (threads: Threads) => Promise<T>): Promise<T> {
  const threads = new Threads();
  try {
    return await work(threads);
  } finally {
    await threads.close();
  }
}
