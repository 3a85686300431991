import { UsageError } from '../errors.js';
import { gradientGraph, objectivePlan, type Experiment } from './experiment.js';
import { chunksOf } from '../objective/chunks.js';
import { slotBytes, usefulWorkers } from '../objective/evaluator.js';

/** What measuring holds in memory, in bytes, without the data. */
export interface MemoryEstimate {
  /** One worker: its programs, as the engine plans them, one for each chunk size that occurs, and the thread itself. */
  readonly worker: number;
  /** All workers, and the shared sums of evaluations in flight. */
  readonly total: number;
}

/** Bytes that a worker thread takes before it has a program: its JavaScript heap and the modules in it, as measured. */
const THREAD = 20e6;

/** Nothing is compiled: engines plan the programs. Throws EngineError where the engine does not know the network. */
export function estimateMemory(
  experiment: Experiment,
  workers: number,
  chunk = experiment.chunk,
): MemoryEstimate {
  const programs = sizesOf(experiment, chunk).map((size) => programBytes(experiment, size));
  const worker = programs.reduce((total, bytes) => total + bytes, THREAD);
  const plan = objectivePlan({ ...experiment, chunk });
  return { worker, total: usefulWorkers(plan, workers) * worker + slotBytes(plan) };
}

function programBytes(experiment: Experiment, examples: number): number {
  return experiment.engine.plan(gradientGraph(experiment, examples, false)).memory;
}

/** Chunk sizes that occur where parts are cut into chunks of `chunk` examples. */
function sizesOf(experiment: Experiment, chunk: number): number[] {
  const parts = objectivePlan(experiment).objectives.flatMap((objective) => objective.parts);
  const chunks = parts.flatMap(({ examples }) => chunksOf(examples.count, chunk));
  return [...new Set(chunks.map(({ start, end }) => end - start))];
}

/** Throws UsageError, naming the largest chunk that fits, where measuring would need more than `available` bytes. */
export function requireMemory(
  experiment: Experiment,
  workers: number,
  available = process.availableMemory(),
): void {
  const { total } = estimateMemory(experiment, workers);
  if (total <= available) return;
  const chunk = usedChunk(experiment);
  const largest = largestChunk(experiment, workers, available);
  throw new UsageError({
    given: `chunk ${chunk} on ${workers} workers, which needs about ${inWords(total)}`,
    expected: `at most ${inWords(available)}, which is free here`,
    remedy:
      largest === 0
        ? 'use fewer workers (--workers 1) or lanes (--lanes 1), or a machine with more memory'
        : `set chunk to ${largest}, or use fewer workers (--workers 1)`,
  });
}

/** Examples of the largest chunk that occurs. */
function usedChunk(experiment: Experiment): number {
  const parts = objectivePlan(experiment).objectives.flatMap((objective) => objective.parts);
  return Math.min(experiment.chunk, Math.max(...parts.map(({ examples }) => examples.count)));
}

/** The largest chunk that was found to fit, by bisection; 0 where not even one example does. */
function largestChunk(experiment: Experiment, workers: number, available: number): number {
  let fits = 0;
  let tooLarge = usedChunk(experiment);
  while (tooLarge - fits > 1) {
    const middle = Math.floor((fits + tooLarge) / 2);
    if (estimateMemory(experiment, workers, middle).total <= available) fits = middle;
    else tooLarge = middle;
  }
  return fits;
}

function inWords(bytes: number): string {
  return `${(bytes / 1e9).toPrecision(3)} GB of memory`;
}
