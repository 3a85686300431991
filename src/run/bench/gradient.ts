import type { Examples } from '../../data/types.js';
import { UsageError } from '../../errors.js';
import { differentiate } from '../../autodiff/differentiate.js';
import { attachLoss } from '../../graph/loss.js';
import { parameterCount, sizeOf } from '../../graph/types.js';
import { initialise } from '../../models/initialise.js';
import { extentsOf, modelNamed, modelNames, type RegisteredModel } from '../../models/registry.js';
import { gpt, llama, vit } from '../../models/transformers.js';
import type { BuildOptions, Model } from '../../models/types.js';
import { key, uniform } from '../../num/random.js';
import { type Arithmetic, chooseEngine, defaultWorkers } from '../../engines/registry.js';
import { Evaluator } from '../../objective/evaluator.js';
import { gradientRates } from '../../experiment/cost/engines.js';
import { median, timeEvaluations } from '../../experiment/cost/rate.js';

/** Networks that only benchmarks have. */
const onlyHere: readonly RegisteredModel[] = [
  { model: gpt, chunk: 64, benchExamples: 512 },
  { model: llama, chunk: 64, benchExamples: 512 },
  { model: vit, chunk: 256, benchExamples: 2048 },
];

/** Networks that `lca bench gradient` knows. */
export const benchModels: readonly string[] = [...modelNames, ...onlyHere.map(({ model }) => model.name)];

/** A network of these with its defaults. Throws UsageError for an unknown name. */
export function benchModelNamed(name: string): RegisteredModel {
  return onlyHere.find(({ model }) => model.name === name) ?? modelNamed(name);
}

export interface BenchOptions {
  readonly model: string;
  readonly engine: string;
  /** How a dense layer multiplies bytes; default auto. */
  readonly arithmetic?: Arithmetic;
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
  if (!benchModels.includes(options.model)) {
    throw new UsageError({
      given: `model ${JSON.stringify(options.model)}`,
      expected: `one of ${benchModels.join(', ')}`,
      remedy: 'name one of these with --model',
    });
  }
  const { model, chunk, benchExamples: count } = benchModelNamed(options.model);
  const build: BuildOptions = { examples: 1, training: false, transform: byteTransform };
  const { parameters } = model.build(build);
  const gradientGraph = (examples: number) =>
    differentiate(
      attachLoss(model.build({ ...build, examples }), {
        loss: 'softmaxCrossEntropy',
        classAxis: model.outputShape?.length ?? 1,
      }),
    );
  const { engine } = await chooseEngine(options.engine, () => gradientGraph(chunk), {
    arithmetic: options.arithmetic,
    rates: (engines) => gradientRates(gradientGraph(chunk), randomExamples(model, chunk), engines),
  });
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
    const rates = await timeEvaluations(() => evaluator.evaluate(theta), {
      count,
      seconds: options.seconds,
      depth: evaluator.inFlight,
    });
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

/** Random pixels and labels, the same images again and again; of real ones, a first dense layer passes over columns of zeros. */
function randomExamples(model: Model, count: number): Examples {
  const width = sizeOf(model.inputShape);
  const { labels: each, classes, inputsBelow } = extentsOf(model);
  const inputs = new Uint8Array(new SharedArrayBuffer(width * count));
  const images = uniform(key(1), width * Math.min(count, differentImages)).map((u) => u * inputsBelow);
  for (let start = 0; start < inputs.length; start += images.length) {
    inputs.set(images.subarray(0, inputs.length - start), start);
  }
  const labels = new Int32Array(new SharedArrayBuffer(count * each * 4));
  labels.set(uniform(key(2), count * each).map((u) => u * classes));
  return { count, shape: model.inputShape, inputs, labels };
}

const differentImages = 1000;
