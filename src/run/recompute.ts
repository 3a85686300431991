import { inSinglePrecision } from '../graph/single-precision.js';
import type { Column } from '../ledger/column.js';
import { columnEntries } from '../ledger/columns.js';
import { measureRange, type MeasuredSegment } from '../ledger/measure-range.js';
import { type ArraySpec, isByRow } from '../format/arrays.js';
import { valueOf } from '../format/windows.js';
import type { Numbers } from '../ledger/types.js';
import type { IntegrationSettings } from '../quadrature/types.js';
import type { RunFolder } from '../store/folder.js';
import { checkSegments, type ProgressSink, type SegmentRange } from '../experiment/control.js';
import { defaultWorkers, engineNamed } from '../engines/registry.js';
import { objectivePlan, type Experiment } from '../experiment/experiment.js';
import { experimentOf } from '../experiment/manifest.js';
import type { Places } from '../experiment/places.js';
import { storedDirections } from './basis.js';
import type { ObjectivePlan } from '../objective/plan.js';
import { Evaluator } from '../objective/evaluator.js';

/** Kinds of deviation: of allocations relative to the segment's largest, of losses and residuals relative to the losses there. */
const kinds = ['allocation', 'loss', 'residual'] as const;

/** Deviations that need no explanation, by the precision of the engine that measured. */
const usual = {
  float32: { allocation: 1e-4, loss: 1e-5, residual: 1e-4 },
  float64: { allocation: 1e-9, loss: 1e-12, residual: 1e-11 },
} as const;

/**
 * How many times the effect of rounding single results to float32 a deviation may be: an engine rounds sums at every step, in an order
 * of its own.
 */
const roundings = 64;

interface RecomputeOptions {
  /** Segments to recompute, spread evenly over what is measured. */
  readonly sample: number;
  /** Which of them; default all that are measured. */
  readonly segments?: SegmentRange | undefined;
  readonly workers?: number | undefined;
  readonly progress: ProgressSink;
  readonly places?: Places | undefined;
}

/** What recomputing found, in words. */
export interface Recomputation {
  readonly findings: readonly { readonly where: string; readonly what: string }[];
  readonly facts: readonly string[];
}

/**
 * Computes a sample of segments anew with the float64 reference engine and compares them with what is stored; the engine that measured
 * need not be here. What deviates more than usual is compared with what float32 can tell there: the segment computed once more, every
 * result rounded to float32.
 */
export async function recompute(run: RunFolder, options: RecomputeOptions): Promise<Recomputation> {
  const segments = sampleOf(run, options);
  if (segments.length === 0)
    return { findings: [], facts: ['no segment is measured yet, so none was recomputed'] };
  const oracle = await engineNamed('reference');
  const experiment = await experimentOf(run, options.places, oracle.name);
  const workers = options.workers ?? defaultWorkers(oracle);
  const check = new Check(run, experiment, workers);
  const findings: { where: string; what: string }[] = [];
  let worst = none;
  options.progress.start(segments.length);
  try {
    for (const [index, from] of segments.entries()) {
      const { deviation, bound } = await check.segment(from);
      worst = larger(worst, deviation);
      if (!isWithin(deviation, bound)) {
        findings.push({
          where: `segment ${from}`,
          what: `differs from the reference engine: ${inWords(deviation)}; at most ${inWords(bound)} expected`,
        });
      }
      options.progress.update(index + 1);
    }
  } finally {
    options.progress.stop();
    await check.close();
  }
  return {
    findings,
    facts: [
      `${segments.length} ${segments.length === 1 ? 'segment' : 'segments'} recomputed in float64; largest deviations: ${inWords(worst)}`,
    ],
  };
}

/** As many of the measured segments as are asked for, evenly spread, the first and the last included where there are two or more. */
function sampleOf(
  run: RunFolder,
  { sample, segments }: Pick<RecomputeOptions, 'sample' | 'segments'>,
): number[] {
  if (segments !== undefined) checkSegments(segments, run.status.iterations);
  const { from, shape } = run.array('subintervals', segments);
  const used = Math.min(shape[0]!, sample);
  return Array.from(
    { length: used },
    (_, k) => from + (used === 1 ? 0 : Math.round((k * (shape[0]! - 1)) / (used - 1))),
  );
}

/** Largest difference by kind of column. */
type Deviation = Readonly<Record<NonNullable<Column['compare']>, number>>;

const none: Deviation = { allocation: 0, loss: 0, residual: 0 };

function larger(a: Deviation, b: Deviation): Deviation {
  return {
    allocation: Math.max(a.allocation, b.allocation),
    loss: Math.max(a.loss, b.loss),
    residual: Math.max(a.residual, b.residual),
  };
}

function times(factor: number, { allocation, loss, residual }: Deviation): Deviation {
  return { allocation: factor * allocation, loss: factor * loss, residual: factor * residual };
}

function isWithin(deviation: Deviation, bound: Deviation): boolean {
  return kinds.every((kind) => deviation[kind] <= bound[kind]);
}

function inWords({ allocation, loss, residual }: Deviation): string {
  return `allocations ${allocation.toExponential(1)} of the largest, losses ${loss.toExponential(1)} and residuals ${residual.toExponential(1)} of the loss`;
}

/** Numbers of one array in one segment. */
type Cells = (spec: ArraySpec) => Promise<ArrayLike<number>>;

