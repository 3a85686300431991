import { availableParallelism } from 'node:os';
import type { RunConfig } from '../experiment/config/schema.js';
import { checkSegments, type SegmentRange } from '../experiment/control.js';
import { defaultWorkers } from '../engines/registry.js';
import { estimateRun } from '../experiment/cost/estimate.js';
import { openExperiment } from '../experiment/experiment.js';
import { createRun } from '../experiment/manifest.js';
import type { Reading } from '../formats/reading.js';
import { type Threads, withThreads } from '../objective/threads.js';
import { requireMemory } from '../experiment/cost/memory.js';
import { sizeSample } from '../run/pilot.js';
import { refuseExisting } from '../store/open.js';
import { printEstimate } from './estimate.js';
import { say } from './output.js';
import { continueRun } from './workflow.js';

/** Options of every command that makes a run. */
export interface StartOptions {
  readonly out: string;
  readonly dryRun?: boolean;
  readonly workers?: number;
  /** Of an objective process. */
  readonly processes?: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
  /** Which segments to measure now; default all. */
  readonly segments?: SegmentRange;
  readonly allowImbalance?: boolean;
}

/** Says what was decided about the user's files; what may not be meant is said even where little is. */
export function sayReadings(readings: readonly Reading[], quiet: boolean | undefined): void {
  for (const { about, decision, evidence, warning } of readings) {
    if (warning || !quiet) say(`${warning ? 'Warning: ' : ''}${about}: ${decision} (${evidence})`);
  }
}

/** Makes a run of a configuration and does all its work, or with `--dry-run` only says what that would cost. */
export async function startRun(config: RunConfig, options: StartOptions, measure: boolean): Promise<void> {
  if (!options.dryRun) await refuseExisting(options.out);
  await withThreads((threads) => startWith(threads, config, { ...options, measure }));
}

async function startWith(
  threads: Threads,
  config: RunConfig,
  { measure, ...options }: StartOptions & { readonly measure: boolean },
): Promise<void> {
  // They start while the data are read.
  threads.warm(Math.min(options.workers ?? Infinity, availableParallelism()));
  const sized = await sizeSample(config, options.workers);
  if (sized.note !== null && !options.quiet) say(sized.note);
  const experiment = await openExperiment(sized.config, undefined, options.quiet ? undefined : say);
  for (const warning of experiment.network.warnings) say(`Warning: ${warning}`);
  sayReadings(experiment.readings, options.quiet);
  requireMemory(experiment, options.workers ?? defaultWorkers(experiment.engine));
  const estimate = () => estimateRun(experiment, { workers: options.workers, threads, measure });
  if (options.dryRun) {
    printEstimate(await estimate(), options.json ? 'json' : 'text');
    return;
  }
  if (!options.quiet) printEstimate(await estimate(), 'aside');
  if (options.segments !== undefined) checkSegments(options.segments, experiment.config.iterations);
  const run = await createRun(options.out, experiment);
  await continueRun(experiment, run, { ...options, threads, measure });
}
