import { NumericError, type NumericLocation } from '../errors.js';
import { type AtomTally, tallyAtoms } from './atoms.js';
import { type Certainty, certaintyOf } from './certainty.js';
import { gatherCounts, groupingNamed } from './groupings.js';
import { placeOf } from './layout.js';
import { type GroupSums, groupSums } from './sums.js';
import type { AtomAxis, ParameterLayout } from './types.js';

/** What was measured of the parts of an objective along one segment. */
export interface PartsInput {
  /** What each contributes to L(θ_t) and L(θ_{t+1}) [parts]. */
  readonly lossStart: Float64Array;
  readonly lossEnd: Float64Array;
  /** Allocation of each atom of the layout [parts, atoms]: Σ_j w_j Σ Δθ ∘ ∇L(θ_t + s_j Δθ_t) of the part. */
  readonly atomSums: Float64Array;
  /** Σ_j w_j ∇L(θ_t + s_j Δθ_t) of each part [parts, K], where single parameters' allocations are kept; else null. */
  readonly meanGradient: Float64Array | null;
}

/** What was measured of one objective along one segment. */
export interface SegmentInput {
  /** Δθ [K]. */
  readonly delta: Float64Array;
  /** Σ_j w_j ∇L(θ_t + s_j Δθ_t) [K]. */
  readonly meanGradient: Float64Array;
  /** The mean gradient less that of a coarser rule on the same points [K]; null or left out: errors are not estimated. */
  readonly meanError?: Float64Array | null;
  /** ∇L(θ_t) [K], for the left rule's residual; empty where the rule does not need it. */
  readonly startGradient: Float64Array;
  /** L(θ_t) and L(θ_{t+1}), nats. */
  readonly lossStart: number;
  readonly lossEnd: number;
  /** Of its parts, which add up to the whole; null or left out: it is not divided. */
  readonly parts?: PartsInput | null;
  readonly layout: ParameterLayout;
  /** In which allocations are stored; default float32. Sums are float64 always. */
  readonly precision?: 'float32' | 'float64';
  /** Equal parts of the segment that the rule ended with. */
  readonly subintervals: number;
  /** Points of the segment that were evaluated. */
  readonly evaluations: number;
  /** Array [K] for the products; default a new one. */
  readonly into?: Float64Array;
}

/** Entries below, above and exactly zero, per layer [layers]. */
export interface SignCounts {
  readonly helping: Int32Array;
  readonly hurting: Int32Array;
  readonly zero: Int32Array;
}

/** One objective's allocations of one segment: what all columns of the ledger are computed from. */
export interface Allocated extends SegmentInput {
  /** a = Δθ ∘ mean gradient [K], rounded once to float64. */
  readonly exact: Float64Array;
  /** Of `exact`, before it is rounded for storing. */
  readonly sums: GroupSums;
  readonly counts: SignCounts;
  /** Sums and counts of `exact` by atom, along each axis. */
  readonly tallies: Readonly<Record<AtomAxis, AtomTally>>;
  /** Which signs are certain; null: not asked for. */
  readonly certainty: Certainty | null;
  /** L(θ_{t+1}) − L(θ_t). */
  readonly lossChange: number;
}

const maxFloat32 = (2 - 2 ** -23) * 2 ** 127;

/**
 * Allocates one segment's loss change to the parameters: a = Δθ ∘ mean gradient (paper, equations 3 and 4), with its sums in float64.
 *
 * @throws NumericError naming tensor and index where a number is not finite, or too large to be stored as float32.
 */
export function allocate(input: SegmentInput): Allocated {
  const { delta, meanGradient, lossStart, lossEnd, layout } = input;
  checkLoss(lossStart);
  checkLoss(lossEnd);
  const exact = input.into ?? new Float64Array(layout.size);
  multiply(exact, delta, meanGradient, layout);
  const sums = groupSums(exact, layout);
  if (!Number.isFinite(sums.total)) reportTerm('allocation', delta, meanGradient, layout);
  const { neuronAxis, inputAxis } = layout.atoms;
  const tallies = {
    neuronAxis: tallyAtoms(exact, neuronAxis),
    inputAxis: tallyAtoms(exact, inputAxis),
  };
  const layers = groupingNamed(layout, 'layer');
  const counts = {
    helping: gatherCounts(layers, tallies[layers.axis].helping),
    hurting: gatherCounts(layers, tallies[layers.axis].hurting),
    zero: gatherCounts(layers, tallies[layers.axis].zero),
  };
  const { meanError = null } = input;
  const certainty = meanError && certaintyOf({ ...input, meanError });
  return { ...input, exact, sums, counts, tallies, certainty, lossChange: lossEnd - lossStart };
}

/** Writes the products [K] in float64. */
function multiply(
  exact: Float64Array,
  delta: Float64Array,
  gradient: Float64Array,
  layout: ParameterLayout,
): void {
  for (let k = 0; k < exact.length; k++) {
    const value = delta[k]! * gradient[k]!;
    if (!(Math.abs(value) <= maxFloat32)) reportTerm('allocation', delta, gradient, layout);
    exact[k] = value;
  }
}

/**
 * Finds the first product of two vectors [K] that is not finite or too large and throws; where each is fine by itself, their sum is not.
 *
 * @throws NumericError always.
 */
export function reportTerm(
  what: string,
  delta: Float64Array,
  gradient: Float64Array,
  layout: ParameterLayout,
): never {
  const at = delta.findIndex((step, k) => !(Math.abs(step * gradient[k]!) <= maxFloat32));
  if (at < 0) throw notFinite(`the sum of the ${what}`, Infinity, {});
  const place = placeOf(layout, at);
  throw notFinite(`the ${what} of ${place.tensor}[${place.index}]`, delta[at]! * gradient[at]!, place);
}

function checkLoss(loss: number): void {
  if (!Number.isFinite(loss)) throw notFinite('the loss', loss, { tensor: 'loss' });
}

function notFinite(what: string, value: number, location: NumericLocation): NumericError {
  return new NumericError(
    {
      given: `${what} is ${value}`,
      expected: `a finite number, at most ${maxFloat32.toPrecision(3)} in size`,
      remedy: 'train with a lower learning rate; what was stored before stays valid',
    },
    location,
  );
}
