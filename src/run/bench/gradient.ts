import type { Examples } from '../../data/types.js';
import { UsageError } from '../../errors.js';
import { differentiate } from '../../autodiff/differentiate.js';
import { attachLoss } from '../../graph/loss.js';
import { parameterCount, sizeOf } from '../../graph/types.js';
import { initialise } from '../../models/initialise.js';
import { modelNamed, modelNames } from '../../models/registry.js';
import type { BuildOptions, Model } from '../../models/types.js';
import { key, uniform } from '../../num/random.js';
import { chooseEngine, defaultWorkers } from '../../engines/registry.js';
import { Evaluator } from '../../objective/evaluator.js';
import { median, timeEvaluations } from '../../experiment/rate.js';

/** Networks that `lca bench gradient` knows. */
export const benchModels: readonly string[] = modelNames;

export interface BenchOptions {
  readonly model: string;
  readonly engine: string;
  /** Worker threads; default one per core. */
  readonly threads?: number;
  /** How long to measure. */
  readonly seconds: number;
}

/** One measurement, as `lca bench gradient --json` prints it. */
export interface BenchResult {
  readonly model: string;
  readonly engine: string;
  /** K */
  readonly parameters: number;
  /** Examples of one evaluation. */
  readonly examples: number;
  readonly chunk: number;
  readonly threads: number;
  readonly examplesPerSecond: { readonly median: number; readonly best: number };
}

/** Times whole-data gradients of random bytes, through the evaluator that measuring uses. Throws UsageError for an unknown network. */
export async function benchGradient(options: BenchOptions): Promise<BenchResult> {
  if (!modelNames.includes(options.model)) {
    throw new UsageError({
      given: `model ${JSON.stringify(options.model)}`,
      expected: `one of ${modelNames.join(', ')}`,
      remedy: 'name one of these with --model',
    });
  }
  const { model, chunk, benchExamples: count } = modelNamed(options.model);
  const build: BuildOptions = { examples: 1, training: false, transform: byteTransform };
  const { parameters } = model.build(build);
  const gradientGraph = (examples: number) =>
    differentiate(attachLoss(model.build({ ...build, examples }), { loss: 'softmaxCrossEntropy' }));
  const { engine } = await chooseEngine(options.engine, () => gradientGraph(chunk));
  const threads = options.threads ?? defaultWorkers(engine);
  const evaluator = await Evaluator.start(
    {
      engine: engine.name,
      size: parameterCount(parameters),
      objectives: [{ name: 'train', examples: randomExamples(model, count) }],
      chunk,
      lanes: 8,
      gradientGraph,
    },
    threads,
  );
  try {
    const theta = Float64Array.from(initialise(parameters, key(0)));
    const rates = await timeEvaluations(() => evaluator.evaluate(theta), count, options.seconds);
    return {
      model: options.model,
      engine: engine.name,
      parameters: parameterCount(parameters),
      examples: count,
      chunk,
      threads,
      examplesPerSecond: { median: median(rates), best: rates.at(-1)! },
    };
  } finally {
    await evaluator.close();
  }
}

const byteTransform = { dtype: 'uint8', divisor: 255, mean: [], std: [] } as const;

/** Random pixels and labels, the same images again and again; the speed of a gradient does not depend on them. */
function randomExamples(model: Model, count: number): Examples {
  const width = sizeOf(model.inputShape);
  const inputs = new Uint8Array(new SharedArrayBuffer(width * count));
  const images = uniform(key(1), width * Math.min(count, differentImages)).map((u) => u * 256);
  for (let start = 0; start < inputs.length; start += images.length) {
    inputs.set(images.subarray(0, inputs.length - start), start);
  }
  const labels = new Int32Array(new SharedArrayBuffer(count * 4));
  labels.set(uniform(key(2), count).map((u) => u * model.outputs));
  return { count, shape: model.inputShape, inputs, labels };
}

const differentImages = 1000;
