import type { Floats } from '../num/sums.js';
import { rules } from './rules.js';
import { scheduleFactor } from './schedule.js';
import { checkSettings, spansOf } from './spans.js';
import type { OptimizerSettings, Span } from './spans.js';
import type { OptimizedTensor, OptimizerState, Update } from './types.js';

export type { OptimizerSettings };

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
  step(state: OptimizerState, theta: Floats, gradient: Floats, update: Update): OptimizerState;
  /**
   * Takes one step where nobody asks for the components: θ [K] becomes what `step` and `applyUpdate` make of it, to the bit. Returns the next state, which serves
   * further steps of the same kind: a slot that no later step takes anything of may keep what it had.
   */
  advance(state: OptimizerState, theta: Float32Array, gradient: Floats): OptimizerState;
}

/** Makes an optimiser for θ of the given tensors. Throws UsageError where a setting is out of range or a pattern fits no tensor. */
export function createOptimizer(settings: OptimizerSettings, tensors: readonly OptimizedTensor[]): Optimizer {
  checkSettings(settings, tensors);
  const rule = rules[settings.name];
  const spans = spansOf(settings, tensors);
  const size = spans.at(-1)?.to ?? 0;
  /** The spans that a step moves, with the rates of that step, those that it leaves, and how the gradient is clipped. */
  const begin = (step: number, gradient: Floats) => {
    const factor = scheduleFactor(settings.schedule ?? { kind: 'constant' }, step);
    const active = spans.filter((span) => step < span.frozenFrom);
    const gradientScale = clipScale(settings.clipNorm ?? Infinity, gradient, active);
    const places = active.map(({ from, to, shape, settings: own }) => {
      const scheduled = { ...own, learningRate: own.learningRate * factor };
      return { from, to, shape, settings: scheduled, count: step + 1, gradient, gradientScale };
    });
    return { frozen: spans.filter((span) => step >= span.frozenFrom), gradientScale, places };
  };
  let scratch: Update | null = null;
  return {
    size,
    createState: () => ({
      step: 0,
      slots: Object.fromEntries(rule.slots.map((slot) => [slot, new Float64Array(size)])),
    }),
    step: ({ step, slots }, theta, gradient, update) => {
      const { frozen, gradientScale, places } = begin(step, gradient);
      update.gradientScale = gradientScale;
      for (const { from, to } of frozen) {
        const { gradient: current, momentum, weightDecay, intake, recall } = update;
        for (const array of [current, momentum, weightDecay, intake, recall]) array.fill(0, from, to);
      }
      for (const place of places) rule.apply({ ...place, theta, slots, update });
      return { step: step + 1, slots };
    },
    advance: ({ step, slots }, theta, gradient) => {
      const { frozen, places } = begin(step, gradient);
      // As an update of zero leaves it: a negative zero becomes zero.
      for (const { from, to } of frozen) {
        for (let i = from; i < to; i++) theta[i] = theta[i]! + 0;
      }
      for (const place of places) {
        if (rule.advance?.({ ...place, theta, slots }) === true) continue;
        scratch ??= createUpdate(size);
        rule.apply({ ...place, theta, slots, update: scratch });
        applyUpdate(theta, scratch, theta, place);
      }
      return { step: step + 1, slots };
    },
  };
}

/** Factor that brings the norm of the gradient over `spans` down to `limit`. */
function clipScale(limit: number, gradient: Floats, spans: readonly Span[]): number {
  if (limit === Infinity) return 1;
  let squares = 0;
  for (const { from, to } of spans) for (let i = from; i < to; i++) squares += gradient[i]! ** 2;
  const norm = Math.sqrt(squares);
  return norm > limit ? limit / norm : 1;
}

/** Zeroed components of an update [K]. */
export function createUpdate(size: number): Update {
  const zeros = () => new Float64Array(size);
  return {
    gradient: zeros(),
    momentum: zeros(),
    weightDecay: zeros(),
    intake: zeros(),
    recall: zeros(),
    gradientScale: 1,
  };
}

/**
 * Writes θ_{t+1} [K] into `next`: the sum of θ_t [K] and its update's components in float64, rounded once to float32. The trajectory is made of these
 * rounded rows; the ledger's Δθ is their difference, so the components add up to it only to float32 rounding. Of the indices `from` to before `to`; default all.
 */
export function applyUpdate(
  theta: Float32Array,
  update: Update,
  next: Float32Array,
  { from, to }: { readonly from: number; readonly to: number } = { from: 0, to: next.length },
): void {
  const { gradient, momentum, weightDecay } = update;
  for (let i = from; i < to; i++) {
    next[i] = theta[i]! + (gradient[i]! + momentum[i]! + weightDecay[i]!);
  }
}
