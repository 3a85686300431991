import { StoreError } from '../errors.js';
import { type Column, columnEntries } from '../ledger/columns.js';
import { measureRange, type MeasuredSegment } from '../ledger/measure-range.js';
import type { Numbers } from '../ledger/types.js';
import type { IntegrationSettings } from '../quadrature/types.js';
import type { RunFolder } from '../store/folder.js';
import type { ProgressSink } from '../experiment/control.js';
import { defaultWorkers, engineNamed } from '../engines/registry.js';
import { objectivePlan, type Experiment } from '../experiment/experiment.js';
import { experimentOf } from '../experiment/manifest.js';
import type { Places } from '../experiment/places.js';
import { Evaluator } from '../objective/evaluator.js';

/** How far a recomputed segment may differ: allocations relative to the segment's largest one, losses and residuals in the loss's unit. */
const bounds = { allocation: 1e-4, loss: 1e-5, residual: 1e-4 } as const;

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
export async function recompute(run: RunFolder, options: RecomputeOptions): Promise<Recomputation> {
  const segments = sampleOf((await run.view()).segments, options.sample);
  if (segments.length === 0)
    return { findings: [], facts: ['no segment is measured yet, so none was recomputed'] };
  const experiment = await experimentOf(run, options.places);
  const oracle = await engineNamed('reference');
  const plan = objectivePlan(experiment, oracle.name);
  const evaluator = await Evaluator.start(plan, options.workers ?? defaultWorkers(oracle));
  const findings: { where: string; what: string }[] = [];
  let worst = none;
  options.progress.start(segments.length);
  try {
    for (const [index, from] of segments.entries()) {
      const deviation = await deviationOf(experiment, run, evaluator, from);
      worst = larger(worst, deviation);
      if (!kinds.every((kind) => deviation[kind] <= bounds[kind])) {
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
    facts: [
      `${segments.length} ${segments.length === 1 ? 'segment' : 'segments'} recomputed in float64; largest deviations: ${inWords(worst)}`,
    ],
  };
}

/** `count` of `total` segments, evenly spread, the first and the last included where there are two or more. */
function sampleOf(total: number, count: number): number[] {
  const used = Math.min(total, count);
  return Array.from({ length: used }, (_, k) =>
    used === 1 ? 0 : Math.round((k * (total - 1)) / (used - 1)),
  );
}

/** Largest difference by kind of column: of allocations relative to the row's largest, of the others in the loss's unit. */
type Deviation = Readonly<Record<NonNullable<Column['compare']>, number>>;

const kinds = ['allocation', 'loss', 'residual'] as const;
const none: Deviation = { allocation: 0, loss: 0, residual: 0 };

function larger(a: Deviation, b: Deviation): Deviation {
  return {
    allocation: Math.max(a.allocation, b.allocation),
    loss: Math.max(a.loss, b.loss),
    residual: Math.max(a.residual, b.residual),
  };
}

function inWords({ allocation, loss, residual }: Deviation): string {
  return `allocations ${allocation.toExponential(1)} of the largest, losses ${loss.toExponential(1)}, residuals ${residual.toExponential(1)} (in the loss's unit)`;
}

async function deviationOf(
  { config, layout }: Experiment,
  run: RunFolder,
  evaluator: Evaluator,
  from: number,
): Promise<Deviation> {
  const range = measureRange({
    from,
    to: from + 1,
    theta: (row) => run.theta(row),
    evaluate: (theta) => evaluator.evaluate(theta),
    release: (results) => { evaluator.release(results); }, // prettier-ignore
    // The stored segment tells how far it was refined; the reference must use the same points.
    settings: await storedSettings(run, config, from),
    layout,
    precision: run.manifest.definition.precision,
  });
  let worst = none;
  for await (const segment of range) {
    for (const index of config.measure.keys())
      worst = larger(worst, await objectiveDeviation(run, segment, index));
  }
  return worst;
}

/** The rule and number of subintervals that a segment ended with, refinement off. */
async function storedSettings(
  run: RunFolder,
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

/** Every column that can be compared. */
async function objectiveDeviation(
  run: RunFolder,
  segment: MeasuredSegment,
  index: number,
): Promise<Deviation> {
  let worst = none;
  const row: Readonly<Record<string, number | Numbers | readonly number[]>> = segment.rows[index]!;
  for (const spec of run.context.arrays) {
    const column = columnEntries().find(([name]) => name === spec.column)?.[1];
    if (spec.objective !== index || column?.compare === undefined) continue;
    const stored = await storedRow(run, spec.name, column, segment.segment);
    const computed = row[spec.column!]!;
    const expected = typeof computed === 'number' ? [computed] : computed;
    const difference = column.compare === 'allocation' ? relativeDifference : largestDifference;
    worst = larger(worst, { ...none, [column.compare]: difference(stored, expected) });
  }
  return worst;
}

/** What a column holds of a segment; by row of θ, at its start and at its end. */
async function storedRow(run: RunFolder, name: string, { axes }: Column, segment: number): Promise<number[]> {
  const rows = axes[0] === 'row' ? [segment, segment + 1] : [segment];
  const numbers: number[] = [];
  for (const row of rows) numbers.push(...(await rowOf(run, name, row)));
  return numbers;
}

function largestDifference(given: ArrayLike<number>, expected: ArrayLike<number>): number {
  let difference = 0;
  for (let k = 0; k < expected.length; k++)
    difference = Math.max(difference, Math.abs(given[k]! - expected[k]!));
  return difference;
}

/** Largest difference of two numbers, relative to the largest number expected. */
function relativeDifference(given: ArrayLike<number>, expected: ArrayLike<number>): number {
  const difference = largestDifference(given, expected);
  let largest = 0;
  for (let k = 0; k < expected.length; k++) largest = Math.max(largest, Math.abs(expected[k]!));
  return difference === 0 ? 0 : difference / largest;
}

async function rowOf(run: RunFolder, name: string, row: number): Promise<Numbers> {
  const array = run.array(name, { from: row, to: row + 1 });
  for await (const numbers of array.rows()) return numbers;
  throw new StoreError({
    given: `row ${row} of ${name}, which is not stored`,
    expected: 'a measured segment',
    remedy: 'go on with lca resume',
  });
}
