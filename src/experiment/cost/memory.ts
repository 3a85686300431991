import { UsageError } from '../../errors.js';
import { objectivePlan, type Experiment } from '../experiment.js';
import { gradientGraph } from '../graphs.js';
import { graphOfKind, planLanes, programsOf } from '../../objective/plan.js';
import { sharedBytes, slotsFor } from '../../objective/slots.js';
import { usefulWorkers } from '../../objective/evaluator.js';

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
  const plan = objectivePlan({ ...experiment, chunk });
  const programs = programsOf(plan).kinds.map((kind) => experiment.engine.plan(graphOfKind(plan, kind)).memory); // prettier-ignore
  const scratch = 8 * plan.size * Math.max(0, ...plan.objectives.map(({ division }) => division ? (division.kind === 'masked' ? 3 : 1) : 0)); // prettier-ignore
  const worker = programs.reduce((total, bytes) => total + bytes, THREAD + scratch);
  const directions = 8 * (experiment.basis?.directions ?? 0) * plan.size;
  const lanes = planLanes(plan);
  const shared =
    sharedBytes(plan, lanes, slotsFor(workers, lanes.length)) + componentBytes(experiment) + directions;
  return { worker, total: usefulWorkers(plan, workers) * worker + shared };
}

/** What splitting updates holds: an array of each component, the training that is replayed, and 9 of its memory of gradients. */
function componentBytes({ components, recorded, layout, ...experiment }: Experiment): number {
  if (components.length === 0) return 0;
  const vectors = components.length + (recorded === null ? 9 + 10 : 0);
  const graph = () => gradientGraph(experiment, experiment.config.batchSize, true);
  const program = recorded === null ? experiment.engine.plan(graph()).memory : 0;
  return program + 8 * vectors * layout.size;
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
  const counts = objectivePlan(experiment).objectives.map(({ examples }) => examples.count);
  return Math.min(experiment.chunk, Math.max(...counts));
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
