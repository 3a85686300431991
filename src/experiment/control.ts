import { UsageError } from '../errors.js';

/** Receives how far a piece of work has come, in steps that the work itself names. */
export interface ProgressSink {
  start(total: number, done?: number): void;
  update(done: number, note?: string): void;
  stop(): void;
}

/** Tells nobody. */
export const silent: ProgressSink = { start() {}, update() {}, stop() {} };

/** Runs a piece of work between start and stop of its progress, also where it fails. */
export async function withProgress<T>(
  progress: ProgressSink,
  { total, done = 0 }: { readonly total: number; readonly done?: number },
  work: () => Promise<T>,
): Promise<T> {
  progress.start(total, done);
  try {
    return await work();
  } finally {
    progress.stop();
  }
}

/** How a caller watches and stops a long piece of work. */
export interface WorkControl {
  /** Default: nobody is told. */
  readonly progress?: ProgressSink | undefined;
  /** Aborted: stop at the next safe point. */
  readonly signal?: AbortSignal | undefined;
}

/** Segments from one to before another. */
export interface SegmentRange {
  readonly from: number;
  readonly to: number;
}

/** Throws UsageError for segments that a run of T does not have. */
export function checkSegments({ from, to }: SegmentRange, T: number): void {
  if (from >= 0 && from < to && to <= T) return;
  throw new UsageError({
    given: `segments ${from}:${to}`,
    expected: `segments of the run, from 0 to before ${T}`,
    remedy: 'state the first and the one behind the last, such as --segments 100:200',
  });
}

/**
 * Starts something that goes on beside `work`, waits for both, and returns what `work` gives. Where `work` fails, the other is told to stop and awaited:
 * nothing goes on behind a failure. Throws what either throws.
 */
export async function beside<T, R>(
  start: (signal: AbortSignal) => Promise<T>,
  work: (other: Promise<T>) => Promise<R>,
  signal?: AbortSignal,
): Promise<R> {
  const stop = new AbortController();
  const other = start(signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]));
  // Whoever awaits it sees the error.
  other.catch(() => undefined);
  try {
    const result = await work(other);
    await other;
    return result;
  } catch (error) {
    stop.abort();
    await other.catch(() => undefined);
    throw error;
  }
}

/** Rows of θ that are stored while others are still on their way: whoever needs one waits for it. */
export class RowGate {
  #last = -1;
  #failure: Error | null = null;
  #waiting: (() => void)[] = [];

  /** Row `row` and those before it are stored. */
  stored(row: number): void {
    this.#last = row;
    this.#wake();
  }

  /** No more rows will come. */
  fail(cause: unknown): void {
    this.#failure ??= cause instanceof Error ? cause : new TypeError(String(cause));
    this.#wake();
  }

  /** Resolves when a row is stored; throws what kept it from coming. */
  async until(row: number): Promise<void> {
    while (row > this.#last) {
      if (this.#failure !== null) throw this.#failure;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
