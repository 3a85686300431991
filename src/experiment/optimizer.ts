import type { TensorSpan } from '../ledger/types.js';
import { type ComponentSplitter, componentNames, createSplitter } from '../optim/components.js';
import { l2Term, type L2Term } from '../optim/l2.js';
import { createOptimizer, type Optimizer, type OptimizerSettings } from '../optim/optimizer.js';
import type { RunConfig } from './config/schema.js';

type Layout = { readonly tensors: readonly TensorSpan[] };

/** The optimiser that a configuration states, for the tensors of θ. */
export function optimizerOf(config: RunConfig, { tensors }: Layout): Optimizer {
  return createOptimizer(settingsOf(config, tensors), tensors);
}

/** The L2 term of the measured loss; null where none was asked for, or no tensor has weight decay. */
export function measuredPenalty(config: RunConfig, { tensors }: Layout): L2Term | null {
  return config.measureWeightDecay ? l2Term(settingsOf(config, tensors), tensors) : null;
}

/** Splits the updates of that optimiser into components. */
export function splitterOf(config: RunConfig, { tensors }: Layout): ComponentSplitter {
  return createSplitter(settingsOf(config, tensors), tensors);
}

/** What Δθ has more than the components of the update: how θ was rounded to float32. It is the last of a run's components. */
export const rounding = 'rounding';

/** How running statistics moved, which no gradient does. */
const statisticsComponent = 'statistics';

/** What the motion of a run's segments is split into: components of the optimiser, or those `recorded`, then rounding; none unless asked for. */
export function componentsOf(
  config: RunConfig,
  { tensors }: Layout,
  recorded: readonly string[] | null,
): readonly string[] {
  if (!config.components) return [];
  const moving = tensors.some(({ kind }) => kind === 'statistics') ? [statisticsComponent] : [];
  return [...(recorded ?? componentNames(settingsOf(config, tensors), tensors)), ...moving, rounding];
}

/** No optimiser moves running statistics, and none decays. */
function settingsOf(config: RunConfig, tensors: Layout['tensors']): OptimizerSettings {
  const { optimizer, momentum, meanSquareDecay, epsilon, clipNorm, schedule } = config;
  const optional = { momentum, meanSquareDecay, epsilon, clipNorm, schedule };
  const names = tensors.flatMap(({ name, kind }) => (kind === 'statistics' ? [name] : []));
  const untrained = names.length === 0 ? [] : [{ match: names, frozen: true, weightDecay: 0 }];
  const given = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== null));
  return {
    name: optimizer,
    learningRate: config.learningRate,
    weightDecay: config.weightDecay,
    groups: [...(config.groups as NonNullable<OptimizerSettings['groups']>), ...untrained],
    ...given,
  };
}
