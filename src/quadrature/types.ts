/** Loss and gradient of several objectives (train, validation, …) at one point of a segment. */
export interface Evaluation {
  /** Loss of one objective, in nats. */
  readonly loss: number;
  /** Gradient [K] of that objective; empty where only the loss was wanted. */
  readonly gradient: Float64Array;
  /** Further vectors that are integrated with the same weights, such as the slopes of its parts; default none. */
  readonly along?: readonly Float64Array[];
}

/** What is evaluated at a point: loss and gradient, or the loss alone, which costs a forward pass. */
export type Want = 'gradient' | 'loss';

/**
 * s ∈ [0, 1] ↦ one evaluation per objective at θ_t + s Δθ_t. Must return the same for the same s; may be called early.
 * The gradients stay as they are until the integration ends.
 */
export type Integrand = (s: number, want: Want) => Promise<readonly Evaluation[]>;

export type RuleName =
  | 'left'
  | 'right'
  | 'midpoint'
  | 'trapezoid'
  | 'simpson'
  | 'boole'
  | 'gauss2'
  | 'gauss3'
  | 'kronrod7'
  /** Trapezoid first, then Simpson, then composite Simpson, only where the tolerance asks. */
  | 'adaptive';

export interface IntegrationSettings {
  readonly rule: RuleName;
  /** Refine while abs(residual) of any objective exceeds this (nats; the paper's 0.001); null: never refine. */
  readonly tolerance: number | null;
  /**
   * Equal parts of the segment to start with, as composite rules count them: Simpson on start, middle and end has 2, so it takes
   * multiples of 2, Boole multiples of 4, every other rule any number. Null: the rule's fewest.
   */
  readonly subintervals: number | null;
  /** Refinement stops here; the paper's 32. */
  readonly maxSubintervals: number;
  /**
   * Rounding of the losses, relative to their size: a residual below it says nothing, and refinement ends there whatever the tolerance.
   * Default 0.
   */
  readonly resolution?: number;
  /**
   * Estimate the error of each entry by a coarser rule on the same points, and refine until this share of the signs is certain; 0: never
   * refine for it. Null: no estimate. Default null.
   */
  readonly certify?: number | null;
}

/** The integral over one segment. */
export interface Integral {
  /** Σ_j w_j ∇L(θ_t + s_j Δθ_t) [K], one per objective. */
  readonly meanGradient: readonly Float64Array[];
  /** The mean gradients less those of the coarser rule on the same points [K], one per objective; null: no estimate was asked for. */
  readonly meanError: readonly Float64Array[] | null;
  /** The same of the further vectors, for each objective. */
  readonly meanAlong: readonly (readonly Float64Array[])[];
  /** Δθ · meanGradient − (L(θ_{t+1}) − L(θ_t)), one per objective. */
  readonly residual: readonly number[];
  readonly subintervals: number;
  /** Points of this segment where the gradient was evaluated, its start and end counted where it was. */
  readonly evaluations: number;
}
