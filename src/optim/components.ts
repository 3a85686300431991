import { addScaledInto } from '../num/sums.js';
import { checkSettings, type OptimizerSettings, type Span, spansOf } from './spans.js';
import { rules } from './rules.js';
import type { OptimizedTensor, Rule, Update } from './types.js';

/** Ages of gradients, in steps, that are told apart in what momentum contributes. */
const ageBins = [
  { name: 'momentum/1', ages: [1] },
  { name: 'momentum/2-3', ages: [2, 3] },
  { name: 'momentum/4-7', ages: [4, 5, 6, 7] },
] as const;
/** What is no sum over gradients, and stays one component. */
const whole = 'update';
const oldest = 'momentum/8+';
/** Steps whose intake is remembered one by one. */
const remembered = 8;

/**
 * Splits the updates of an optimiser, step by step, into components [K] that add up to the update: this step's `gradient` (as it was before
 * `clipping`, which is what that took away), `momentum/AGE`, what the steps so long ago put into the memory of gradients (their gradients and their
 * weight decay), and this step's `weightDecay`. A rule whose steps are no sums over gradients has the one component `update` in their place.
 */
export interface ComponentSplitter {
  /** Of the components that the optimiser has, in the order of the results. */
  readonly names: readonly string[];
  /** The components of the next step's update, the first step's first. Their arrays hold the next ones after the next call. */
  split(update: Update): readonly Float64Array[];
}

/** Names of the components of an optimiser's updates. Throws UsageError as `createOptimizer` does. */
export function componentNames(settings: OptimizerSettings, tensors: readonly OptimizedTensor[]): string[] {
  checkSettings(settings, tensors);
  const spans = spansOf(settings, tensors);
  const has = (setting: 'momentum' | 'weightDecay') => spans.some((span) => span.settings[setting] > 0);
  const decay = has('weightDecay') ? ['weightDecay'] : [];
  if (rules[settings.name].fading === null) return [whole, ...decay];
  return [
    'gradient',
    ...(settings.clipNorm === undefined ? [] : ['clipping']),
    ...(has('momentum') ? [...ageBins.map(({ name }) => name), oldest] : []),
    ...decay,
  ];
}

/** A splitter for training from its first step on. Throws UsageError as `createOptimizer` does. */
export function createSplitter(
  settings: OptimizerSettings,
  tensors: readonly OptimizedTensor[],
): ComponentSplitter {
  const names = componentNames(settings, tensors);
  const spans = spansOf(settings, tensors);
  const size = spans.at(-1)?.to ?? 0;
  const parts = new Map(names.map((name) => [name, new Float64Array(size)]));
  const { fading } = rules[settings.name];
  const memory = fading !== null && parts.has(oldest) ? new GradientMemory(spans, fading, size) : null;
  return {
    names,
    split: (update) => {
      parts.get(whole)?.set(update.gradient);
      const gradient = parts.get('gradient');
      if (gradient) splitGradient(update, gradient, parts.get('clipping'));
      parts.get('weightDecay')?.set(update.weightDecay);
      memory?.split(update, parts);
      return [...parts.values()];
    },
  };
}

/** Writes the gradient's component, and what clipping took of it where there is clipping [K]. */
function splitGradient(
  { gradient, gradientScale }: Update,
  whole: Float64Array,
  clipping: Float64Array | undefined,
): void {
  for (let k = 0; k < whole.length; k++) {
    whole[k] = gradient[k]! / gradientScale;
    if (clipping !== undefined) clipping[k] = gradient[k]! - whole[k]!;
  }
}

/** What a rule's memory of gradients is made of, by the age of the gradients: the memory is Σ_a fading^a · the intake of a steps ago. */
class GradientMemory {
  /** Intake of the last steps [8][K]; that of step t at t modulo 8. */
  readonly #intakes: readonly Float64Array[];
  /** Σ fading^a · intake over ages from 8 on [K]. */
  readonly #old: Float64Array;
  #step = 0;

  constructor(
    readonly spans: readonly Span[],
    readonly fadingOf: NonNullable<Rule['fading']>,
    size: number,
  ) {
    this.#intakes = Array.from({ length: remembered }, () => new Float64Array(size));
    this.#old = new Float64Array(size);
  }

  /** Writes the components by age of the next step [K] and takes in what that step adds. */
  split({ recall, intake }: Update, parts: ReadonlyMap<string, Float64Array>): void {
    const leaving = this.#intakes[this.#step % remembered]!;
    for (const { from, to, settings } of this.spans) {
      const fading = this.fadingOf(settings);
      const own = (array: Float64Array) => array.subarray(from, to);
      for (const { name, ages } of ageBins) {
        const part = own(parts.get(name)!).fill(0);
        for (const age of ages) addScaledInto(part, fading ** age, own(this.#intakeOf(age)));
        multiply(part, own(recall), part);
      }
      const old = own(this.#old);
      for (let k = 0; k < old.length; k++) {
        old[k] = fading * old[k]! + fading ** remembered * leaving[from + k]!;
      }
      multiply(own(parts.get(oldest)!), own(recall), old);
    }
    leaving.set(intake);
    this.#step++;
  }

  /** Intake of the step so long ago [K]; zeros before the first step. */
  #intakeOf(age: number): Float64Array {
    return this.#intakes[(this.#step + remembered - age) % remembered]!;
  }
}

/** target = a ∘ b, all [n]. */
function multiply(target: Float64Array, a: Float64Array, b: Float64Array): void {
  for (let k = 0; k < target.length; k++) target[k] = a[k]! * b[k]!;
}
