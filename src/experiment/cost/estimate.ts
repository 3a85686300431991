import { firstExamples } from '../../data/shared.js';
import { initialise } from '../../models/initialise.js';
import { key } from '../../num/random.js';
import { baseNodes } from '../../quadrature/integrate.js';
import { wantAt } from '../../quadrature/rules.js';
import { estimateBytes } from '../../format/layout/arrays.js';
import { defaultWorkers } from '../../engines/registry.js';
import type { Experiment } from '../experiment.js';
import { objectivePlan } from '../experiment.js';
import { manifestOf } from '../manifest.js';
import { estimateMemory, type MemoryEstimate } from './memory.js';
import { Evaluator } from '../../objective/evaluator.js';
import { type ObjectivePlan, programsOf } from '../../objective/plan.js';
import type { Threads } from '../../objective/threads.js';
import { stepExamples } from '../optimizer.js';
import { median, timeEvaluations } from './rate.js';

/** Seconds by what takes them. */
export interface EstimateParts {
  /** Starting workers and compiling. */
  readonly starting: number;
  /** Steps, and storing θ. */
  readonly training: number;
  readonly measuring: number;
  readonly analysing: number;
}

/** Seconds that a row of θ takes until it is safe on a disk, and bytes of a run analysed a second for its first report: as on a server with an SSD. */
const storingSeconds = 0.005;
const analysedPerSecond = 250e6;

/** Work of a forward pass, as a share of a gradient's: the backward pass takes about twice as much. */
const forwardShare = 1 / 3;

/** What a run will cost, before it starts. */
export interface Estimate {
  readonly segments: number;
  /** Gradients of all objectives per segment, if no segment needs refinement; a loss alone counts as a third. */
  readonly gradientsPerSegment: number;
  readonly examplesPerSecond: number;
  /** In all, and by what takes it. */
  readonly seconds: number;
  readonly parts: EstimateParts;
  /** Bytes of the finished run folder at most. */
  readonly bytes: number;
  /** Bytes of memory that measuring holds, without the data: one worker's, and all in all. */
  readonly memory: MemoryEstimate;
  readonly engine: string;
  /** Other engines that `auto` passed over, each with its reason. */
  readonly passedOver: readonly string[];
  readonly workers: number;
}

interface EstimateOptions {
  readonly workers?: number | undefined;
  /** Where they come from and go to; default new ones. */
  readonly threads?: Threads | undefined;
  readonly measure: boolean;
}

/** Times a few real evaluations (a fraction of a second) and scales them up. */
export async function estimateRun(experiment: Experiment, options: EstimateOptions): Promise<Estimate> {
  const { config, engine } = experiment;
  const workers = options.workers ?? defaultWorkers(engine);
  const { examplesPerSecond, starting } = await measureRate(experiment, workers, options.threads);
  const measured = programsOf(objectivePlan(experiment)).fed;
  const gradientsPerSegment = baseNodes(config.rule, config.subintervals)
    .filter((s) => s > 0)
    .reduce((total, s) => total + (wantAt(config.rule, s) === 'gradient' ? 1 : forwardShare), 0);
  const bytes = estimateBytes(manifestOf(experiment));
  // A step computes on one thread, and its program is compiled apart from those that measure.
  const step = experiment.recorded ? 0 : (stepExamples(config) * workers) / examplesPerSecond;
  const gradients = (gradientsPerSegment * measured) / examplesPerSecond;
  // Components are found by replaying the steps while workers are busy with the gradients of a segment.
  const replayed = experiment.components.length > 0 ? step / workers : 0;
  const parts: EstimateParts = {
    starting: starting * (options.measure && !experiment.recorded ? 2 : 1),
    training: config.iterations * (step + storingSeconds),
    measuring: options.measure ? config.iterations * (gradients + replayed) : 0,
    analysing: options.measure ? bytes / analysedPerSecond : 0,
  };
  return {
    segments: config.iterations,
    gradientsPerSegment,
    examplesPerSecond,
    seconds: Object.values<number>({ ...parts }).reduce((total, seconds) => total + seconds, 0),
    parts,
    bytes,
    memory: estimateMemory(experiment, workers),
    engine: engine.name,
    passedOver: experiment.passedOver,
    workers,
  };
}

/** Examples per second on a small part of the training data, and seconds until the workers have compiled. */
async function measureRate(
  experiment: Experiment,
  workers: number,
  threads: Threads | undefined,
): Promise<{ examplesPerSecond: number; starting: number }> {
  const { chunk } = experiment;
  const train = firstExamples(experiment.dataset.splits.train, chunk * workers);
  const objectives = [{ name: 'train', examples: train }];
  const plan: ObjectivePlan = { ...objectivePlan(experiment), objectives };
  const began = performance.now();
  const evaluator = await Evaluator.start(plan, workers, threads);
  const starting = (performance.now() - began) / 1000;
  try {
    const theta = Float64Array.from(initialise(experiment.parameters, key(0)));
    const rates = await timeEvaluations(() => evaluator.evaluate(theta), {
      count: train.count,
      seconds: 0.05,
      depth: evaluator.inFlight,
      timings: 1,
    });
    return { examplesPerSecond: median(rates), starting };
  } finally {
    await evaluator.close();
  }
}
