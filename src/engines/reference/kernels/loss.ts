import { numberAttribute, stringAttribute } from '../../../graph/attributes.js';
import type { Node } from '../../../graph/types.js';
import type { Kernel, Tensor } from '../tensor.js';
import { tensorOf, zeros } from '../tensor.js';
import { checkIndex } from './indexing.js';

/** log p of one row of logits; the largest is subtracted first, so that nothing overflows or cancels. */
function logProbabilities(logits: Float64Array): Float64Array {
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const total = logits.reduce((sum, x) => sum + Math.exp(x - largest), 0);
  return logits.map((x) => x - largest - Math.log(total));
}

/**
 * What each class counts in one example's loss -Σ_c target_c · log p_c: (1 - smoothing) of the label's weight for the
 * label, and smoothing / C of its own weight for every class.
 */
function targetsOf(label: number, weights: Float64Array, smoothing: number): Float64Array {
  const targets = weights.map((weight) => (smoothing / weights.length) * weight);
  targets[label]! += (1 - smoothing) * weights[label]!;
  return targets;
}

interface Example {
  readonly logits: Float64Array;
  readonly targets: Float64Array;
}

/** The examples, and what the sum of their losses is divided by. */
function examplesOf(
  logits: Tensor,
  labels: Tensor,
  weights: Tensor | undefined,
  node: Node,
): readonly [examples: Example[], divisor: number] {
  const classes = logits.shape[1]!;
  const classWeights = weights?.data ?? new Float64Array(classes).fill(1);
  const smoothing = numberAttribute(node, 'label_smoothing', 0);
  let divisor = 0;
  const examples = Array.from(labels.data, (label, n) => {
    checkIndex(label, classes, node);
    divisor += classWeights[label]!;
    return {
      logits: logits.data.subarray(n * classes, (n + 1) * classes),
      targets: targetsOf(label, classWeights, smoothing),
    };
  });
  return [examples, stringAttribute(node, 'reduction', 'mean') === 'sum' ? 1 : divisor];
}

const loss: Kernel = ([logits, labels, weights], node) => {
  const [examples, divisor] = examplesOf(logits!, labels!, weights, node);
  let total = 0;
  for (const example of examples) {
    logProbabilities(example.logits).forEach((logP, c) => (total -= example.targets[c]! * logP));
  }
  return [tensorOf([], [total / divisor])];
};

/** With p the softmax of one example's logits: p · Σ targets - targets. */
const lossGrad: Kernel = ([dloss, logits, labels, weights], node) => {
  const [examples, divisor] = examplesOf(logits!, labels!, weights, node);
  const result = zeros(logits!.shape);
  const factor = dloss!.data[0]! / divisor;
  for (const [n, { logits: row, targets }] of examples.entries()) {
    const logP = logProbabilities(row);
    const total = targets.reduce((a, b) => a + b, 0);
    for (let c = 0; c < row.length; c++) {
      result.data[n * row.length + c] = factor * (Math.exp(logP[c]!) * total - targets[c]!);
    }
  }
  return [result];
};

export const losses: Readonly<Record<string, Kernel>> = {
  SoftmaxCrossEntropyLoss: loss,
  SoftmaxCrossEntropyLossGrad: lossGrad,
};
