import { UsageError } from '../errors.js';
import type { DType, Graph } from '../graph/types.js';
import { sizeOf } from '../graph/types.js';
import { gradientGraph, objectivePlan, type Experiment } from './experiment.js';
import { slotBytes } from '../objective/evaluator.js';

/** What measuring holds in memory, in bytes. */
export interface MemoryEstimate {
  /** Activations and gradients of one chunk that are alive at once, at their peak, in one worker. */
  readonly activations: number;
  /** All workers' activations, and the shared sums of evaluations in flight. */
  readonly total: number;
}

const bytesPerElement: Readonly<Record<DType, number>> = {
  float32: 4,
  int64: 8,
  int32: 4,
  uint8: 1,
  bool: 1,
};

/**
 * An estimate from the graph: values live from the node that makes them to the last that reads them. Engines may share buffers
 * (less) or need room to rearrange (more).
 */
export function estimateMemory(
  experiment: Experiment,
  workers: number,
  chunk = usedChunk(experiment),
): MemoryEstimate {
  const graph = gradientGraph(experiment, chunk, false);
  const widening = experiment.engine.name === 'reference' ? 2 : 1;
  const activations = widening * peakBytes(graph);
  return { activations, total: workers * activations + slotBytes(objectivePlan(experiment)) };
}

/** Most bytes of node outputs alive at once, in node order; the graph's outputs live to the end. */
export function peakBytes({ nodes, outputs }: Graph): number {
  const lastUse = new Map<number, number>();
  nodes.forEach(({ inputs }, at) => inputs.forEach((value) => value && lastUse.set(value.id, at)));
  for (const { id } of outputs) lastUse.set(id, nodes.length);
  const freed = new Map<number, number>();
  let live = 0;
  let peak = 0;
  nodes.forEach((node, at) => {
    for (const { id, dtype, shape } of node.outputs) {
      const bytes = bytesPerElement[dtype] * sizeOf(shape);
      const end = lastUse.get(id) ?? at;
      live += bytes;
      freed.set(end, (freed.get(end) ?? 0) + bytes);
    }
    peak = Math.max(peak, live);
    live -= freed.get(at) ?? 0;
  });
  return peak;
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
        : `set chunk to ${largest} or less, or use fewer workers (--workers 1)`,
  });
}

/** Examples of the largest chunk that occurs. */
function usedChunk(experiment: Experiment): number {
  const parts = objectivePlan(experiment).objectives.flatMap((objective) => objective.parts);
  return Math.min(experiment.chunk, Math.max(...parts.map(({ examples }) => examples.count)));
}

/** By bisection; 0 where not even one example fits. */
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
