import type { TensorSpan } from '../ledger/types.js';
import { l2Term, type L2Term } from '../optim/l2.js';
import { createOptimizer, type Optimizer, type OptimizerSettings } from '../optim/optimizer.js';
import type { RunConfig } from './config/schema.js';

type Layout = { readonly tensors: readonly TensorSpan[] };

/** The optimiser that a configuration states, for the tensors of θ. */
export function optimizerOf(config: RunConfig, { tensors }: Layout): Optimizer {
  return createOptimizer(settingsOf(config), tensors);
}

/** The L2 term of the measured loss; null where none was asked for, or no tensor has weight decay. */
export function measuredPenalty(config: RunConfig, { tensors }: Layout): L2Term | null {
  return config.measureWeightDecay ? l2Term(settingsOf(config), tensors) : null;
}

function settingsOf(config: RunConfig): OptimizerSettings {
  const { optimizer, momentum, meanSquareDecay, epsilon, clipNorm, schedule } = config;
  const optional = { momentum, meanSquareDecay, epsilon, clipNorm, schedule };
  const given = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== null));
  return {
    name: optimizer,
    learningRate: config.learningRate,
    weightDecay: config.weightDecay,
    groups: config.groups as NonNullable<OptimizerSettings['groups']>,
    ...given,
  };
}
