import { StoreError } from '../errors.js';
import type { MeasuredSplit } from '../ledger/types.js';
import type { IntegrationSettings } from '../quadrature/types.js';
import type { RunReader } from '../store/reader.js';
import type { ProgressSink } from './control.js';
import { defaultWorkers } from './engines.js';
import { objectivePlan, type Experiment } from './experiment.js';
import { experimentOf } from './manifest.js';
import type { Places } from './places.js';
import { measureRange, type MeasuredSegment } from './measure-range.js';
import { Evaluator } from './objective/evaluator.js';

/** Where a recomputed segment may differ: allocations relative to the segment's largest one, losses in nats. */
const bounds = { allocation: 1e-4, loss: 1e-5 } as const;

interface RecomputeOptions {
  /** Segments to recompute, spread evenly over what is measured. */
  readonly sample: number;
  readonly workers?: number | undefined;
  readonly progress: ProgressSink;
  readonly places?: Places | undefined;
}

/** What recomputing found, in words. */
export interface Recomputation {
  readonly findings: readonly { readonly where: string; readonly what: string }[];
  readonly facts: readonly string[];
}

/** Computes a sample of segments anew with the float64 reference engine and compares them with what is stored. */
export async function recompute(run: RunReader, options: RecomputeOptions): Promise<Recomputation> {
  const experiment = await experimentOf(run, options.places);
  const plan = objectivePlan(experiment, 'reference');
  const evaluator = await Evaluator.start(plan, options.workers ?? defaultWorkers('reference'));
  const findings: { where: string; what: string }[] = [];
  let worst: Deviation = { allocation: 0, loss: 0 };
  const segments = sampleOf((await run.view()).segments, options.sample);
  options.progress.start(segments.length);
  try {
    for (const [index, from] of segments.entries()) {
      const deviation = await deviationOf(experiment, run, evaluator, from);
      worst = { allocation: Math.max(worst.allocation, deviation.allocation), loss: Math.max(worst.loss, deviation.loss) }; // prettier-ignore
      if (!(deviation.allocation <= bounds.allocation && deviation.loss <= bounds.loss)) {
        findings.push({
          where: `segment ${from}`,
          what: `differs from the reference engine: ${inWords(deviation)}`,
        });
      }
      options.progress.update(index + 1);
    }
  } finally {
    options.progress.stop();
    await evaluator.close();
  }
  return {
    findings,
    facts: [`${segments.length} segments recomputed in float64; largest deviations: ${inWords(worst)}`],
  };
}

/** `count` of `total` segments, evenly spread, the first and the last included where there are two or more. */
function sampleOf(total: number, count: number): number[] {
  const used = Math.min(total, count);
  return Array.from({ length: used }, (_, k) =>
    used === 1 ? 0 : Math.round((k * (total - 1)) / (used - 1)),
  );
}

interface Deviation {
  /** Of the allocations (layer sums where these are all that was kept), relative to the largest. */
  readonly allocation: number;
  /** Of the loss at the end, nats. */
  readonly loss: number;
}

function inWords({ allocation, loss }: Deviation): string {
  return `allocations ${allocation.toExponential(1)} of the largest, losses ${loss.toExponential(1)} nats`;
}

async function deviationOf(
  { config, layout }: Experiment,
  run: RunReader,
  evaluator: Evaluator,
  from: number,
): Promise<Deviation> {
  const range = measureRange({
    from,
    to: from + 1,
    theta: (row) => run.theta(row),
    evaluate: (theta) => evaluator.evaluate(theta),
    // The stored segment tells how far it was refined; the reference must use the same points.
    settings: await storedSettings(run, config, from),
    layout,
    precision: run.manifest.objective.precision,
  });
  let worst: Deviation = { allocation: 0, loss: 0 };
  for await (const segment of range) {
    for (const [index, split] of config.splits.entries()) {
      const deviation = await splitDeviation(run, segment, index, split);
      worst = { allocation: Math.max(worst.allocation, deviation.allocation), loss: Math.max(worst.loss, deviation.loss) }; // prettier-ignore
    }
  }
  return worst;
}

/** The rule and number of subintervals that a segment ended with, refinement off. */
async function storedSettings(
  run: RunReader,
  { rule, subintervals: first }: IntegrationSettings,
  segment: number,
): Promise<IntegrationSettings> {
  const subintervals = (await rowOf(run, 'subintervals', segment))[0]!;
  // Adaptive goes on with Simpson at twice its first subintervals or more.
  const adaptive = subintervals === (first ?? 1) ? 'trapezoid' : 'simpson';
  return {
    rule: rule === 'adaptive' ? adaptive : rule,
    tolerance: null,
    subintervals,
    maxSubintervals: subintervals,
  };
}

async function splitDeviation(
  run: RunReader,
  segment: MeasuredSegment,
  index: number,
  split: MeasuredSplit,
): Promise<Deviation> {
  const row = segment.rows[index]!;
  const kept = run.manifest.keep === 'parameters';
  const name = `${kept ? 'allocation' : 'sums/layer'}/${split}`;
  const expected = kept ? row.allocation : row.layerSums;
  const stored = await rowOf(run, name, segment.segment);
  const loss = (await rowOf(run, `loss/${split}`, segment.segment + 1))[0]!;
  let difference = 0;
  let largest = 0;
  for (let k = 0; k < expected.length; k++) {
    difference = Math.max(difference, Math.abs(stored[k]! - expected[k]!));
    largest = Math.max(largest, Math.abs(expected[k]!));
  }
  return {
    allocation: difference === 0 ? 0 : difference / largest,
    loss: Math.abs(loss - segment.lossEnd[index]!),
  };
}

async function rowOf(
  run: RunReader,
  name: string,
  row: number,
): Promise<Float32Array | Float64Array | Int32Array> {
  const array = await run.array(name, { from: row, to: row + 1 });
  for await (const numbers of array.rows()) return numbers;
  throw new StoreError({
    given: `row ${row} of ${name}, which is not stored`,
    expected: 'a measured segment',
    remedy: 'go on with lca resume',
  });
}
