import type { TensorSpan } from '../ledger/types.js';
import { type ComponentSplitter, componentNames, createSplitter } from '../optim/components.js';
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

/** Splits the updates of that optimiser into components. */
export function splitterOf(config: RunConfig, { tensors }: Layout): ComponentSplitter {
  return createSplitter(settingsOf(config), tensors);
}

/** What Δθ has more than the components of the update: how θ was rounded to float32. It is the last of a run's components. */
export const rounding = 'rounding';

/** What the motion of a run's segments is split into: components of the optimiser, or those `recorded`, then rounding; none unless asked for. */
export function componentsOf(
  config: RunConfig,
  { tensors }: Layout,
  recorded: readonly string[] | null,
): readonly string[] {
  if (!config.components) return [];
  return [...(recorded ?? componentNames(settingsOf(config), tensors)), rounding];
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
