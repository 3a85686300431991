import { Spares } from '../num/spares.js';
import { plainLoops, type VectorLoops } from '../num/vector-loops.js';
import { baseNodes, integrate } from '../quadrature/integrate.js';
import { wantAt } from '../quadrature/rules.js';
import type { Evaluation, Integral, IntegrationSettings, Want } from '../quadrature/types.js';
import { allocate, type ComponentsInput, type PartsInput } from './allocate.js';
import { isSettled } from './certainty.js';
import { type LedgerRow, ledgerRow } from './columns.js';
import { checkEvaluated, type Evaluated } from './evaluated.js';
import type { ParameterLayout } from './types.js';

/** Everything that a range of segments is a pure function of. */
export interface RangeInput {
  /** First segment and the one after the last. */
  readonly from: number;
  readonly to: number;
  /** θ_t [K], float32. */
  readonly theta: (row: number) => Promise<Float32Array>;
  /**
   * Loss and gradient of each objective at θ [K], and slopes of parts along directions [K]: this segment's motion, then the next one's;
   * or losses alone, and then gradients may be empty.
   */
  readonly evaluate: (
    theta: Float64Array,
    directions: readonly Float64Array[],
    want: Want,
  ) => Promise<readonly Evaluated[]>;
  /** Evaluations that are worked on at once; default 3. Segments are begun ahead until there are so many. */
  readonly inFlight?: number;
  /**
   * Takes back results that are not needed any more. Given: arrays are used again, those handed to `evaluate`, and a segment's allocations
   * once the next segment is asked for.
   */
  readonly release?: (results: readonly Evaluated[]) => void;
  /** Whether objectives are divided into parts, whose slopes are asked for. Default false. */
  readonly hasParts?: boolean;
  /**
   * Splits the motion of a segment; asked once for each segment, in order. The arrays of the result may hold the next one's after the next
   * call. Default: nothing is split.
   */
  readonly split?: (segment: number, motion: Motion) => Promise<ComponentsInput>;
  /** Orthonormal directions [K] by which the total is divided; default none. */
  readonly basis?: readonly Float64Array[];
  readonly settings: IntegrationSettings;
  readonly layout: ParameterLayout;
  /** In which allocations are stored; default float32. */
  readonly precision?: 'float32' | 'float64';
  /** Those of the engine; default the plain ones. */
  readonly loops?: VectorLoops;
}

/** One measured segment: one ledger row per objective. */
export interface MeasuredSegment {
  /** t, from 0. */
  readonly segment: number;
  /** In the order of the objectives. */
  readonly rows: readonly LedgerRow[];
}

/** θ at the start and at the end of a segment [K], and Δθ [K]. */
export interface Motion {
  readonly from: Float32Array;
  readonly to: Float32Array;
  readonly delta: Float64Array;
}

/** One segment whose evaluations may already be under way. */
interface Segment {
  readonly index: number;
  readonly motion: Motion;
  /** Where the segment behind it ends, and its motion; null where it is not needed. */
  readonly ahead: Motion | null;
  /** Which of the directions of its start is its own motion. */
  readonly startDirection: 0 | 1;
  readonly at: (s: number) => Promise<readonly Evaluated[]>;
  /** Ends the use of everything but the results of the segment's end. */
  readonly close: () => Promise<void>;
}

/** Arrays [K] that are used again. */
interface RangeSpares {
  readonly float64: Spares<Float64Array>;
  readonly float32: Spares<Float32Array>;
}

function sparesOf({ size }: ParameterLayout): RangeSpares {
  return {
    float64: new Spares(() => new Float64Array(size)),
    float32: new Spares(() => new Float32Array(size)),
  };
}

function giveBack({ float64, float32 }: RangeSpares, array: Float32Array | Float64Array): void {
  if (array instanceof Float64Array) float64.give(array);
  else float32.give(array);
}

/**
 * Measures segments in order. The certain points of the next ones are started before the current one is finished, so
 * workers stay busy; the end of one segment is the start of the next.
 */
export async function* measureRange(input: RangeInput): AsyncGenerator<MeasuredSegment> {
  const spares = sparesOf(input.layout);
  for await (const current of openSegments(input, spares)) {
    const measured = await measureSegment(input, spares, current);
    await current.close();
    yield measured;
    if (input.release !== undefined) for (const { allocation } of measured.rows) giveBack(spares, allocation);
  }
}

/** Segments in order, each with others begun behind it; nobody waits for the rows of θ that these need. */
async function* openSegments(input: RangeInput, spares: RangeSpares): AsyncGenerator<Segment> {
  const ahead = segmentsAhead(input);
  const begun: Promise<Segment>[] = [];
  let before: Promise<Segment> | undefined;
  const begin = (index: number): void => {
    const previous = before;
    before = (async () => openSegment(input, spares, index, await previous))();
    // Whoever awaits it sees the error, when the segments in front of it are measured.
    before.catch(() => undefined);
    begun.push(before);
  };
  for (let index = input.from; index < input.to; index++) {
    begin(index);
    if (begun.length > ahead) yield await begun.shift()!;
  }
  for (const segment of begun) yield await segment;
}

/** Segments that are begun ahead: one at least, and so many that all evaluations in flight are used. */
function segmentsAhead({ inFlight = 3, settings: { rule, subintervals } }: RangeInput): number {
  // A segment's start is the end of the one before.
  const own = baseNodes(rule, subintervals).length - 1;
  return Math.max(1, Math.ceil(inFlight / own) - 1);
}

