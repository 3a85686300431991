import { NumericError } from '../errors.js';
import { Spares } from '../num/spares.js';
import { plainLoops, type VectorLoops } from '../num/vector-loops.js';
import { type Ends, type MeanGradients, NestedMeans, SeparateMeans } from './means.js';
import { partsOf, rules, wantAt } from './rules.js';
import { checkSettings, type Level, levelsOf } from './settings.js';
import type { Evaluation, Integral, Integrand, IntegrationSettings } from './types.js';

export { baseNodes } from './rules.js';

/** What a caller of `integrate` may bring along. */
export interface IntegrationOptions {
  /** Where the mean gradients' arrays [K] come from; default new ones. */
  readonly spares?: Spares<Float64Array>;
  /** Whether enough signs are certain, where `settings.certify` asks; default: they are. */
  readonly isCertain?: (integral: Integral) => boolean;
  /** What goes over gradients; default the plain ones. */
  readonly loops?: VectorLoops;
}

/**
 * Integrates the gradients of several objectives along one segment, at shared points. Refines while abs(residual) of any objective
 * exceeds the tolerance, or signs are not certain enough, up to `maxSubintervals`. Every point is evaluated at most once, one after the other; memory is a few sums [K]
 * per objective, whatever the number of points.
 *
 * A gradient that is not finite makes the residual NaN or infinite and ends the refinement; the ledger then names tensor and index.
 *
 * @param delta Δθ [K].
 * @throws UsageError where a setting is out of range, NumericError where the loss of an end is not finite.
 */
export async function integrate(
  integrand: Integrand,
  delta: Float64Array,
  settings: IntegrationSettings,
  {
    spares = new Spares(() => new Float64Array(delta.length)),
    isCertain = () => true,
    loops = plainLoops,
  }: IntegrationOptions = {},
): Promise<Integral> {
  checkSettings(settings);
  let evaluations = 0;
  const counted: Integrand = (s, want) => {
    if (want === 'gradient') evaluations++;
    return integrand(s, want);
  };
  const atEnd = (s: 0 | 1) => counted(s, wantAt(settings.rule, s));
  const [start, end] = await Promise.all([atEnd(0), atEnd(1)]);
  const change = start.map((evaluation, o) => lossOf(end[o]!) - lossOf(evaluation));
  const means = meansOf(counted, { start, end }, settings, { spares, loops });
  const attempt = async (level: Level): Promise<Integral> => {
    const vectors = await means.at(level);
    const meanGradient = vectors.map(([gradient]) => gradient!);
    const meanAlong = vectors.map(([, ...along]) => along);
    const residual = meanGradient.map((gradient, o) => loops.dot(delta, gradient) - change[o]!);
    return {
      meanGradient,
      meanError: estimates(settings) ? means.error(level) : null,
      meanAlong,
      residual,
      subintervals: level.applications * partsOf(level.rule),
      evaluations,
    };
  };
  const floors = start.map(({ loss }, o) => resolutionOf(settings, loss, end[o]!.loss));
  const [first, ...finer] = levelsOf(settings);
  let integral = await attempt(first!);
  for (const level of finer) {
    if (isGoodEnough(integral.residual, settings.tolerance, floors) && isCertain(integral)) break;
    for (const mean of [...integral.meanGradient, ...(integral.meanError ?? [])]) spares.give(mean);
    integral = await attempt(level);
  }
  return integral;
}

/** Whether errors are estimated. */
function estimates({ certify = null }: IntegrationSettings): boolean {
  return certify !== null;
}

function meansOf(
  integrand: Integrand,
  ends: Ends,
  settings: IntegrationSettings,
  { spares, loops }: Required<Pick<IntegrationOptions, 'spares' | 'loops'>>,
): MeanGradients {
  const { rule } = settings;
  const { gridDepth } = rules[rule === 'adaptive' ? 'simpson' : rule];
  return gridDepth === null
    ? new SeparateMeans(integrand, spares, estimates(settings))
    : new NestedMeans(integrand, ends, { spares, loops }, gridDepth);
}

/** Residuals up to this are rounding of a segment's two losses. */
function resolutionOf({ resolution = 0 }: IntegrationSettings, start: number, end: number): number {
  return resolution * Math.max(Math.abs(start), Math.abs(end));
}

function isGoodEnough(
  residual: readonly number[],
  tolerance: number | null,
  floors: readonly number[],
): boolean {
  if (tolerance === null) return true;
  return (
    residual.some((value) => !Number.isFinite(value)) ||
    residual.every((value, o) => Math.abs(value) <= Math.max(tolerance, floors[o]!))
  );
}

function lossOf({ loss }: Evaluation): number {
  if (Number.isFinite(loss)) return loss;
  throw new NumericError(
    {
      given: `the loss at an end of the segment is ${loss}`,
      expected: 'a finite loss',
      remedy: 'lower the learning rate, or measure only the segments before training diverged',
    },
    { tensor: 'loss' },
  );
}
