import { halfWidth, standardErrors } from '../analysis/sampling.js';
import { defaultWorkers } from '../engines/registry.js';
import type { RunConfig } from '../experiment/config/schema.js';
import { type Experiment, objectivePlan, openExperiment } from '../experiment/experiment.js';
import { openTrajectory, recordingOptions } from '../experiment/recorded.js';
import { requireFollowable } from '../experiment/requirements.js';
import type { SampleBlocks } from '../ledger/types.js';
import { measureRange } from '../ledger/measure-range.js';
import { Evaluator } from '../objective/evaluator.js';
import { trajectory } from './steps.js';

/** A configuration whose sample is a number or none, and what was found, in words; null: nothing had to be. */
export interface Sized {
  readonly config: RunConfig;
  readonly note: string | null;
}

/** Examples that a pilot measures, and the segments, as far as there are so many. */
const pilotSize = 1600;
const pilotSegments = [0, 4, 16];
/** Samples are cut to a multiple of this, so that blocks are whole vectors. */
const step = 256;
/** From this share of all examples on, all are measured. */
const nearlyAll = 0.8;

/**
 * Sizes the sample of a configuration that says `sample: auto`, by a pilot: some segments on few examples, whose blocks tell how many are needed for
 * `error`. Other configurations stay as they are.
 *
 * @throws Whatever opening the experiment throws, and UsageError where no sample can be drawn.
 */
export async function sizeSample(config: RunConfig, workers?: number): Promise<Sized> {
  if (config.sample !== 'auto') return { config, note: null };
  requireFollowable(config);
  const { count } = (await openExperiment({ ...config, sample: null })).dataset.splits.train;
  if (count <= 2 * pilotSize) {
    return {
      config: { ...config, sample: null },
      note: `All ${count} training examples are measured: they are too few for a sample.`,
    };
  }
  const experiment = await openExperiment({ ...config, sample: pilotSize });
  const error = await pilotError(experiment, workers ?? defaultWorkers(experiment.engine));
  const size = sizeFor(error, config.error, count);
  const found = `A pilot of ${pilotSize} examples is off by ±${percent(error)} of the size of all layers' sums; ±${percent(config.error)} needs`;
  return size > nearlyAll * count
    ? {
        config: { ...config, sample: null },
        note: `${found} nearly all ${count} training examples: all are measured.`,
      }
    : { config: { ...config, sample: size }, note: `${found} ${size} of ${count} training examples.` };
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/**
 * The number of examples at which the error of the pilot is no more than `wanted`: squares of errors are as 1/n − 1/N. Never fewer than the
 * pilot's: it saw few segments, and later ones vary more.
 */
export function sizeFor(error: number, wanted: number, count: number): number {
  const rest = (wanted / error) ** 2 * (1 / pilotSize - 1 / count);
  return Math.min(count, Math.max(pilotSize, Math.ceil(1 / (rest + 1 / count) / step) * step));
}

/** The widest half-width of a layer's sum over the pilot's segments, relative to the size of all layers' sums. */
async function pilotError(experiment: Experiment, workers: number): Promise<number> {
  const { layout, config, objectives } = experiment;
  const own = Math.max(
    0,
    objectives.findIndex(({ name }) => name === 'train'),
  );
  const { parts } = objectives[own]!.division!;
  const layers = layout.layers.length;
  const sums = new Float64Array(parts.length * layers);
  const evaluator = await Evaluator.start(objectivePlan(experiment), workers);
  try {
    for await (const { from, rows } of pilotRows(experiment)) {
      const range = measureRange({
        from,
        to: from + 1,
        theta: (row) => Promise.resolve(rows[row - from]!),
        evaluate: (theta, directions, want) => evaluator.evaluate(theta, directions, want),
        hasParts: true,
        settings: config,
        layout,
      });
      for await (const segment of range) segment.rows[own]!.part_layer_sums.forEach((value, k) => { sums[k]! += value; }); // prettier-ignore
    }
  } finally {
    await evaluator.close();
  }
  const members = [...parts.keys()].filter((part) => parts[part]!.by === 'block');
  const blocks: SampleBlocks = {
    from: objectives[own]!.sample!.from,
    members,
    examples: members.map((part) => parts[part]!.examples),
  };
  const totals = Array.from({ length: layers }, (_, l) =>
    Math.abs(members.reduce((total, part) => total + sums[part * layers + l]!, 0)),
  );
  return (
    Math.max(...standardErrors(sums, layers, blocks).map(halfWidth)) /
    totals.reduce((total, size) => total + size, 0)
  );
}

/** Both ends of each of the pilot's segments. */
async function* pilotRows(
  experiment: Experiment,
): AsyncGenerator<{ from: number; rows: readonly Float32Array[] }> {
  const { config, recorded, network, model, dataset } = experiment;
  const last = config.iterations - 1;
  if (recorded !== null) {
    const graph = model.build({ examples: 1, training: false, transform: dataset.transform });
    const opened = await openTrajectory(
      recorded.path,
      { weights: network.weights(), graph },
      recordingOptions(config),
    );
    const spread = [
      ...new Set(pilotSegments.map((_, k) => Math.floor((k * last) / (pilotSegments.length - 1)))),
    ];
    try {
      for (const from of spread)
        yield { from, rows: [await opened.trajectory.row(from), await opened.trajectory.row(from + 1)] };
    } finally {
      await opened.trajectory.close();
    }
    return;
  }
  const wanted = pilotSegments.filter((segment) => segment <= last);
  let before = await experiment.start!();
  for await (const { row, theta } of trajectory(experiment)) {
    const now = theta.slice();
    if (wanted.includes(row - 1)) yield { from: row - 1, rows: [before, now] };
    if (row - 1 === wanted.at(-1)) return;
    before = now;
  }
}
