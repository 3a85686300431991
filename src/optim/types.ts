import type { Floats } from '../num/sums.js';

/** A trainable tensor's name and number of elements; θ is all of them in order. */
export interface OptimizedTensor {
  readonly name: string;
  readonly size: number;
  /** Default one axis. */
  readonly shape?: readonly number[];
}

/** Whose form a rule has where PyTorch and Keras differ: where ε stands, and whether the velocity holds learning rates. */
export const conventions = ['pytorch', 'keras'] as const;
export type Convention = (typeof conventions)[number];

/**
 * Components of an update, [K] each, whose sum is the update, in units of θ (signs as applied: θ' = θ + update): what this step's
 * gradient, older gradients and L2 contribute.
 */
export interface Update {
  readonly gradient: Float64Array;
  readonly momentum: Float64Array;
  readonly weightDecay: Float64Array;
  /** What the step adds to the rule's memory of gradients (a velocity, or Adam's mean) [K]. */
  readonly intake: Float64Array;
  /** How much of each unit that the memory keeps enters the update [K]: 1, or Adam's rate after preconditioning. */
  readonly recall: Float64Array;
  /** Factor by which clipping scaled the gradient; 1: not at all. */
  gradientScale: number;
}

/** What an optimiser remembers between steps. Plain data, in float64. */
export interface OptimizerState {
  /** Steps taken; the zero-based iteration of the next step. */
  readonly step: number;
  /** Arrays [K] by name, such as `velocity`. */
  readonly slots: Readonly<Record<string, Float64Array>>;
}

/** Floats that a rule uses on one tensor in one step. */
export interface RuleSettings {
  readonly learningRate: number;
  /** Share of the velocity kept; Adam's β₁. */
  readonly momentum: number;
  /** Adds weightDecay · θ to the gradient, as the loss ½ weightDecay ‖θ‖² would; of AdamW, Lion and Muon, −lr · weightDecay · θ to the step. */
  readonly weightDecay: number;
  /** Share of the mean square kept: Adam's β₂, RMSprop's ρ; of Lion, of the mean. */
  readonly meanSquareDecay: number;
  readonly epsilon: number;
  readonly convention: Convention;
}

/** One step of a rule on the elements `from` … `to` − 1 of θ. */
export interface RuleStep {
  readonly from: number;
  readonly to: number;
  readonly shape: readonly number[];
  readonly settings: RuleSettings;
  /** One-based number of this step. */
  readonly count: number;
  readonly theta: Floats;
  readonly gradient: Floats;
  /** Factor on the gradient (clipping). */
  readonly gradientScale: number;
  /** Updated in place. */
  readonly slots: OptimizerState['slots'];
  /** Written to. */
  readonly update: Update;
}

/** An update rule: pure arithmetic on what the step holds. */
export interface Rule {
  readonly slots: readonly string[];
  readonly defaults: Omit<RuleSettings, 'learningRate' | 'weightDecay'>;
  /** Share of the memory of gradients that a step leaves of it; null: steps are no sums over gradients, and are not split by age. */
  readonly fading: ((settings: RuleSettings) => number) | null;
  readonly apply: (step: RuleStep) => void;
  /**
   * Adds the update to θ, rounded once, without writing its components: what `apply` gives, to the bit, and slots that serve as well. Returns false, and does nothing,
   * where that is no less work. Left out: always.
   */
  readonly advance?: (step: Omit<RuleStep, 'update'> & { readonly theta: Float32Array }) => boolean;
}
