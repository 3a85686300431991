import { availableParallelism } from 'node:os';
import { UsageError } from '../../errors.js';
import { trainingKeys } from '../../experiment/config/schema.js';
import type { RunConfig } from '../../experiment/config/schema.js';
import { estimateRun } from '../../experiment/cost/estimate.js';
import { type Experiment, openExperiment } from '../../experiment/experiment.js';
import { gradientGraph } from '../../experiment/graphs.js';
import { estimateMemory } from '../../experiment/cost/memory.js';
import type { NamedTensor, PlannedRun } from './cells.js';

/** How many runs are computed at a time, and how many threads each has. */
export interface SweepLoad {
  readonly jobs: number;
  readonly workers: number;
  /** Bytes that one run takes in memory, the largest of all, its data included. */
  readonly memory: number;
  readonly available: number;
}

/** What a sweep will cost. */
export interface SweepEstimate extends SweepLoad {
  /** Runs in all, and those that are not done yet. */
  readonly runs: number;
  readonly pending: number;
  /** Of the pending runs. */
  readonly seconds: number;
  readonly bytes: number;
}

/** Keys that change what is trained, and hardly what that costs. */
const cheapKeys: readonly string[] = [
  ...trainingKeys.filter((key) => key !== 'batchSize'),
  'seed',
  'name',
  'date',
  'tags',
];

/** Configurations of equal kind cost the same. */
function kindOf(config: RunConfig): string {
  return JSON.stringify(Object.entries(config).filter(([key]) => !cheapKeys.includes(key)));
}

/** Opens the experiments of configurations, one of each kind. */
export class Kinds {
  readonly #opened = new Map<string, Promise<Experiment>>();

  /** The experiment of a configuration, or of one that costs the same. */
  experiment(config: RunConfig): Promise<Experiment> {
    const kind = kindOf(config);
    // A pilot would size its sample anew for each run; until then, as if all were measured.
    const known = this.#opened.get(kind) ?? openExperiment({ ...config, sample: config.sample === 'auto' ? null : config.sample }); // prettier-ignore
    this.#opened.set(kind, known);
    return known;
  }

  async tensors(config: RunConfig): Promise<readonly NamedTensor[]> {
    // Running statistics stand behind what is trained, and no optimiser moves them.
    return (await this.experiment(config)).layout.tensors.filter(({ kind }) => kind !== 'statistics');
  }
}

/** Bytes of memory of one run: what measuring holds, the step of training, and the data. */
function memoryOf(experiment: Experiment, workers: number): number {
  const { dataset, layout, engine, config, recorded } = experiment;
  const data = Object.values(dataset.splits).reduce((total, { inputs, labels }) => total + inputs.byteLength + labels.byteLength, 0); // prettier-ignore
  const step = recorded ? 0 : engine.plan(gradientGraph(experiment, config.batchSize, true)).memory;
  return estimateMemory(experiment, workers).total + data + step + 12 * 8 * layout.size;
}

/** Share of the free memory that runs may take together. */
const usable = 0.8;

/** What limits a sweep: `jobs` and `workers` as asked for, cores and free bytes as found. */
export interface SweepLimits {
  readonly jobs?: number | undefined;
  readonly workers?: number | undefined;
  readonly cores?: number;
  readonly available?: number;
}

/**
 * How many runs fit at a time: one a core where memory allows it, since threads of one run wait for each other.
 *
 * @throws UsageError where as many as asked for, or not even one, do not fit.
 */
export async function loadOf(
  runs: readonly PlannedRun[],
  kinds: Kinds,
  { jobs, workers, cores = availableParallelism(), available = process.availableMemory() }: SweepLimits,
): Promise<SweepLoad> {
  const threads = (count: number): number => workers ?? Math.max(1, Math.floor(cores / count));
  const experiments = new Set(await Promise.all(runs.map(({ config }) => kinds.experiment(config))));
  const bytes = (count: number): number => Math.max(0, ...[...experiments].map((own) => memoryOf(own, threads(count)))); // prettier-ignore
  const fits = (count: number): boolean => count * bytes(count) <= usable * available;
  const most = jobs ?? Math.max(1, Math.min(runs.length, cores));
  const found = Array.from({ length: most }, (_, i) => most - i).find(fits);
  const load = { workers: threads(found ?? 1), memory: bytes(found ?? 1), available };
  if (found !== undefined && (jobs === undefined || found === jobs)) return { jobs: found, ...load };
  throw new UsageError({
    given: `${most} ${most === 1 ? 'run' : 'runs'} at a time, each of about ${inWords(bytes(most))}`,
    expected: `at most ${inWords(usable * available)} together, ${usable * 100} % of what is free here`,
    remedy: found === undefined ? 'make chunks smaller (--chunk), or use a machine with more memory' : `say --jobs ${found}`, // prettier-ignore
  });
}

const inWords = (bytes: number): string => `${(bytes / 1e9).toPrecision(3)} GB of memory`;

/** Estimates the pending runs of a sweep: about a second for each kind of configuration. */
export async function estimateSweep(
  total: number,
  pending: readonly PlannedRun[],
  kinds: Kinds,
  load: SweepLoad,
): Promise<SweepEstimate> {
  const costs = new Map<Experiment, Promise<{ seconds: number; bytes: number }>>();
  let [seconds, bytes] = [0, 0];
  for (const { config } of pending) {
    const experiment = await kinds.experiment(config);
    const cost = costs.get(experiment) ?? estimateRun(experiment, { measure: true });
    costs.set(experiment, cost);
    seconds += (await cost).seconds;
    bytes += (await cost).bytes;
  }
  return { ...load, runs: total, pending: pending.length, seconds, bytes };
}
