import { firstExamples, narrowed } from '../../data/shared.js';
import type { Examples } from '../../data/types.js';
import type { Engine, Program } from '../../engines/types.js';
import type { Graph } from '../../graph/types.js';
import { initialise } from '../../models/initialise.js';
import { key } from '../../num/random.js';
import { sliceFeeds } from '../../objective/feeds.js';
import { gradientGraph, type GraphParts } from '../graphs.js';
import { median } from './rate.js';

/** Of all engines together, after one run of each; longer where a run takes longer. */
const timedSeconds = 0.3;
const fewestRuns = 3;

/**
 * Times the gradient of a chunk by each engine in turn, on this thread; returns examples a second, medians. Weights are drawn as for training,
 * and examples are real ones, since how fast an engine is may depend on the numbers. Throws EngineError where one cannot compile the graph.
 */
export async function gradientRates(
  graph: Graph,
  examples: Examples,
  engines: readonly Engine[],
): Promise<number[]> {
  const feeds = sliceFeeds(examples, 0, examples.count);
  const theta = Float64Array.from(initialise(graph.parameters, key(0)));
  const gradient = new Float64Array(theta.length);
  const programs: Program[] = [];
  try {
    for (const engine of engines) programs.push(await engine.compile(graph));
    const rates = programs.map((): number[] => []);
    for (const program of programs) {
      program.load(theta);
      await program.run(feeds, gradient);
    }
    const end = performance.now() + 1000 * timedSeconds;
    while (rates[0]!.length < fewestRuns || performance.now() < end) {
      for (const [k, program] of programs.entries()) {
        const start = performance.now();
        await program.run(feeds, gradient);
        rates[k]!.push((1000 * examples.count) / (performance.now() - start));
      }
    }
    return rates.map((own) => median(own.sort((a, b) => a - b)));
  } finally {
    await Promise.all(programs.map((program) => program.dispose()));
  }
}

/** `gradientRates` of a chunk of the training data. */
export function trainingRates(parts: GraphParts, chunk: number, engines: readonly Engine[]) {
  const { dataset } = parts;
  const train = firstExamples(dataset.splits.train, chunk);
  const { splits } = narrowed({ ...dataset, splits: { train } });
  return gradientRates(gradientGraph(parts, train.count, false), splits.train, engines);
}