async function openSegment(
  input: RangeInput,
  spares: RangeSpares,
  index: number,
  before: Segment | undefined,
): Promise<Segment> {
  const from = before?.motion.to ?? (await input.theta(index));
  const motion = before?.ahead ?? (await motionTo(input, spares, index + 1, from));
  const { to, delta } = motion;
  const ahead = input.hasParts && index + 1 < input.to ? await motionTo(input, spares, index + 2, to) : null;
  const lent = [delta];
  const results = new Map<number, Promise<readonly Evaluated[]>>();
  if (before) results.set(0, before.at(1));
  const at = (s: number): Promise<readonly Evaluated[]> => {
    const earlier = results.get(s);
    if (earlier !== undefined) return earlier;
    const point = spares.float64.take();
    lent.push(point);
    setPoint(point, motion, s, input.loops);
    const directions = s === 1 && ahead !== null ? [delta, ahead.delta] : [delta];
    const want = wantAt(input.settings.rule, s);
    const evaluate = async () => {
      const evaluations = await input.evaluate(point, input.hasParts ? directions : [], want);
      checkEvaluated(evaluations, input.layout, {
        segment: index,
        want,
        ...(input.loops ? { loops: input.loops } : {}),
      });
      return evaluations;
    };
    const result = evaluate();
    // Whoever awaits the result sees the error; a prefetched one that nobody awaits must not end the process.
    result.catch(() => undefined);
    results.set(s, result);
    return result;
  };
  for (const s of baseNodes(input.settings.rule, input.settings.subintervals)) void at(s);
  const close = async (): Promise<void> => {
    if (input.release === undefined) return;
    for (const [s, result] of results) if (s !== 1) input.release(await result);
    for (const array of lent) spares.float64.give(array);
  };
  return { index, motion, ahead, startDirection: before ? 1 : 0, at, close };
}

/** Sets point [K] to θ_t + s Δθ_t in float64; exactly θ_t and θ_{t+1} at the ends. */
function setPoint(point: Float64Array, { from, to, delta }: Motion, s: number, loops = plainLoops): void {
  if (s === 1) loops.widen(point, to);
  else loops.move(point, from, delta, s);
}

/** Δθ = θ_row − from, in float64. */
async function motionTo(
  { theta, loops = plainLoops }: RangeInput,
  spares: RangeSpares,
  row: number,
  from: Float32Array,
): Promise<Motion> {
  const to = await theta(row);
  const delta = spares.float64.take();
  loops.subtract(delta, to, from);
  return { from, to, delta };
}

async function measureSegment(
  { settings, layout, precision = 'float32', split, basis = [], loops = plainLoops }: RangeInput,
  spares: RangeSpares,
  { index, motion, startDirection, at }: Segment,
): Promise<MeasuredSegment> {
  const { delta } = motion;
  const splitting = split?.(index, motion);
  // Whoever awaits it sees the error, unless another one ends the segment before.
  splitting?.catch(() => undefined);
  const integrand = async (s: number): Promise<readonly Evaluation[]> => {
    const evaluated = await at(s);
    return evaluated.map((each) => withParts(each, s === 0 ? startDirection : 0));
  };
  const isCertain = ({ meanGradient, meanError }: Integral) =>
    meanGradient.every((mean, o) =>
      isSettled(
        { delta, meanGradient: mean, meanError: meanError![o]!, layout, precision },
        settings.certify!,
      ),
    );
  const { meanGradient, meanError, meanAlong, subintervals, evaluations } = await integrate(
    integrand,
    delta,
    settings,
    { spares: spares.float64, loops, ...(settings.certify ? { isCertain } : {}) },
  );
  const [start, end, components = null] = await Promise.all([at(0), at(1), splitting]);
  const rows = meanGradient.map((mean, objective) => {
    const [from, to] = [start[objective]!, end[objective]!];
    const into = { exact: spares.float64.take(), stored: spares.float32.take() };
    const row = ledgerRow(
      allocate({
        delta,
        meanGradient: mean,
        meanError: meanError?.[objective] ?? null,
        startGradient: from.gradient,
        endGradient: to.gradient,
        lossStart: from.loss,
        lossEnd: to.loss,
        parts: partsBetween(from, to, meanAlong[objective]!),
        components,
        basis,
        layout,
        precision,
        subintervals,
        evaluations,
        into,
        loops,
      }),
    );
    spares.float64.give(mean);
    if (meanError !== null) spares.float64.give(meanError[objective]!);
    // The row's own array, exact or as float32, goes on its way.
    for (const array of [into.exact, into.stored]) if (array !== row.allocation) giveBack(spares, array);
    return row;
  });
  return { segment: index, rows };
}

/** What is integrated of an objective: its gradient, and along with it the slopes and gradients of its parts. */
function withParts({ loss, gradient, parts }: Evaluated, direction: number): Evaluation {
  if (parts === undefined) return { loss, gradient };
  const gradients = parts.gradients === null ? [] : [parts.gradients];
  // Where only losses were wanted there are no slopes, and nothing is integrated.
  return { loss, gradient, along: [...parts.slopes.slice(direction, direction + 1), ...gradients] };
}

/** What the parts of an objective did along a segment; null: it is not divided. */
function partsBetween(
  { parts: start }: Evaluated,
  { parts: end }: Evaluated,
  [slopes, gradients]: readonly Float64Array[],
): PartsInput | null {
  if (start === undefined || end === undefined) return null;
  return {
    lossStart: start.losses,
    lossEnd: end.losses,
    atomSums: slopes!,
    meanGradient: gradients ?? null,
    gradients: start.gradients && end.gradients && [start.gradients, end.gradients],
  };
}
