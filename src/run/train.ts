import { batchBuffers, batchOrder, gatherBatch } from '../data/batches.js';
import type { BatchBuffers } from '../data/batches.js';
import type { Feeds, Program } from '../engines/types.js';
import { NumericError } from '../errors.js';
import { placeOf } from '../ledger/layout.js';
import type { ParameterLayout } from '../ledger/types.js';
import { dropoutMasks } from '../models/dropout.js';
import { key } from '../num/random.js';
import { firstNonFinite } from '../num/sums.js';
import { gradientGraph, type Experiment } from '../experiment/experiment.js';
import type { RunWriter } from '../store/writer.js';
import { silent, withProgress, type WorkControl } from '../experiment/control.js';
import { divisorOf } from '../experiment/loss.js';
import { optimizerOf } from '../experiment/optimizer.js';
import { copyTrajectory } from '../experiment/recorded.js';
import { applyUpdate, createUpdate } from '../optim/optimizer.js';

/**
 * Trains and stores θ_0 … θ_T and the batch order, or copies a trajectory that was recorded elsewhere. A run that was
 * interrupted is replayed from θ_0, each row checked against what is stored. Does nothing where training is complete.
 */
export async function trainRun(
  experiment: Experiment,
  run: RunWriter,
  control: WorkControl = {},
): Promise<void> {
  if (run.status.trained) return;
  const {
    config: { iterations },
    recorded,
  } = experiment;
  if (recorded !== null) return copyTrajectory(experiment, recorded, run, control);
  const { progress = silent, signal } = control;
  await withProgress(progress, { total: iterations }, async () => {
    for await (const { row, theta, loss } of trajectory(experiment)) {
      await run.writeTheta(row, theta);
      progress.update(row, loss === undefined ? '' : `mini-batch loss ${loss.toFixed(4)}`);
      signal?.throwIfAborted();
    }
  });
  await run.finishTraining(batches(experiment));
}

/** One row of θ while training goes on. */
export interface TrajectoryRow {
  readonly row: number;
  /** θ_row [K]; overwritten by the next row. */
  readonly theta: Float32Array;
  /** Mean loss of the mini-batch that led here. */
  readonly loss?: number;
}

/** Mini-batch of every step [T, B], a pure function of seed, counts and step. */
function orderOf({ config, dataset }: Experiment): Int32Array {
  return batchOrder({
    key: key(config.seed),
    count: dataset.splits.train.count,
    batchSize: config.batchSize,
    iterations: config.iterations,
  });
}

/** The mini-batches of `orderOf`, one row [B] a step. */
function* batches(experiment: Experiment): Generator<Int32Array> {
  const { batchSize } = experiment.config;
  const order = orderOf(experiment);
  for (let from = 0; from < order.length; from += batchSize) yield order.subarray(from, from + batchSize);
}

/** θ_0, then θ after each optimiser step. */
export async function* trajectory(experiment: Experiment): AsyncGenerator<TrajectoryRow> {
  const { config, dataset, engine, layout } = experiment;
  const order = orderOf(experiment);
  const batch = batchBuffers(dataset.splits.train, config.batchSize);
  const theta = experiment.start!.slice();
  const gradient = new Float64Array(layout.size);
  const point = new Float64Array(layout.size);
  const optimizer = optimizerOf(config, layout);
  const update = createUpdate(layout.size);
  let state = optimizer.createState();
  const graph = gradientGraph(experiment, config.batchSize, true);
  const program = await engine.compile(graph);
  const feedsOf = ({ inputs, labels }: BatchBuffers, iteration: number): Feeds => ({
    x: inputs,
    labels,
    ...dropoutMasks(experiment.model, graph.inputs, key(config.seed), iteration),
  });
  try {
    yield { row: 0, theta };
    for (let t = 0; t < config.iterations; t++) {
      gatherBatch(
        dataset.splits.train,
        order.subarray(t * config.batchSize, (t + 1) * config.batchSize),
        batch,
      );
      point.set(theta);
      program.load(point);
      const loss = await batchGradient(
        program,
        feedsOf(batch, t),
        gradient,
        divisorOf(config, { labels: batch.labels, count: config.batchSize }, dataset.labelling),
      );
      checkLoss(t, loss, config.maxLoss, theta, layout);
      checkFinite(t, loss, gradient, 'gradient of', layout);
      state = optimizer.step(state, theta, gradient, update);
      applyUpdate(theta, update, theta);
      checkFinite(t, loss, theta, 'parameter', layout);
      yield { row: t + 1, theta, loss };
    }
  } finally {
    await program.dispose();
  }
}

/** Mean loss of a mini-batch at the θ that is loaded; its mean gradient is written into `gradient` [K]. */
async function batchGradient(
  program: Program,
  feeds: Feeds,
  gradient: Float64Array,
  divisor: number,
): Promise<number> {
  gradient.fill(0);
  const loss = await program.run(feeds, gradient);
  for (let k = 0; k < gradient.length; k++) gradient[k]! /= divisor;
  return loss / divisor;
}

/** Throws NumericError where loss or values are not finite, naming the tensor and index. */
function checkFinite(
  iteration: number,
  loss: number,
  values: Float64Array | Float32Array,
  what: string,
  layout: ParameterLayout,
): void {
  const index = firstNonFinite(values);
  if (Number.isFinite(loss) && index < 0) return;
  if (index < 0)
    throw diverged(iteration, `the mini-batch loss is ${loss}`, 'finite numbers', { tensor: 'loss' });
  const place = placeOf(layout, index);
  throw diverged(
    iteration,
    `${what} ${place.tensor}[${place.index}] is ${values[index]!}`,
    'finite numbers',
    place,
  );
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

function diverged(
  iteration: number,
  what: string,
  expected: string,
  place: { tensor: string; index?: number },
): NumericError {
  return new NumericError(
    {
      given: `training diverged in iteration ${iteration}: ${what}`,
      expected,
      remedy: 'lower the learning rate and make a new run; what this one stored stays valid',
    },
    { iteration, ...place },
  );
}
