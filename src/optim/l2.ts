import { UsageError } from '../errors.js';
import { sum } from '../num/sums.js';
import type { Floats } from '../num/sums.js';
import { modernRules } from './modern.js';
import { checkSettings, spansOf } from './spans.js';
import type { OptimizerSettings } from './spans.js';
import type { OptimizedTensor } from './types.js';

/** The L2 term that an optimiser's weight decay stands for, for a measured loss that includes it. */
export interface L2Term {
  /** ½ Σ weightDecayₖ θₖ², in the loss's unit; frozen tensors count too. */
  loss(theta: Floats): number;
  /** Adds its gradient, weightDecayₖ θₖ, to `gradient` [K]. */
  addGradient(theta: Floats, gradient: Float64Array): void;
}

/** The L2 term of an optimiser; null where no tensor has weight decay. Throws UsageError as `createOptimizer` does, and where weight decay is decoupled. */
export function l2Term(settings: OptimizerSettings, tensors: readonly OptimizedTensor[]): L2Term | null {
  checkSettings(settings, tensors);
  if (Object.hasOwn(modernRules, settings.name)) {
    throw new UsageError({
      given: `measureWeightDecay with ${settings.name}, whose decay is no term of a loss`,
      expected: 'an optimiser that adds L2 to the gradient: sgd, nesterov, adam or rmsprop',
      remedy: 'measure the loss without it; --components keeps what the decay does apart',
    });
  }
  const spans = spansOf(settings, tensors).filter((span) => span.settings.weightDecay > 0);
  if (spans.length === 0) return null;
  return {
    loss: (theta) =>
      sum(
        spans.map(({ from, to, settings: { weightDecay } }) => {
          const squares = Float64Array.from(theta.subarray(from, to), (value) => value * value);
          return 0.5 * weightDecay * sum(squares);
        }),
      ),
    addGradient: (theta, gradient) => {
      for (const { from, to, settings: own } of spans) {
        for (let i = from; i < to; i++) gradient[i]! += own.weightDecay * theta[i]!;
      }
    },
  };
}
