import { numberAttribute, stringAttribute } from '../../../graph/attributes.js';
import type { Node } from '../../../graph/types.js';
import type { Emitter } from '../../../onnx/standard/emitter.js';
import type { LoweringTable } from '../../../onnx/standard/lowering.js';
import { reduce, softmaxAxis } from '../../../onnx/standard/reduction.js';

/** logits, labels and weights of a loss or of its gradient, as tensor names. */
interface Operands {
  readonly logits: string;
  readonly labels: string;
  /** Empty where there are none. */
  readonly weights: string;
  /** [N, C] */
  readonly shape: readonly [examples: number, classes: number];
}

function operandsOf(node: Node, inputs: readonly string[], first: number): Operands {
  return {
    logits: inputs[first]!,
    labels: inputs[first + 1]!,
    weights: inputs[first + 2] ?? '',
    shape: node.inputs[first]!.shape as readonly [number, number],
  };
}

/** One where the class is the label [N, C]. */
function oneHot(emit: Emitter, { labels, shape: [, classes] }: Operands): string {
  const column = emit.add('Unsqueeze', [labels, emit.ints([1])]);
  const row = emit.constant('int32', [classes], [...Array(classes).keys()]);
  return emit.add('Cast', [emit.add('Equal', [column, row])], { to: 1 });
}

/** Smoothed label distribution times class weights [N, C]. */
function targetsOf(emit: Emitter, node: Node, operands: Operands): string {
  const smoothing = numberAttribute(node, 'label_smoothing', 0);
  const classes = operands.shape[1];
  let targets = oneHot(emit, operands);
  if (smoothing > 0) {
    const kept = emit.add('Mul', [targets, emit.scalar(1 - smoothing)]);
    targets = emit.add('Add', [kept, emit.scalar(smoothing / classes)]);
  }
  return operands.weights === '' ? targets : emit.add('Mul', [targets, operands.weights]);
}

/** z - max z, its exponentials [N, C], and their sum [N, 1]. */
function exponentialsOf(emit: Emitter, { logits }: Operands): readonly [string, string, string] {
  const shifted = emit.add('Sub', [logits, reduce(emit, 'ReduceMax', logits, [1])]);
  const exponentials = emit.add('Exp', [shifted]);
  return [shifted, exponentials, reduce(emit, 'ReduceSum', exponentials, [1])];
}

/** Loss of each example [N, 1], before any division. */
export function exampleLosses(emit: Emitter, node: Node, inputs: readonly string[]): string {
  const operands = operandsOf(node, inputs, 0);
  const [shifted, , sum] = exponentialsOf(emit, operands);
  const surprise = emit.add('Sub', [emit.add('Log', [sum]), shifted]);
  return reduce(emit, 'ReduceSum', emit.add('Mul', [surprise, targetsOf(emit, node, operands)]), [1]);
}

/** What `mean` divides by as a vector to be summed: ones [N], or the weights of the labels [N, 1]. */
export function exampleWeights(emit: Emitter, node: Node, inputs: readonly string[], first = 0): string {
  const operands = operandsOf(node, inputs, first);
  const [examples] = operands.shape;
  if (operands.weights === '') return emit.constant('float32', [1], [examples]);
  return reduce(emit, 'ReduceSum', emit.add('Mul', [oneHot(emit, operands), operands.weights]), [1]);
}

export function isMean(node: Node): boolean {
  return stringAttribute(node, 'reduction', 'mean') === 'mean';
}

function total(emit: Emitter, x: string): string {
  return emit.add('ReduceSum', [x], { keepdims: 0 });
}

export const losses: LoweringTable = {
  SoftmaxCrossEntropyLoss: (emit, node, inputs) => {
    const sum = total(emit, exampleLosses(emit, node, inputs));
    return isMean(node) ? emit.add('Div', [sum, total(emit, exampleWeights(emit, node, inputs))]) : sum;
  },

  /** dlogits = dloss (p Σ targets - targets), Σ over classes. */
  SoftmaxCrossEntropyLossGrad: (emit, node, inputs) => {
    const operands = operandsOf(node, inputs, 1);
    const [, exponentials, sum] = exponentialsOf(emit, operands);
    const targets = targetsOf(emit, node, operands);
    const softmax = emit.add('Div', [exponentials, sum]);
    const expected =
      operands.weights === '' ? softmax : emit.add('Mul', [softmax, reduce(emit, 'ReduceSum', targets, [1])]);
    const gradient = emit.add('Mul', [emit.add('Sub', [expected, targets]), inputs[0]!]);
    if (!isMean(node)) return gradient;
    return emit.add('Div', [gradient, total(emit, exampleWeights(emit, node, inputs, 1))]);
  },
};

export const softmaxGradients: LoweringTable = {
  /** dx = y (dy - Σ dy y) along the axis. */
  SoftmaxGrad: (emit, node, [dy, y]) => {
    const sum = reduce(emit, 'ReduceSum', emit.add('Mul', [dy!, y!]), [softmaxAxis(node)]);
    return emit.add('Mul', [y!, emit.add('Sub', [dy!, sum])]);
  },

  /** dx = dy - exp(y) Σ dy along the axis. */
  LogSoftmaxGrad: (emit, node, [dy, y]) => {
    const sum = reduce(emit, 'ReduceSum', dy!, [softmaxAxis(node)]);
    return emit.add('Sub', [dy!, emit.add('Mul', [emit.add('Exp', [y!]), sum])]);
  },
};
