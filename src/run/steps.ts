import { batchBuffers, batchOrder, gatherBatch } from '../data/batches.js';
import type { Examples } from '../data/types.js';
import type { Feeds } from '../engines/types.js';
import { NumericError, StoreError } from '../errors.js';
import type { Experiment } from '../experiment/experiment.js';
import type { Graph } from '../graph/types.js';
import { gradientGraph } from '../experiment/graphs.js';
import { divisorOf } from '../experiment/loss/loss.js';
import { optimizerOf, stepExamples } from '../experiment/optimizer.js';
import { RunningStatistics } from './statistics.js';
import { placeOf, statisticsRanges } from '../ledger/layout.js';
import type { ParameterLayout } from '../ledger/types.js';
import { dropoutMasks } from '../models/dropout.js';
import { key } from '../num/random.js';
import { sliceFeeds } from '../objective/feeds.js';
import { firstNonFinite } from '../num/sums.js';
import { plainLoops, type VectorLoops } from '../num/vector-loops.js';
import { sha256 } from '../store/files.js';
import { applyUpdate, createUpdate } from '../optim/optimizer.js';
import { WeightAverage } from '../optim/ema.js';
import type { Update } from '../optim/types.js';

/** θ at one moment of training, and the step that led there. */
export interface TrajectoryRow {
  readonly row: number;
  /** θ_row [K], of which the trajectory is made: the weights, or their moving average; overwritten by the next row. */
  readonly theta: Float32Array;
  /** Mean loss of the mini-batches that led here. */
  readonly loss?: number;
  /** What the optimiser did in the step that led here, where that was asked for; overwritten by the next row. */
  readonly update?: Update;
}

/** Examples of every step [T, B], a pure function of seed, counts and step. */
function orderOf({ config, dataset }: Experiment): Int32Array {
  return batchOrder({
    key: key(config.seed),
    count: dataset.splits.train.count,
    batchSize: stepExamples(config),
    iterations: config.iterations,
  });
}

/** The mini-batches of `orderOf`, one row [B] a step. */
export function* batches(experiment: Experiment): Generator<Int32Array> {
  const size = stepExamples(experiment.config);
  const order = orderOf(experiment);
  for (let from = 0; from < order.length; from += size) yield order.subarray(from, from + size);
}

/** How the steps of a training that is stored are taken anew, each from the θ that is stored. */
export interface Replay {
  /** θ of a row [K]. */
  readonly theta: (row: number) => Promise<Float32Array>;
  /** What becomes of the graph that gives the gradients; default it stays. */
  readonly lower?: (graph: Graph) => Graph;
  /** Moves the point [K] at which the gradients of a step are taken; default it stays. */
  readonly move?: (point: Float64Array) => void;
}

interface TrajectoryOptions {
  readonly replay?: Replay | undefined;
  /** Whether rows have the updates that led to them, which are more work than the step itself. Default false. */
  readonly updates?: boolean;
}

/**
 * θ_0, then θ after each optimiser step: the same for the same experiment, whenever it runs; of a replay, its rows, with the updates that this
 * experiment's engine gives. Throws NumericError where training diverges.
 */
export async function* trajectory(
  experiment: Experiment,
  { replay, updates = false }: TrajectoryOptions = {},
): AsyncGenerator<TrajectoryRow, void> {
  const { config, dataset, engine, layout } = experiment;
  const order = orderOf(experiment);
  const batch = batchBuffers(dataset.splits.train, config.batchSize);
  const theta = (await experiment.start!()).slice();
  const gradient = new Float64Array(layout.size);
  const point = new Float64Array(layout.size);
  const optimizer = optimizerOf(config, layout);
  const update = updates ? createUpdate(layout.size) : null;
  let state = optimizer.createState();
  const average = config.ema === null ? null : new WeightAverage(config.ema, layout.size, statisticsRanges(layout)); // prettier-ignore
  const row = average === null ? theta : theta.slice();
  const plain = gradientGraph(experiment, config.batchSize, true);
  const graph = replay?.lower?.(plain) ?? plain;
  const program = await engine.compile(graph);
  const statistics = await RunningStatistics.open(experiment);
  const loops = (await engine.loops?.()) ?? plainLoops;
  const feedsOf = (own: Examples, iteration: number): Feeds => ({
    ...sliceFeeds(own, 0, own.count),
    ...dropoutMasks(experiment.model, graph.inputs, key(config.seed), iteration),
  });
  try {
    if (replay !== undefined) theta.set(await replay.theta(0));
    yield { row: 0, theta: row };
    for (let t = 0; t < config.iterations; t++) {
      requireOrigin(config, t, theta);
      loops.widen(point, theta);
      replay?.move?.(point);
      program.load(point);
      gradient.fill(0);
      let [lossSum, divisor] = [0, 0];
      for (let part = t * config.accumulate; part < (t + 1) * config.accumulate; part++) {
        const places = order.subarray(part * config.batchSize, (part + 1) * config.batchSize);
        gatherBatch(dataset.splits.train, places, batch);
        const feeds = feedsOf(batch, part);
        lossSum += await program.run(feeds, gradient);
        await statistics?.update(feeds, point, theta);
        divisor += divisorOf(config, batch, dataset.labelling);
      }
      loops.divide(gradient, divisor);
      const loss = lossSum / divisor;
      checkLoss(t, loss, config.maxLoss, theta, layout);
      checkFinite(t, loss, gradient, 'gradient of', { layout, loops });
      if (update === null) state = optimizer.advance(state, theta, gradient);
      else {
        state = optimizer.step(state, theta, gradient, update);
        applyUpdate(theta, update, theta);
      }
      checkFinite(t, loss, theta, 'parameter', { layout, loops });
      if (replay !== undefined) theta.set(await replay.theta(t + 1));
      average?.take(theta, row);
      yield { row: t + 1, theta: row, loss, ...(update === null ? {} : { update }) };
    }
  } finally {
    await program.dispose();
    await statistics?.close();
  }
}

