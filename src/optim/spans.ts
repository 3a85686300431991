import { UsageError } from '../errors.js';
import { checkGroups, resolveGroups } from './groups.js';
import type { GroupSettings, TensorSettings } from './groups.js';
import { rules } from './rules.js';
import type { RuleName } from './rules.js';
import { checkSchedule } from './schedule.js';
import type { Schedule } from './schedule.js';
import { requireNumber } from './settings.js';
import type { Convention, OptimizedTensor, RuleSettings } from './types.js';

/** An optimiser as a run states it. */
export interface OptimizerSettings {
  readonly name: RuleName;
  readonly learningRate: number;
  /** Share of the velocity kept (Adam: β₁), in [0, 1); default 0 for sgd and rmsprop, 0.95 for muon, else 0.9. */
  readonly momentum?: number;
  /** Adam's, AdamW's β₂ (0.999), Lion's (0.99) or RMSprop's ρ (0.9), in [0, 1). */
  readonly meanSquareDecay?: number;
  /** Default 1e-8 for adam, adamw and muon, 1e-7 for rmsprop. */
  readonly epsilon?: number;
  /** Whose form the rule has where frameworks differ; default Keras's for sgd, nesterov, adam and rmsprop, else PyTorch's. */
  readonly convention?: Convention;
  /** L2: adds weightDecay · θ to the gradient; of adamw, lion and muon decoupled, a share of θ by itself. Default 0. */
  readonly weightDecay?: number;
  /** Default constant. */
  readonly schedule?: Schedule;
  /** Gradients (before L2) of a larger Euclidean norm, over all tensors that train, are scaled down to it; default none. */
  readonly clipNorm?: number;
  /** Later groups override earlier ones. */
  readonly groups?: readonly GroupSettings[];
}

/** Where a tensor stands in θ, and what the rule uses on it at learning-rate factor 1. */
export interface Span {
  readonly from: number;
  readonly to: number;
  readonly shape: readonly number[];
  readonly settings: RuleSettings;
  readonly frozenFrom: number;
}

/** Throws UsageError where a setting is out of range or a group's pattern fits no tensor. */
export function checkSettings(settings: OptimizerSettings, tensors: readonly OptimizedTensor[]): void {
  if (!Object.hasOwn(rules, settings.name)) {
    throw new UsageError({
      given: `optimiser ${settings.name}`,
      expected: `one of ${Object.keys(rules).join(', ')}`,
      remedy: 'check the spelling',
    });
  }
  requireNumber('learningRate', settings.learningRate, { above: 0 });
  if (settings.momentum !== undefined) requireNumber('momentum', settings.momentum, { min: 0, below: 1 });
  if (settings.meanSquareDecay !== undefined) {
    requireNumber('meanSquareDecay', settings.meanSquareDecay, { min: 0, below: 1 });
  }
  if (settings.epsilon !== undefined) requireNumber('epsilon', settings.epsilon, { above: 0 });
  if (settings.weightDecay !== undefined) requireNumber('weightDecay', settings.weightDecay, { min: 0 });
  if (settings.clipNorm !== undefined) requireNumber('clipNorm', settings.clipNorm, { above: 0 });
  if (settings.schedule !== undefined) checkSchedule(settings.schedule);
  checkGroups(settings.groups ?? [], tensors);
}

/** Every tensor's place and settings, in order of θ, once `checkSettings` has passed. */
export function spansOf(settings: OptimizerSettings, tensors: readonly OptimizedTensor[]): Span[] {
  const { defaults } = rules[settings.name];
  const base: TensorSettings = {
    learningRate: settings.learningRate,
    momentum: settings.momentum ?? defaults.momentum,
    weightDecay: settings.weightDecay ?? 0,
    frozenFrom: Infinity,
  };
  const meanSquareDecay = settings.meanSquareDecay ?? defaults.meanSquareDecay;
  const epsilon = settings.epsilon ?? defaults.epsilon;
  const convention = settings.convention ?? defaults.convention;
  let from = 0;
  return tensors.map((tensor) => {
    const { frozenFrom, ...own } = resolveGroups(base, settings.groups ?? [], tensor);
    const to = from + tensor.size;
    const { shape = [tensor.size] } = tensor;
    const span = { from, to, shape, settings: { ...own, meanSquareDecay, epsilon, convention }, frozenFrom };
    from = to;
    return span;
  });
}
