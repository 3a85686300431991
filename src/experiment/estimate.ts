import type { Examples } from '../data/types.js';
import { initialise } from '../models/initialise.js';
import { key } from '../num/random.js';
import { baseNodes } from '../quadrature/integrate.js';
import { estimateBytes } from '../format/arrays.js';
import { defaultWorkers } from '../engines/registry.js';
import type { Experiment } from './experiment.js';
import { objectivePlan } from './experiment.js';
import { manifestOf } from './manifest.js';
import { estimateMemory, type MemoryEstimate } from './memory.js';
import { Evaluator, type ObjectivePlan } from '../objective/evaluator.js';
import { median, timeEvaluations } from './rate.js';

/** What a run will cost, before it starts. */
export interface Estimate {
  readonly segments: number;
  /** Gradients of all objectives per segment, if no segment needs refinement. */
  readonly gradientsPerSegment: number;
  readonly examplesPerSecond: number;
  readonly seconds: number;
  /** Bytes of the finished run folder at most. */
  readonly bytes: number;
  /** Bytes of memory that measuring holds, without the data: one worker's, and all in all. */
  readonly memory: MemoryEstimate;
  readonly engine: string;
  /** Better engines that `auto` passed over, each with its reason. */
  readonly passedOver: readonly string[];
  readonly workers: number;
}

interface EstimateOptions {
  readonly workers?: number | undefined;
  readonly measure: boolean;
}

/** Times a few real evaluations (about a second) and scales them up. */
export async function estimateRun(experiment: Experiment, options: EstimateOptions): Promise<Estimate> {
  const { config, engine } = experiment;
  const workers = options.workers ?? defaultWorkers(engine);
  const examplesPerSecond = await measureRate(experiment, workers);
  const measured = measuredExamples(objectivePlan(experiment));
  const gradientsPerSegment = baseNodes(config.rule, config.subintervals).filter((s) => s > 0).length;
  const trained = experiment.recorded ? 0 : 3 * config.batchSize;
  const examples = config.iterations * (trained + (options.measure ? gradientsPerSegment * measured : 0));
  return {
    segments: config.iterations,
    gradientsPerSegment,
    examplesPerSecond,
    seconds: examples / examplesPerSecond,
    bytes: estimateBytes(manifestOf(experiment)),
    memory: estimateMemory(experiment, workers),
    engine: engine.name,
    passedOver: experiment.passedOver,
    workers,
  };
}

function measuredExamples({ objectives }: ObjectivePlan): number {
  const parts = objectives.flatMap((objective) => objective.parts);
  return parts.reduce((total, { examples }) => total + examples.count, 0);
}

/** Examples per second on a small part of the training data. */
async function measureRate(experiment: Experiment, workers: number): Promise<number> {
  const chunk = Math.min(experiment.chunk, sampleChunk);
  const train = head(experiment.dataset.splits.train, 2 * chunk * workers);
  const objectives = [{ name: 'train', parts: [{ name: 'all', examples: train }] }];
  const plan: ObjectivePlan = { ...objectivePlan(experiment), objectives, chunk };
  const evaluator = await Evaluator.start(plan, workers);
  try {
    const theta = Float64Array.from(initialise(experiment.parameters, key(0)));
    return median(await timeEvaluations(() => evaluator.evaluate(theta), train.count, 0.3));
  } finally {
    await evaluator.close();
  }
}

/** Examples of a chunk while estimating: enough to be typical, few enough to be quick for large networks. */
const sampleChunk = 500;

/** The first `count` examples. */
function head(examples: Examples, count: number): Examples {
  const used = Math.min(count, examples.count);
  const part = (length: number) => (length / examples.count) * used;
  return {
    ...examples,
    count: used,
    inputs: examples.inputs.subarray(0, part(examples.inputs.length)),
    labels: examples.labels.subarray(0, part(examples.labels.length)),
  };
}
