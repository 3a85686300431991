import { UsageError } from '../errors.js';
import type { TensorSpan } from '../ledger/types.js';
import { type ComponentSplitter, componentNames, createSplitter } from '../optim/components.js';
import { l2Term, type L2Term } from '../optim/l2.js';
import {
  applyUpdate,
  createOptimizer,
  createUpdate,
  type Optimizer,
  type OptimizerSettings,
} from '../optim/optimizer.js';
import type { Update } from '../optim/types.js';
import type { RunConfig } from './config/schema.js';

type Layout = { readonly tensors: readonly TensorSpan[] };

/** The optimiser that a configuration states, for the tensors of θ; of a forked run, each iteration with the settings that hold in it. */
export function optimizerOf(config: RunConfig, { tensors }: Layout): Optimizer {
  const last = createOptimizer(settingsOf(config, tensors), tensors);
  if (config.forks.length === 0) return last;
  const phases = config.forks.map(({ at, before }) => ({ at, own: createOptimizer(settingsOf(before, tensors), tensors) })); // prettier-ignore
  requireOneMemory([...phases.map(({ own }) => own), last]);
  const before = (step: number): Optimizer | undefined => phases.find(({ at }) => step < at)?.own;
  let scratch: Update | null = null;
  return {
    ...last,
    step: (state, ...given) => (before(state.step) ?? last).step(state, ...given),
    advance: (state, theta, gradient) => {
      const own = before(state.step);
      if (own === undefined) return last.advance(state, theta, gradient);
      // Steps of another kind follow, so that a slot must hold what these take of it: `advance` leaves what its own kind does not need.
      scratch ??= createUpdate(last.size);
      const next = own.step(state, theta, gradient, scratch);
      applyUpdate(theta, scratch, theta);
      return next;
    },
  };
}

/** Throws UsageError where optimisers do not remember the same: what one has remembered would mean nothing to the next. */
function requireOneMemory(optimizers: readonly Optimizer[]): void {
  const memories = optimizers.map((own) => Object.keys(own.createState().slots).join(' and '));
  const other = memories.find((memory) => memory !== memories[0]);
  if (other === undefined) return;
  throw new UsageError({
    given: `an optimiser that remembers ${memories[0]!}, and from a fork on one that remembers ${other}`,
    expected: 'optimisers that remember the same, such as sgd and nesterov',
    remedy: 'fork with the same optimiser, or start a new run from θ with --init',
  });
}

/** The settings of training that held before iteration `at`: what a fork there must state. */
export function settingsBefore(config: RunConfig, at: number): TrainingSettings {
  const { optimizer, learningRate, momentum, meanSquareDecay, beta1, beta2, epsilon, convention, weightDecay, clipNorm, schedule, groups } =
    config.forks.find((fork) => at <= fork.at)?.before ?? config;
  return { optimizer, learningRate, momentum, meanSquareDecay, beta1, beta2, epsilon, convention, weightDecay, clipNorm, schedule, groups };
} // prettier-ignore

/** Examples of all mini-batches of a step. */
export function stepExamples({ batchSize, accumulate }: Pick<RunConfig, 'batchSize' | 'accumulate'>): number {
  return batchSize * accumulate;
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

/**
 * What the motion of a run's segments is split into: components of the optimiser, or those `recorded`, then rounding; none unless asked for.
 * Throws UsageError for a forked run.
 */
export function componentsOf(
  config: RunConfig,
  { tensors }: Layout,
  recorded: readonly string[] | null,
): readonly string[] {
  if (!config.components) return [];
  if (config.forks.length > 0) {
    throw new UsageError({
      given: 'components of a forked run, whose settings change in the middle',
      expected: 'one kind of memory of gradients from the first step on',
      remedy: 'leave out components, or look at those of the run that it was forked from',
    });
  }
  const moving = tensors.some(({ kind }) => kind === 'statistics') ? [statisticsComponent] : [];
  return [...(recorded ?? componentNames(settingsOf(config, tensors), tensors)), ...moving, rounding];
}

/** What a configuration says about the optimiser. */
export type TrainingSettings = RunConfig['forks'][number]['before'];

/** No optimiser moves running statistics, and none decays. */
function settingsOf(config: TrainingSettings, tensors: Layout['tensors']): OptimizerSettings {
  const { optimizer, epsilon, clipNorm, schedule, convention } = config;
  const momentum = oneOf(config, 'momentum', 'beta1');
  const meanSquareDecay = oneOf(config, 'meanSquareDecay', 'beta2');
  const optional = { momentum, meanSquareDecay, epsilon, clipNorm, schedule, convention };
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

/** The value of a setting of two names. Throws UsageError where both are given. */
function oneOf<K extends 'momentum' | 'meanSquareDecay'>(
  config: TrainingSettings,
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
