import type { TensorSpan } from '../ledger/types.js';
import { createOptimizer, type Optimizer, type OptimizerSettings } from '../optim/optimizer.js';
import type { RunConfig } from './config.js';

/** The optimiser that a configuration states, for the tensors of θ. */
export function optimizerOf(
  config: RunConfig,
  layout: { readonly tensors: readonly TensorSpan[] },
): Optimizer {
  const { optimizer, momentum, meanSquareDecay, epsilon, clipNorm, schedule } = config;
  const optional = { momentum, meanSquareDecay, epsilon, clipNorm, schedule };
  const given = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== null));
  const settings: OptimizerSettings = {
    name: optimizer,
    learningRate: config.learningRate,
    weightDecay: config.weightDecay,
    groups: config.groups as NonNullable<OptimizerSettings['groups']>,
    ...given,
  };
  return createOptimizer(settings, layout.tensors);
}