/** SHA-256 of θ [K] as little-endian float32, hex. */
export function thetaDigest({ buffer, byteOffset, byteLength }: Float32Array): string {
  return sha256(new Uint8Array(buffer, byteOffset, byteLength));
}

/** Throws StoreError where a forked run comes to its fork with another θ [K] than the run that it was forked from. */
function requireOrigin({ forks }: Experiment['config'], row: number, theta: Float32Array): void {
  const fork = forks.find(({ at }) => at === row);
  if (fork === undefined) return;
  const given = thetaDigest(theta);
  if (given === fork.origin.theta) return;
  throw new StoreError({
    given: `row ${row} of theta with SHA-256 ${given}, replayed`,
    expected: `${fork.origin.theta}, that of the run which was forked there`,
    remedy: 'fork with the machine and version that trained the run',
  });
}

/** Throws NumericError where loss or values are not finite, naming the tensor and index. */
function checkFinite(
  iteration: number,
  loss: number,
  values: Float64Array | Float32Array,
  what: 'gradient of' | 'parameter',
  { layout, loops }: { readonly layout: ParameterLayout; readonly loops: VectorLoops },
): void {
  const areFinite = loops.areFinite(values);
  if (Number.isFinite(loss) && areFinite) return;
  const index = firstNonFinite(values);
  const number = areFinite ? null : placeOf(layout, index);
  const found =
    number === null
      ? `the mini-batch loss is ${loss}`
      : `${what} ${number.tensor}[${number.index}] is ${values[index]!}`;
  const place = number ?? { tensor: 'loss' };
  throw diverged(iteration, found, 'finite numbers', place, iteration > 0 || what === 'parameter');
}

/** Throws NumericError where the loss has left all bounds, naming the largest parameter, which is where to look. */
function checkLoss(
  iteration: number,
  loss: number,
  limit: number | null,
  theta: Float32Array,
  layout: ParameterLayout,
): void {
  if (limit === null || !(loss > limit)) return;
  const largest = theta.reduce((best, value, k) => (Math.abs(value) > Math.abs(theta[best]!) ? k : best), 0);
  const place = placeOf(layout, largest);
  throw diverged(
    iteration,
    `the mini-batch loss is ${loss.toPrecision(3)}, and the largest parameter ${place.tensor}[${place.index}] is ${theta[largest]!.toPrecision(3)}`,
    `a loss of at most ${limit} (maxLoss)`,
    place,
  );
}

/** What is said of numbers that came before any step (`isTrained` false) is not blamed on training. */
function diverged(
  iteration: number,
  found: string,
  expected: string,
  place: { tensor: string; index?: number },
  isTrained = iteration > 0,
): NumericError {
  const problem = isTrained
    ? {
        given: `training diverged in iteration ${iteration}: ${found}`,
        remedy: 'lower the learning rate and make a new run; what this one stored stays valid',
      }
    : {
        given: `with the starting weights, ${found}`,
        remedy:
          'nothing was trained yet: look for what the network cannot compute with in its weights, the statistics that it stores (a negative variance, say) and the data',
      };
  return new NumericError({ ...problem, expected }, { iteration, ...place });
}
