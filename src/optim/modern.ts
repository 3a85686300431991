import type { Rule, RuleStep } from './types.js';

/**
 * θ' = θ − lr·λ θ − lr · m'/(1 − β₁ᵗ) / (sqrt(v'/(1 − β₂ᵗ)) + ε): weight decay beside the gradient's moments, not in them (Loshchilov and
 * Hutter 2019). By Keras's convention ε stands beside the uncorrected root.
 */
function adamw({ from, to, settings, count, theta, gradient, gradientScale, slots, update }: RuleStep): void {
  const { learningRate, momentum, weightDecay, meanSquareDecay, epsilon, convention } = settings;
  const mean = slots['mean']!;
  const meanSquare = slots['meanSquare']!;
  const correction = Math.sqrt(1 - meanSquareDecay ** count);
  const rate = (learningRate * correction) / (1 - momentum ** count);
  const added = convention === 'pytorch' ? epsilon * correction : epsilon;
  for (let i = from; i < to; i++) {
    const g = gradientScale * gradient[i]!;
    const history = momentum * mean[i]!;
    meanSquare[i] = meanSquareDecay * meanSquare[i]! + (1 - meanSquareDecay) * g * g;
    mean[i] = history + (1 - momentum) * g;
    const perUnit = -rate / (Math.sqrt(meanSquare[i]!) + added);
    update.gradient[i] = perUnit * (1 - momentum) * g;
    update.weightDecay[i] = -learningRate * weightDecay * theta[i]!;
    update.momentum[i] = perUnit * history;
    update.intake[i] = (1 - momentum) * g;
    update.recall[i] = perUnit;
  }
}

/**
 * c = β₁ m + (1 − β₁) g, θ' = θ − lr (sign c + λ θ), m' = β₂ m + (1 − β₂) g (Chen et al. 2023). The step is shared out as c is, as Adam's
 * is before its root: to g and to m in proportion.
 */
function lion({ from, to, settings, theta, gradient, gradientScale, slots, update }: RuleStep): void {
  const { learningRate, momentum, weightDecay, meanSquareDecay } = settings;
  const mean = slots['mean']!;
  for (let i = from; i < to; i++) {
    const g = gradientScale * gradient[i]!;
    const current = (1 - momentum) * g;
    const history = momentum * mean[i]!;
    const direction = history + current;
    const perUnit = direction === 0 ? 0 : -learningRate / Math.abs(direction);
    update.gradient[i] = perUnit * current;
    update.weightDecay[i] = -learningRate * weightDecay * theta[i]!;
    update.momentum[i] = perUnit * history;
    mean[i] = meanSquareDecay * mean[i]! + (1 - meanSquareDecay) * g;
    // The memory fades by β₂ a step, and enters c by β₁.
    update.intake[i] = (1 - meanSquareDecay) * g;
    update.recall[i] = meanSquareDecay === 0 ? 0 : (perUnit * momentum) / meanSquareDecay;
  }
}

/** Coefficients of the quintic iteration that brings singular values near 1 (Jordan et al. 2024), and how often it is applied. */
const quintic = { a: 3.4445, b: -4.775, c: 2.0315, steps: 5 } as const;

/** c [n, m] = a [n, k] · bᵀ, b [m, k]. */
function productByTransposed(
  a: Float64Array,
  b: Float64Array,
  n: number,
  k: number,
  m: number,
): Float64Array {
  const c = new Float64Array(n * m);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      let total = 0;
      for (let l = 0; l < k; l++) total += a[i * k + l]! * b[j * k + l]!;
      c[i * m + j] = total;
    }
  }
  return c;
}

function transposed(a: Float64Array, rows: number, columns: number): Float64Array {
  return a.map((_, at) => a[(at % rows) * columns + Math.floor(at / rows)]!);
}

/** A matrix [rows, columns] with its singular values brought near 1: X ← a X + (b A + c A²) X, A = X Xᵀ, from X = G / ‖G‖. */
function orthogonalised(matrix: Float64Array, rows: number, columns: number): Float64Array {
  if (rows > columns) {
    return transposed(orthogonalised(transposed(matrix, rows, columns), columns, rows), columns, rows);
  }
  const norm = Math.max(Math.sqrt(matrix.reduce((total, value) => total + value * value, 0)), 1e-7);
  let x = matrix.map((value) => value / norm);
  for (let step = 0; step < quintic.steps; step++) {
    const a = productByTransposed(x, x, rows, columns, rows);
    const squared = productByTransposed(a, a, rows, rows, rows);
    const mixing = a.map((value, k) => quintic.b * value + quintic.c * squared[k]!);
    const mixed = productByTransposed(mixing, transposed(x, rows, columns), rows, rows, columns);
    x = x.map((value, k) => quintic.a * value + mixed[k]!);
  }
  return x;
}

/**
 * B' = μ B + (1 − μ) g, U = μ B' + (1 − μ) g, θ' = θ − lr·λ θ − lr · sqrt(max(1, rows/columns)) · orthogonalised(U), for tensors of two or more
 * axes, of which those behind the first count as columns (Jordan et al. 2024; PyTorch 2.9's Muon in float64). Other tensors take
 * AdamW's step. The step is no sum of what gradients of single steps contribute: all of it but the decay is one component.
 */
function muon(step: RuleStep): void {
  const { from, to, shape, settings, theta, gradient, gradientScale, slots, update } = step;
  const { learningRate, momentum, weightDecay } = settings;
  if (shape.length < 2) {
    adamw(step);
    for (let i = from; i < to; i++) update.gradient[i]! += update.momentum[i]!;
  } else {
    const velocity = slots['mean']!;
    const ahead = new Float64Array(to - from);
    for (let i = from; i < to; i++) {
      const g = (1 - momentum) * gradientScale * gradient[i]!;
      velocity[i] = momentum * velocity[i]! + g;
      ahead[i - from] = momentum * velocity[i]! + g;
    }
    const [rows, columns] = [shape[0]!, ahead.length / shape[0]!];
    const rate = -learningRate * Math.sqrt(Math.max(1, rows / columns));
    orthogonalised(ahead, rows, columns).forEach((value, k) => (update.gradient[from + k] = rate * value));
    for (let i = from; i < to; i++) update.weightDecay[i] = -learningRate * weightDecay * theta[i]!;
  }
  for (const array of [update.momentum, update.intake, update.recall]) array.fill(0, from, to);
}

/** Rules whose weight decay stands beside the gradient. */
export const modernRules: Readonly<Record<'adamw' | 'lion' | 'muon', Rule>> = {
  adamw: {
    slots: ['mean', 'meanSquare'],
    defaults: { momentum: 0.9, meanSquareDecay: 0.999, epsilon: 1e-8, convention: 'pytorch' },
    fading: ({ momentum }) => momentum,
    apply: adamw,
  },
  lion: {
    slots: ['mean'],
    defaults: { momentum: 0.9, meanSquareDecay: 0.99, epsilon: 1, convention: 'pytorch' },
    fading: ({ meanSquareDecay }) => meanSquareDecay,
    apply: lion,
  },
  muon: {
    slots: ['mean', 'meanSquare'],
    defaults: { momentum: 0.95, meanSquareDecay: 0.999, epsilon: 1e-8, convention: 'pytorch' },
    fading: null,
    apply: muon,
  },
};
