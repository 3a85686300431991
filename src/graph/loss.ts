import { GraphBuilder } from './builder.js';
import type { Graph } from './types.js';

/** What is minimised and measured. Each is stated as a mean over examples; a graph computes the sum of its chunk. */
export type LossName = 'softmaxCrossEntropy' | 'sigmoidCrossEntropy' | 'squaredError';

export interface LossOptions {
  readonly loss: LossName;
  /** Softmax cross-entropy only: weight of each class [C], default none. */
  readonly classWeights?: readonly number[];
  /** Softmax cross-entropy only: share of the label spread evenly over all classes, in [0, 1), default 0. */
  readonly labelSmoothing?: number;
}

/**
 * The forward graph with its loss attached: input `labels` is added, and the only output is the scalar sum of the
 * examples' losses in nats (squared error: sum over examples of the mean over outputs).
 */
export function attachLoss(forward: Graph, options: LossOptions): Graph {
  const logits = forward.outputs[0]!;
  const [examples, width] = logits.shape as [number, number];
  const builder = GraphBuilder.from(forward, `${forward.name}+${options.loss}`);
  if (options.loss === 'softmaxCrossEntropy') {
    const labels = builder.input('labels', 'int32', [examples]);
    const weights = options.classWeights ? [builder.constant(options.classWeights)] : [];
    const loss = builder.apply('SoftmaxCrossEntropyLoss', [logits, labels, ...weights], {
      reduction: 'sum',
      label_smoothing: options.labelSmoothing ?? 0,
    });
    return builder.build([loss]);
  }
  const labels = builder.input('labels', 'float32', logits.shape);
  const terms =
    options.loss === 'squaredError'
      ? (() => {
          const difference = builder.apply('Sub', [logits, labels]);
          return builder.apply('Mul', [difference, difference]);
        })()
      : builder.apply('Sub', [builder.apply('Softplus', [logits]), builder.apply('Mul', [logits, labels])]);
  const sum = builder.apply('ReduceSum', [terms], { keepdims: 0 });
  return builder.build([builder.apply('Div', [sum, builder.scalar(width)])]);
}
