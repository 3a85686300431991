import { NumericError, UsageError } from '../errors.js';
import { firstNonFinite } from '../num/sums.js';
import { baseNodes, integrate } from '../quadrature/integrate.js';
import type { Evaluation, IntegrationSettings } from '../quadrature/types.js';
import { allocate } from './allocate.js';
import { type LedgerRow, ledgerRow } from './columns.js';
import { placeOf } from './layout.js';
import type { ParameterLayout } from './types.js';

/** Loss and gradient of one objective at one θ, with those of its parts. */
export interface Evaluated extends Evaluation {
  /** What each part contributes to the mean loss [parts]; left out: the objective is not divided. */
  readonly parts?: readonly Evaluation[];
}

/** Everything that a range of segments is a pure function of. */
export interface RangeInput {
  /** First segment and the one after the last. */
  readonly from: number;
  readonly to: number;
  /** θ_t [K], float32. */
  readonly theta: (row: number) => Promise<Float32Array>;
  /** Loss and gradient of each objective at θ [K]. */
  readonly evaluate: (theta: Float64Array) => Promise<readonly Evaluated[]>;
  readonly settings: IntegrationSettings;
  readonly layout: ParameterLayout;
  /** In which allocations are stored; default float32. */
  readonly precision?: 'float32' | 'float64';
}

/** One measured segment: one ledger row per objective. */
export interface MeasuredSegment {
  /** t, from 0. */
  readonly segment: number;
  /** In the order of the objectives. */
  readonly rows: readonly LedgerRow[];
}

/** One segment whose evaluations may already be under way. */
interface Segment {
  readonly index: number;
  readonly delta: Float64Array;
  readonly at: (s: number) => Promise<readonly Evaluated[]>;
}

/**
 * Measures segments in order. The next segment's certain points are started before the current one is finished, so
 * workers stay busy; the end of one segment is the start of the next.
 */
export async function* measureRange(input: RangeInput): AsyncGenerator<MeasuredSegment> {
  if (input.from >= input.to) return;
  let current = await openSegment(input, input.from, undefined);
  while (true) {
    const index = current.index + 1;
    const next = index < input.to ? await openSegment(input, index, current.at(1)) : undefined;
    yield await measureSegment(input, current);
    if (next === undefined) return;
    current = next;
  }
}

async function openSegment(
  input: RangeInput,
  index: number,
  start: Promise<readonly Evaluated[]> | undefined,
): Promise<Segment> {
  const [from, to] = await Promise.all([input.theta(index), input.theta(index + 1)]);
  const delta = motion(from, to);
  const started = new Map<number, Promise<readonly Evaluated[]>>();
  const evaluate = (s: number) => evaluateAt(input, index, pointAt(from, to, delta, s));
  if (start) started.set(0, start);
  for (const s of baseNodes(input.settings.rule, input.settings.subintervals)) {
    const result = started.get(s) ?? evaluate(s);
    // Whoever awaits the result sees the error; a prefetched one that nobody awaits must not end the process.
    result.catch(() => undefined);
    started.set(s, result);
  }
  const at = (s: number): Promise<readonly Evaluated[]> => {
    const result = started.get(s) ?? evaluate(s);
    // The ends are asked for again; an inner point is asked for once, and its gradients need not be kept.
    if (s !== 0 && s !== 1) started.delete(s);
    return result;
  };
  return { index, delta, at };
}

/** θ_t + s Δθ_t in float64; exactly θ_t and θ_{t+1} at the ends. */
function pointAt(from: Float32Array, to: Float32Array, delta: Float64Array, s: number): Float64Array {
  if (s === 1) return Float64Array.from(to);
  const point = new Float64Array(delta.length);
  for (let k = 0; k < point.length; k++) point[k] = from[k]! + s * delta[k]!;
  return point;
}

/** Δθ = θ_{t+1} − θ_t, in float64. A loop: `Float64Array.from` with a function takes ten times as long. */
function motion(from: Float32Array, to: Float32Array): Float64Array {
  const delta = new Float64Array(from.length);
  for (let k = 0; k < delta.length; k++) delta[k] = to[k]! - from[k]!;
  return delta;
}

async function evaluateAt(
  input: RangeInput,
  segment: number,
  theta: Float64Array,
): Promise<readonly Evaluated[]> {
  const evaluations = await input.evaluate(theta);
  for (const { loss, gradient } of evaluations) {
    if (!Number.isFinite(loss)) throw notFinite(segment, 'loss', 0, loss);
    requireWhole(gradient, input.layout);
    const index = firstNonFinite(gradient);
    if (index >= 0) {
      const place = placeOf(input.layout, index);
      throw notFinite(segment, place.tensor, place.index, gradient[index]!);
    }
  }
  return evaluations;
}

function requireWhole(gradient: Float64Array, { size }: ParameterLayout): void {
  if (gradient.length === size) return;
  throw new UsageError({
    given: `a gradient of ${gradient.length} numbers`,
    expected: `${size}, one for each parameter`,
    remedy: 'give the gradient of all parameters, in the order of the layout',
  });
}

function notFinite(iteration: number, tensor: string, index: number, value: number): NumericError {
  const what = tensor === 'loss' ? 'the loss' : `the gradient of ${tensor}[${index}]`;
  return new NumericError(
    {
      given: `${what} is ${value} in iteration ${iteration}`,
      expected: 'finite numbers',
      remedy: 'train with a lower learning rate; what was stored before this iteration stays valid',
    },
    { iteration, tensor, index },
  );
}

async function measureSegment(
  { settings, layout, precision = 'float32' }: RangeInput,
  { index, delta, at }: Segment,
): Promise<MeasuredSegment> {
  const { meanGradient, subintervals, evaluations } = await integrate(at, delta, settings);
  const [start, end] = await Promise.all([at(0), at(1)]);
  const rows = meanGradient.map((mean, objective) => {
    const [from, to] = [start[objective]!, end[objective]!];
    return ledgerRow(
      allocate({
        delta,
        meanGradient: mean,
        startGradient: from.gradient,
        lossStart: from.loss,
        lossEnd: to.loss,
        partLossStart: partLosses(from),
        partLossEnd: partLosses(to),
        layout,
        precision,
        subintervals,
        evaluations,
      }),
    );
  });
  return { segment: index, rows };
}

function partLosses({ loss, parts }: Evaluated): number[] {
  return parts === undefined ? [loss] : parts.map((part) => part.loss);
}
