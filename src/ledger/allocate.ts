import { NumericError, type NumericLocation } from '../errors.js';
import { maxFloat32, plainLoops, type VectorLoops } from '../num/vector-loops.js';
import { type AtomTally, byAxis, countAtoms, sumAtoms } from './atoms.js';
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
  /** Their gradients at both ends [2][parts, K], where that is kept; else null. */
  readonly gradients: readonly [start: Float64Array, end: Float64Array] | null;
}

/** Δθ split into what the update was made of. */
export interface ComponentsInput {
  /** Components [K] that add up to Δθ within rounding to float64. */
  readonly parts: readonly Float64Array[];
  /** Whether their allocations are kept by parameter. */
  readonly byParameter: boolean;
}

/** What was measured of one objective along one segment. */
export interface SegmentInput {
  /** Δθ [K]. */
  readonly delta: Float64Array;
  /** Σ_j w_j ∇L(θ_t + s_j Δθ_t) [K]. */
  readonly meanGradient: Float64Array;
  /** The mean gradient less that of a coarser rule on the same points [K]; null or left out: errors are not estimated. */
  readonly meanError?: Float64Array | null;
  /** ∇L(θ_t) [K], for the left rule's residual, and ∇L(θ_{t+1}); empty where the rule has no nodes at the ends. */
  readonly startGradient: Float64Array;
  readonly endGradient: Float64Array;
  /** L(θ_t) and L(θ_{t+1}), nats. */
  readonly lossStart: number;
  readonly lossEnd: number;
  /** Of its parts, which add up to the whole; null or left out: it is not divided. */
  readonly parts?: PartsInput | null;
  /** Null or left out: the update is not split. */
  readonly components?: ComponentsInput | null;
  /** Orthonormal directions [K] by which the total is divided; default none. */
  readonly basis?: readonly Float64Array[];
  readonly layout: ParameterLayout;
  /** In which allocations are stored; default float32. Sums are float64 always. */
  readonly precision?: 'float32' | 'float64';
  /** Equal parts of the segment that the rule ended with. */
  readonly subintervals: number;
  /** Points of the segment that were evaluated. */
  readonly evaluations: number;
  /** Arrays [K] for the products, exact and as float32 (not used where they are stored as float64); default new ones. */
  readonly into?: { readonly exact: Float64Array; readonly stored: Float32Array };
  /** Default the plain ones. */
  readonly loops?: VectorLoops;
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
  /** The same in the precision in which they are stored [K]. */
  readonly stored: Float32Array | Float64Array;
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

/**
 * Allocates one segment's loss change to the parameters: a = Δθ ∘ mean gradient (paper, equations 3 and 4), with its sums in float64.
 *
 * @throws NumericError naming tensor and index where a number is not finite, or too large to be stored as float32.
 */
export function allocate(input: SegmentInput): Allocated {
  const { delta, meanGradient, lossStart, lossEnd, layout, precision, into, loops = plainLoops } = input;
  checkLoss(lossStart);
  checkLoss(lossEnd);
  const exact = into?.exact ?? new Float64Array(layout.size);
  const stored = precision === 'float64' ? exact : (into?.stored ?? new Float32Array(layout.size));
  const bad = loops.multiply(exact, stored, delta, meanGradient);
  if (bad > 0) reportTerm('allocation', delta, meanGradient, layout);
  const atoms = byAxis((axis) => sumAtoms(exact, layout.atoms[axis], loops));
  const sums = groupSums(exact, layout, atoms.neuronAxis, loops);
  if (!Number.isFinite(sums.total)) reportTerm('allocation', delta, meanGradient, layout);
  const tallies = byAxis((axis) => ({
    sums: atoms[axis].results(),
    ...countAtoms(exact, layout.atoms[axis], loops),
  }));
  const layers = groupingNamed(layout, 'layer');
  const counts = {
    helping: gatherCounts(layers, tallies[layers.axis].helping),
    hurting: gatherCounts(layers, tallies[layers.axis].hurting),
    zero: gatherCounts(layers, tallies[layers.axis].zero),
  };
  const { meanError = null } = input;
  const certainty = meanError && certaintyOf({ ...input, meanError });
  return { ...input, exact, stored, sums, counts, tallies, certainty, lossChange: lossEnd - lossStart };
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
