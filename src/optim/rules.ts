import { modernRules } from './modern.js';
import type { Rule, RuleSettings, RuleStep } from './types.js';

/** What a velocity takes in for a unit of gradient, and what the step takes of the velocity: −lr stands in one of them. */
function velocityUnits({
  learningRate,
  convention,
}: RuleSettings): readonly [intake: number, recall: number] {
  return convention === 'pytorch' ? [1, -learningRate] : [-learningRate, 1];
}

function sgd({ from, to, settings, theta, gradient, gradientScale, slots, update }: RuleStep): void {
  const { momentum, weightDecay } = settings;
  const velocity = slots['velocity']!;
  const [unit, recall] = velocityUnits(settings);
  for (let i = from; i < to; i++) {
    const current = unit * gradientScale * gradient[i]!;
    const decay = unit * weightDecay * theta[i]!;
    const history = momentum * velocity[i]!;
    update.gradient[i] = recall * current;
    update.weightDecay[i] = recall * decay;
    update.momentum[i] = recall * history;
    update.intake[i] = current + decay;
    update.recall[i] = recall;
    velocity[i] = current + history + decay;
  }
}

/** Plain gradient descent. Nothing is ever taken of its velocity. What else adds up to the step is zero, which is added for the sign of a zero. */
const descend: NonNullable<Rule['advance']> = ({ from, to, settings, theta, gradient, gradientScale }) => {
  if (settings.momentum !== 0 || settings.weightDecay !== 0) return false;
  const [intake, recall] = velocityUnits(settings);
  const unit = intake * gradientScale;
  for (let i = from; i < to; i++) theta[i] = theta[i]! + (recall * (unit * gradient[i]!) + 0);
  return true;
};

function nesterov({ from, to, settings, theta, gradient, gradientScale, slots, update }: RuleStep): void {
  const { momentum, weightDecay } = settings;
  const velocity = slots['velocity']!;
  const [unit, recall] = velocityUnits(settings);
  for (let i = from; i < to; i++) {
    const current = unit * gradientScale * gradient[i]!;
    const decay = unit * weightDecay * theta[i]!;
    const history = momentum * velocity[i]!;
    update.gradient[i] = (1 + momentum) * recall * current;
    update.weightDecay[i] = (1 + momentum) * recall * decay;
    update.momentum[i] = momentum * recall * history;
    update.intake[i] = current + decay;
    update.recall[i] = momentum * recall;
    velocity[i] = current + history + decay;
  }
}

function adam({ from, to, settings, count, theta, gradient, gradientScale, slots, update }: RuleStep): void {
  const { learningRate, momentum, weightDecay, meanSquareDecay, epsilon, convention } = settings;
  const mean = slots['mean']!;
  const meanSquare = slots['meanSquare']!;
  const correction = Math.sqrt(1 - meanSquareDecay ** count);
  const rate = (learningRate * correction) / (1 - momentum ** count);
  const added = convention === 'pytorch' ? epsilon * correction : epsilon;
  for (let i = from; i < to; i++) {
    const g = gradientScale * gradient[i]!;
    const decay = weightDecay * theta[i]!;
    const total = g + decay;
    const history = momentum * mean[i]!;
    meanSquare[i] = meanSquareDecay * meanSquare[i]! + (1 - meanSquareDecay) * total * total;
    mean[i] = history + (1 - momentum) * total;
    const perUnit = -rate / (Math.sqrt(meanSquare[i]!) + added);
    update.gradient[i] = perUnit * (1 - momentum) * g;
    update.weightDecay[i] = perUnit * (1 - momentum) * decay;
    update.momentum[i] = perUnit * history;
    update.intake[i] = (1 - momentum) * total;
    update.recall[i] = perUnit;
  }
}

function rmsprop({ from, to, settings, theta, gradient, gradientScale, slots, update }: RuleStep): void {
  const { momentum, weightDecay, meanSquareDecay, epsilon } = settings;
  const velocity = slots['velocity']!;
  const meanSquare = slots['meanSquare']!;
  const [unit, recall] = velocityUnits(settings);
  for (let i = from; i < to; i++) {
    const g = gradientScale * gradient[i]!;
    const decay = weightDecay * theta[i]!;
    const total = g + decay;
    meanSquare[i] = meanSquareDecay * meanSquare[i]! + (1 - meanSquareDecay) * total ** 2;
    const perUnit = unit / (Math.sqrt(meanSquare[i]!) + epsilon);
    const history = momentum * velocity[i]!;
    update.gradient[i] = recall * perUnit * g;
    update.weightDecay[i] = recall * perUnit * decay;
    update.momentum[i] = recall * history;
    update.intake[i] = perUnit * total;
    update.recall[i] = recall;
    velocity[i] = perUnit * g + history + perUnit * decay;
  }
}

export const ruleNames = ['sgd', 'nesterov', 'adam', 'rmsprop', 'adamw', 'lion', 'muon'] as const;
export type RuleName = (typeof ruleNames)[number];

const unused = { meanSquareDecay: 0, epsilon: 1, convention: 'keras' } as const;
const byMomentum = ({ momentum }: RuleSettings): number => momentum;

/**
 * Update rules. Unless PyTorch's convention is asked for, the velocity is Keras's, v' = m v − lr g and θ' = θ + v', which holds on to old
 * learning rates; PyTorch's v' = m v + g, θ' = θ − lr v' is the same while the learning rate is constant.
 */
export const rules: Readonly<Record<RuleName, Rule>> = {
  /** θ' = θ + v'. Momentum 0 is plain gradient descent. */
  sgd: {
    slots: ['velocity'],
    defaults: { momentum: 0, ...unused },
    fading: byMomentum,
    apply: sgd,
    advance: descend,
  },
  /** θ' = θ + m v' − lr g (Sutskever et al. 2013, at the look-ahead point). */
  nesterov: {
    slots: ['velocity'],
    defaults: { momentum: 0.9, ...unused },
    fading: byMomentum,
    apply: nesterov,
  },
  /**
   * θ' = θ − lr · sqrt(1 − β₂ᵗ) / (1 − β₁ᵗ) · m' / (sqrt(v') + ε), as in Kingma and Ba 2015 (end of Section 2) and TensorFlow: ε
   * stands beside the uncorrected root. PyTorch's convention adds ε after correcting; there ε counts sqrt(1 − β₂ᵗ) times as much.
   */
  adam: {
    slots: ['mean', 'meanSquare'],
    defaults: { momentum: 0.9, meanSquareDecay: 0.999, epsilon: 1e-8, convention: 'keras' },
    fading: byMomentum,
    apply: adam,
  },
  /** s' = ρ s + (1 − ρ) g², v' = m v − lr g / (sqrt(s') + ε), θ' = θ + v'; s starts at 0. */
  rmsprop: {
    slots: ['velocity', 'meanSquare'],
    defaults: { momentum: 0, meanSquareDecay: 0.9, epsilon: 1e-7, convention: 'keras' },
    fading: byMomentum,
    apply: rmsprop,
  },
  ...modernRules,
};
