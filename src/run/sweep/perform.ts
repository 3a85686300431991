import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isLossledgerError } from '../../errors.js';
import { makeFolder } from '../../folders.js';
import { type ProgressSink, silent } from '../../experiment/control.js';
import { openExperiment } from '../../experiment/experiment.js';
import { createRun, experimentOf } from '../../experiment/manifest.js';
import { type Threads, withThreads } from '../../objective/threads.js';
import { attempt } from '../../store/files.js';
import { openRun, resumeRun } from '../../store/open.js';
import { lostInWords } from '../../store/window-writer.js';
import { measureRun } from '../measure.js';
import { sizeSample } from '../pilot.js';
import { trainRun } from '../train.js';
import type { PlannedRun } from './cells.js';
import type { SweepLoad } from './plan.js';

/** A run of a sweep with its folder, and how far it has come. */
export interface FoundRun extends PlannedRun {
  /** Whole path. */
  readonly path: string;
  /** Segments measured already, and whether nothing is left to do. */
  readonly segments: number;
  readonly done: boolean;
}

/** The place of a sweep's runs in its folder. */
const runsFolder = 'runs';

/** Looks for each distinct run in a sweep's folder, by its digest. Throws StoreError where a folder is no run. */
export async function findRuns(runs: readonly PlannedRun[], out: string): Promise<FoundRun[]> {
  const folder = join(out, runsFolder);
  const names = existsSync(folder) ? await attempt(`list ${folder}`, () => readdir(folder)) : [];
  const distinct = [...new Map(runs.map((run) => [run.digest, run])).values()];
  return Promise.all(
    distinct.map(async (run) => {
      const name = names.find((own) => own.endsWith(`-${run.digest}`));
      const path = join(folder, name ?? run.folder);
      if (name === undefined) return { ...run, path, segments: 0, done: false };
      const { segments, sealed } = (await openRun(path)).status;
      return { ...run, path, segments, done: sealed };
    }),
  );
}

/** How a sweep is watched and stopped. */
export interface SweepControl {
  readonly progress?: ProgressSink;
  readonly signal: AbortSignal;
  /** Hears of records that are measured again. */
  readonly tell?: (what: string) => void;
}

/**
 * Computes what is not done yet, some runs at a time. A run whose training diverges ends early, and the others go on; anything else that
 * fails, and the signal, stop all runs at a safe point: throws what the first one threw.
 *
 * @returns Why runs ended early, by digest.
 */
export async function performRuns(
  found: readonly FoundRun[],
  out: string,
  { jobs, workers }: SweepLoad,
  { progress = silent, signal, tell }: SweepControl,
): Promise<Map<string, string>> {
  const failures = new Map<string, string>();
  const pending = found.filter(({ done }) => !done);
  if (pending.length === 0) return failures;
  await attempt(`make ${join(out, runsFolder)}`, () => makeFolder(join(out, runsFolder)));
  const queue = [...pending];
  const stop = new AbortController();
  const watch = new SweepProgress(found, progress);
  const work = async (threads: Threads): Promise<void> => {
    for (let run = queue.shift(); run !== undefined; run = queue.shift()) {
      const control = {
        workers,
        threads,
        signal: AbortSignal.any([signal, stop.signal]),
        progress: watch.of(run),
        tell,
      };
      await perform(run, control).catch((error: unknown) => {
        if (!isLossledgerError(error) || error.tag !== 'numeric') throw error;
        failures.set(run.digest, error.problem.given);
        watch.end(run);
      });
    }
  };
  const atOnce = (threads: Threads) =>
    Array.from({ length: jobs }, () => work(threads).catch((error: unknown) => { stop.abort(error); throw error; })); // prettier-ignore
  try {
    // All have come to a safe point before the first error is told.
    const ends = await withThreads((threads) => Promise.allSettled(atOnce(threads)));
    for (const end of ends) if (end.status === 'rejected') throw stop.signal.reason;
  } finally {
    watch.stop();
  }
  return failures;
}

interface RunControl {
  readonly workers: number;
  readonly threads: Threads;
  readonly signal: AbortSignal;
  readonly progress: ProgressSink;
  readonly tell: ((what: string) => void) | undefined;
}

/** Does what is left of one run. */
async function perform({ config, path }: PlannedRun & { readonly path: string }, control: RunControl): Promise<void> {
  const { workers, threads, signal, progress, tell } = control;
  const exists = existsSync(path);
  const run = exists ? await resumeRun(path) : null;
  const lost = run && lostInWords(run);
  if (lost !== null) tell?.(lost);
  const open = async () => run === null ? openExperiment((await sizeSample(config, workers)).config) : experimentOf(run);
  const experiment = await open().catch(async (error: unknown) => { await run?.close(); throw error; });
  const writer = run ?? (await createRun(path, experiment));
  try {
    const after = trainRun(experiment, writer, { signal });
    await measureRun(experiment, writer, { workers, threads, after, signal, progress });
  } finally {
    await writer.close();
  }
} // prettier-ignore

/** One progress of many runs, in segments. */
class SweepProgress {
  readonly #done: Map<string, number>;

  constructor(
    found: readonly FoundRun[],
    readonly sink: ProgressSink,
  ) {
    this.#done = new Map(found.map(({ digest, segments }) => [digest, segments]));
    const total = found.reduce((sum, { config }) => sum + config.iterations, 0);
    sink.start(total, this.#sum());
  }

  /** The progress of one run. */
  of({ digest, folder }: PlannedRun): ProgressSink {
    return {
      start: () => undefined,
      update: (done) => {
        this.#done.set(digest, done);
        this.sink.update(this.#sum(), folder);
      },
      stop: () => undefined,
    };
  }

  /** A run that ended early has nothing left to do. */
  end({ digest, config }: PlannedRun): void {
    this.#done.set(digest, config.iterations);
    this.sink.update(this.#sum());
  }

  stop(): void {
    this.sink.stop();
  }

  #sum(): number {
    return [...this.#done.values()].reduce((sum, done) => sum + done, 0);
  }
}
