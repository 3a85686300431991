import { GraphError } from '../errors.js';
import { GraphBuilder } from './builder.js';
import type { Graph, Value } from './types.js';
import { sizeOf } from './types.js';

/** What is minimised and measured. Each is stated as a mean over examples; a graph computes the sum of its chunk. */
export type LossName = 'softmaxCrossEntropy' | 'sigmoidCrossEntropy' | 'squaredError';

/** Which loss to attach, and its settings. */
export interface LossOptions {
  readonly loss: LossName;
  /** Softmax cross-entropy only: weight of each class [C], default none. */
  readonly classWeights?: readonly number[];
  /** Softmax cross-entropy only: share of the label spread evenly over all classes, in [0, 1), default 0. */
  readonly labelSmoothing?: number;
}

function outputOf(forward: Graph): Value {
  const [output] = forward.outputs;
  if (forward.outputs.length === 1 && output!.dtype === 'float32' && output!.shape.length > 0) return output!;
  throw new GraphError({
    given: `graph ${forward.name} with ${forward.outputs.length} outputs`,
    expected: 'one float32 output [N, …], the logits or predictions',
    remedy: 'keep only that output in the model',
  });
}

function softmaxCrossEntropy(builder: GraphBuilder, logits: Value, options: LossOptions): Value {
  const labels = builder.input('labels', 'int32', [logits.shape[0]!]);
  const weights = options.classWeights ? [builder.constant(options.classWeights)] : [];
  const attributes = { reduction: 'sum', label_smoothing: options.labelSmoothing ?? 0 };
  return builder.apply('SoftmaxCrossEntropyLoss', [logits, labels, ...weights], attributes);
}

/** log(1 + e^z) - z · label, which is the cross-entropy of sigmoid(z), without overflow. */
function sigmoidTerms(builder: GraphBuilder, logits: Value, labels: Value): Value {
  return builder.apply('Sub', [builder.apply('Softplus', [logits]), builder.apply('Mul', [logits, labels])]);
}

function squaredTerms(builder: GraphBuilder, output: Value, labels: Value): Value {
  const difference = builder.apply('Sub', [output, labels]);
  return builder.apply('Mul', [difference, difference]);
}

/** Sum over examples of the mean over each example's outputs. */
function meanOverOutputs(builder: GraphBuilder, terms: Value): Value {
  const sum = builder.apply('ReduceSum', [terms], { keepdims: 0 });
  return builder.apply('Div', [sum, builder.scalar(sizeOf(terms.shape.slice(1)))]);
}

/**
 * The forward graph with its loss attached: input `labels` is added (int32 [N] for softmax cross-entropy, else float32 of
 * the output's shape), and the only output is the scalar sum of the examples' losses in nats. Sigmoid cross-entropy and
 * squared error are means over each example's outputs. Throws GraphError where the graph has no such output.
 */
export function attachLoss(forward: Graph, options: LossOptions): Graph {
  const output = outputOf(forward);
  const builder = GraphBuilder.from(forward, `${forward.name}+${options.loss}`);
  if (options.loss === 'softmaxCrossEntropy') {
    return builder.build([softmaxCrossEntropy(builder, output, options)]);
  }
  const labels = builder.input('labels', 'float32', output.shape);
  const termsOf = options.loss === 'squaredError' ? squaredTerms : sigmoidTerms;
  return builder.build([meanOverOutputs(builder, termsOf(builder, output, labels))]);
}