/** Compares stored segments with the reference engine. */
class Check {
  readonly #stored: (name: string, row: number) => Promise<Numbers>;
  readonly #evaluators = new Map<'exact' | 'rounded', Promise<Evaluator>>();

  constructor(
    readonly run: RunFolder,
    readonly experiment: Experiment,
    readonly workers: number,
  ) {
    this.#stored = run.rowReader();
  }

  /** How far a stored segment is from the exact one, and how far it may be. */
  async segment(from: number): Promise<{ deviation: Deviation; bound: Deviation }> {
    const { precision } = this.run.manifest.definition;
    const exact = await this.#measure(from, 'exact');
    const deviation = await this.#compare(exact, (spec) => this.#storedCells(spec, from));
    const bound = usual[precision];
    if (precision === 'float64' || isWithin(deviation, bound)) return { deviation, bound };
    const rounded = await this.#measure(from, 'rounded');
    const effect = await this.#compare(exact, (spec) => Promise.resolve(cellsOf(rounded, spec)));
    // A probability next to 1 is off by 2^-24, and so is its loss, however small: relative to it that may be much.
    const loss = Math.max(effect.loss, this.#lossFloor(exact));
    return {
      deviation,
      bound: larger(bound, times(roundings, { ...effect, loss, residual: Math.max(effect.residual, loss) })),
    };
  }

  async close(): Promise<void> {
    for (const evaluator of this.#evaluators.values()) await (await evaluator).close();
  }

  #lossFloor({ rows }: MeasuredSegment): number {
    if (this.run.manifest.definition.unit !== 'nats') return 0;
    return Math.max(...rows.map(({ loss }) => 2 ** -24 / Math.max(...loss.map(Math.abs))));
  }

  #evaluator(kind: 'exact' | 'rounded'): Promise<Evaluator> {
    const known = this.#evaluators.get(kind);
    if (known !== undefined) return known;
    const plan = objectivePlan(this.experiment);
    const gradientGraph: ObjectivePlan['gradientGraph'] = (...kind) => inSinglePrecision(plan.gradientGraph(...kind)); // prettier-ignore
    const started = Evaluator.start(kind === 'exact' ? plan : { ...plan, gradientGraph }, this.workers);
    this.#evaluators.set(kind, started);
    return started;
  }

  async #measure(from: number, kind: 'exact' | 'rounded'): Promise<MeasuredSegment> {
    const evaluator = await this.#evaluator(kind);
    const range = measureRange({
      from,
      to: from + 1,
      theta: (row) => this.run.theta(row),
      evaluate: (theta, directions, want) => evaluator.evaluate(theta, directions, want),
      hasParts: this.experiment.objectives.some(({ division }) => division !== null),
      basis: await storedDirections(this.run),
      // The stored segment tells how far it was refined; the reference must use the same points.
      settings: await this.#storedSettings(from),
      layout: this.experiment.layout,
      precision: this.run.manifest.definition.precision,
    });
    for await (const segment of range) return segment;
    throw new TypeError(`segment ${from} is none`);
  }

  /** The rule and number of subintervals that a segment ended with, refinement off. */
  async #storedSettings(segment: number): Promise<IntegrationSettings> {
    const { rule, subintervals: first } = this.experiment.config;
    const subintervals = (await this.#stored('subintervals', segment))[0]!;
    // Adaptive goes on with Simpson at twice its first subintervals or more.
    const adaptive = subintervals === (first ?? 1) ? 'trapezoid' : 'simpson';
    return {
      rule: rule === 'adaptive' ? adaptive : rule,
      tolerance: null,
      subintervals,
      maxSubintervals: subintervals,
    };
  }

  /** What a column holds of a segment; by row of θ, at its start and at its end. */
  async #storedCells(spec: ArraySpec, segment: number): Promise<ArrayLike<number>> {
    const start = await this.#stored(spec.name, segment);
    return isByRow(spec) ? [...start, ...(await this.#stored(spec.name, segment + 1))] : start;
  }

  /** Every column that can be compared, of every objective. */
  async #compare(exact: MeasuredSegment, others: Cells): Promise<Deviation> {
    let worst = none;
    for (const spec of this.run.context.arrays) {
      const compare = columnEntries().find(([known]) => known === spec.column)?.[1].compare;
      if (compare === undefined || spec.objective === null) continue;
      const expected = cellsOf(exact, spec);
      const difference = largestDifference(await others(spec), expected);
      const scale = compare === 'allocation' ? expected : exact.rows[spec.objective]!.loss;
      const relative = difference === 0 ? 0 : difference / largestOf(scale);
      worst = larger(worst, { ...none, [compare]: relative });
    }
    return worst;
  }
}

function cellsOf({ rows }: MeasuredSegment, spec: ArraySpec): ArrayLike<number> {
  const cells = valueOf(rows[spec.objective!]!, spec);
  return typeof cells === 'number' ? [cells] : cells;
}

function largestDifference(given: ArrayLike<number>, expected: ArrayLike<number>): number {
  let difference = 0;
  for (let k = 0; k < expected.length; k++)
    difference = Math.max(difference, Math.abs(given[k]! - expected[k]!));
  return difference;
}

function largestOf(numbers: ArrayLike<number>): number {
  let largest = 0;
  for (let k = 0; k < numbers.length; k++) largest = Math.max(largest, Math.abs(numbers[k]!));
  return largest;
}
