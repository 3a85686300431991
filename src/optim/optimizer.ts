import { UsageError } from '../errors.js';
import type { Numbers } from '../num/sums.js';
import { checkGroups, resolveGroups } from './groups.js';
import type { GroupSettings, TensorSettings } from './groups.js';
import { rules } from './rules.js';
import type { RuleName } from './rules.js';
import { checkSchedule, scheduleFactor } from './schedule.js';
import type { Schedule } from './schedule.js';
import { requireNumber } from './settings.js';
import type { OptimizedTensor, OptimizerState, RuleSettings, Update } from './types.js';

/** An optimiser as a run states it. */
export interface OptimizerSettings {
  readonly name: RuleName;
  readonly learningRate: number;
  /** Share of the velocity kept (Adam: β₁), in [0, 1); default 0 for sgd and rmsprop, 0.9 for nesterov and adam. */
  readonly momentum?: number;
  /** Adam's β₂ (0.999) or RMSprop's ρ (0.9), in [0, 1). */
  readonly meanSquareDecay?: number;
  /** Default 1e-8 for adam, 1e-7 for rmsprop. */
  readonly epsilon?: number;
  /** L2: adds weightDecay · θ to the gradient; default 0. */
  readonly weightDecay?: number;
  /** Default constant. */
  readonly schedule?: Schedule;
  /** Gradients (before L2) of a larger Euclidean norm, over all tensors that train, are scaled down to it; default none. */
  readonly clipNorm?: number;
  /** Later groups override earlier ones. */
  readonly groups?: readonly GroupSettings[];
}

/** Where a tensor stands in θ, and what the rule uses on it at learning-rate factor 1. */
interface Span {
  readonly from: number;
  readonly to: number;
  readonly settings: RuleSettings;
  readonly frozenFrom: number;
}

/** Turns gradients into updates. It holds settings only; what it remembers is in the state that it is given. */
export interface Optimizer {
  /** K */
  readonly size: number;
  /** State before the first step: all slots zero. */
  createState(): OptimizerState;
  /**
   * Takes one step: writes the components of the update [K] and returns the next state, whose slots are those of `state`, updated
   * in place. θ and the gradient [K] of the mini-batch's mean loss are only read. Frozen tensors get exactly zero and their slots
   * stay as they are.
   */
  step(state: OptimizerState, theta: Numbers, gradient: Numbers, update: Update): OptimizerState;
}

/** Makes an optimiser for θ of the given tensors. Throws UsageError where a setting is out of range or a pattern fits no tensor. */
export function createOptimizer(settings: OptimizerSettings, tensors: readonly OptimizedTensor[]): Optimizer {
  checkSettings(settings, tensors);
  const rule = rules[settings.name];
  const spans = spansOf(settings, tensors);
  const size = spans.at(-1)?.to ?? 0;
  return {
    size,
    createState: () => ({
      step: 0,
      slots: Object.fromEntries(rule.slots.map((slot) => [slot, new Float64Array(size)])),
    }),
    step: ({ step, slots }, theta, gradient, update) => {
      const factor = scheduleFactor(settings.schedule ?? { kind: 'constant' }, step);
      const active = spans.filter((span) => step < span.frozenFrom);
      const gradientScale = clipScale(settings.clipNorm ?? Infinity, gradient, active);
      for (const component of Object.values(update)) component.fill(0);
      for (const { from, to, settings: own } of active) {
        const scheduled = { ...own, learningRate: own.learningRate * factor };
        rule.apply({
          from,
          to,
          settings: scheduled,
          count: step + 1,
          theta,
          gradient,
          gradientScale,
          slots,
          update,
        });
      }
      return { step: step + 1, slots };
    },
  };
}

function checkSettings(settings: OptimizerSettings, tensors: readonly OptimizedTensor[]): void {
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

function spansOf(settings: OptimizerSettings, tensors: readonly OptimizedTensor[]): Span[] {
  const { defaults } = rules[settings.name];
  const base: TensorSettings = {
    learningRate: settings.learningRate,
    momentum: settings.momentum ?? defaults.momentum,
    weightDecay: settings.weightDecay ?? 0,
    frozenFrom: Infinity,
  };
  const meanSquareDecay = settings.meanSquareDecay ?? defaults.meanSquareDecay;
  const epsilon = settings.epsilon ?? defaults.epsilon;
  let from = 0;
  return tensors.map((tensor) => {
    const { frozenFrom, ...own } = resolveGroups(base, settings.groups ?? [], tensor);
    const to = from + tensor.size;
    const span = { from, to, settings: { ...own, meanSquareDecay, epsilon }, frozenFrom };
    from = to;
    return span;
  });
}

/** Factor that brings the norm of the gradient over `spans` down to `limit`. */
function clipScale(limit: number, gradient: Numbers, spans: readonly Span[]): number {
  if (limit === Infinity) return 1;
  let squares = 0;
  for (const { from, to } of spans) for (let i = from; i < to; i++) squares += gradient[i]! ** 2;
  const norm = Math.sqrt(squares);
  return norm > limit ? limit / norm : 1;
}

/** Zeroed components of an update [K]. */
export function createUpdate(size: number): Update {
  return {
    gradient: new Float64Array(size),
    momentum: new Float64Array(size),
    weightDecay: new Float64Array(size),
  };
}

/**
 * Writes θ_{t+1}: the sum of θ_t and its update's components in float64, rounded once to float32. The trajectory is made of these
 * rounded rows; the ledger's Δθ is their difference, so the components add up to it only to float32 rounding.
 */
export function applyUpdate(theta: Float32Array, update: Update, next: Float32Array): void {
  const { gradient, momentum, weightDecay } = update;
  for (let i = 0; i < next.length; i++) {
    next[i] = theta[i]! + (gradient[i]! + momentum[i]! + weightDecay[i]!);
  }
}
