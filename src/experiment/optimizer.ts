import { UsageError } from '../errors.js';
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

/** Examples of all mini-batches of a step. */
export function stepExamples({ batchSize, accumulate }: Pick<RunConfig, 'batchSize' | 'accumulate'>): number {
  return batchSize * accumulate;
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
  const { optimizer, epsilon, clipNorm, schedule, convention } = config;
  const momentum = oneOf(config, 'momentum', 'beta1');
  const meanSquareDecay = oneOf(config, 'meanSquareDecay', 'beta2');
  const optional = { momentum, meanSquareDecay, epsilon, clipNorm, schedule, convention };
  const given = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== null));
  return {
    name: optimizer,
    learningRate: config.learningRate,
    weightDecay: config.weightDecay,
    groups: config.groups as NonNullable<OptimizerSettings['groups']>,
    ...given,
  };
}

/** The value of a setting of two names. Throws UsageError where both are given. */
function oneOf<K extends 'momentum' | 'meanSquareDecay'>(
  config: RunConfig,
  name: K,
  other: 'beta1' | 'beta2',
): number | null {
  if (config[name] === null || config[other] === null) return config[name] ?? config[other];
  throw new UsageError({
    given: `${name} ${config[name]} and ${other} ${config[other]}`,
    expected: 'one of them: they are the same setting',
    remedy: `leave out ${name}`,
  });
}
