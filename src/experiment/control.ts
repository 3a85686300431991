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
