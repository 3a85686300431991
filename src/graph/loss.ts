import { GraphError } from '../errors.js';
import { GraphBuilder } from './builder.js';
import { prune } from './prune.js';
import type { Graph, Value } from './types.js';
import { sizeOf } from './types.js';

/** What is minimised and measured. Each is stated as a mean over examples; a graph computes the sum of its chunk. */
export type LossName = 'softmaxCrossEntropy' | 'sigmoidCrossEntropy' | 'squaredError' | 'output';

/** Which loss to attach, and its settings. */
export interface LossOptions {
  readonly loss: LossName;
  /** Softmax cross-entropy only: weight of each class [C], default none. */
  readonly classWeights?: readonly number[];
  /** Softmax cross-entropy only: share of the label spread evenly over all classes, in [0, 1), default 0. */
  readonly labelSmoothing?: number;
  /** Softmax cross-entropy only: axis of the output that counts classes, default 1; other axes but the first are positions. */
  readonly classAxis?: number;
  /** Softmax cross-entropy only: whether labels may be one more than the last class, for what does not count. Default false. */
  readonly ignoring?: boolean;
  /** Softmax cross-entropy only: whether each example counts once, by the mean over those of its labels that count. Default false. */
  readonly byExample?: boolean;
  /**
   * Whether not all that is fed counts: a further input `included`, 1 or 0 for each label of the softmax cross-entropy (the others must be
   * class 0 unless each example counts once), for each number of a loss that the graph computes, for each example of other losses. Default false.
   */
  readonly masked?: boolean;
}

function outputOf(forward: Graph, loss: LossName): Value {
  const [output] = forward.outputs;
  if (loss === 'output' && output?.dtype === 'float32') return output;
  if (forward.outputs.length === 1 && output!.dtype === 'float32' && output!.shape.length > 0) return output!;
  throw new GraphError({
    given: `graph ${forward.name} with ${forward.outputs.length} outputs`,
    expected: 'one float32 output [N, …], the logits or predictions',
    remedy: 'keep only that output in the model',
  });
}

/** Logits of every example and position [N·positions, C]. */
function byPosition(builder: GraphBuilder, logits: Value, classAxis: number): Value {
  const rank = logits.shape.length;
  if (rank === 2) return logits;
  const last = rank - 1;
  const perm = [...logits.shape.keys()].filter((axis) => axis !== classAxis);
  const turned =
    classAxis === last ? logits : builder.apply('Transpose', [logits], { perm: [...perm, classAxis] });
  const classes = logits.shape[classAxis]!;
  return builder.apply('Reshape', [turned], { shape: [sizeOf(logits.shape) / classes, classes] });
}

/** So small a logit that its class has probability 0, and finite in float32. */
const impossible = -1e30;

/** Of examples that do not count, logits by which class 0 has probability 1, to the bit: loss and gradient are exactly 0. */
function includedLogits(builder: GraphBuilder, logits: Value): Value {
  const [rows, classes] = logits.shape as [number, number];
  const included = includedColumn(builder, rows, 2);
  const certain = builder.constant([1e4, ...new Array<number>(classes - 1).fill(0)], [1, classes]);
  const excluded = builder.apply('Sub', [builder.scalar(1), included]);
  return builder.apply('Add', [
    builder.apply('Mul', [logits, included]),
    builder.apply('Mul', [excluded, certain]),
  ]);
}

/** Input `included` [rows] with as many axes as what it multiplies. */
function includedColumn(builder: GraphBuilder, rows: number, rank: number): Value {
  const included = builder.input('included', 'float32', [rows]);
  return rank === 1
    ? included
    : builder.apply('Reshape', [included], { shape: [rows, ...new Array<number>(rank - 1).fill(1)] });
}

/** A further class of probability 0 and weight 0, for labels that do not count. */
function withIgnoredClass(builder: GraphBuilder, logits: Value): Value {
  const [rows] = logits.shape as [number, number];
  const column = builder.constant(new Array<number>(rows).fill(impossible), [rows, 1]);
  return builder.apply('Concat', [logits, column], { axis: 1 });
}

/** −log p of each label [rows] of logits [rows, C]. */
function surprises(builder: GraphBuilder, logits: Value, labels: Value): Value {
  const [rows, classes] = logits.shape as [number, number];
  const flat = builder.apply('Reshape', [builder.apply('LogSoftmax', [logits], { axis: 1 })], {
    shape: [rows * classes],
  });
  const starts = builder.constant(
    Int32Array.from({ length: rows }, (_, row) => row * classes),
    [rows],
    'int32',
    'starts',
  );
  const places = builder.apply('Add', [labels, starts]);
  return builder.apply('Neg', [builder.apply('Gather', [flat, places], { axis: 0 })]);
}

/** Sum over examples of the mean over each example's labels that count; an example without any adds nothing. */
function meansByExample(
  builder: GraphBuilder,
  logits: Value,
  examples: number,
  { ignoring = false, masked = false }: LossOptions,
): Value {
  const [rows, classes] = logits.shape as [number, number];
  const labels = builder.input('labels', 'int32', [rows]);
  const byRow = (value: Value): Value =>
    builder.apply('Reshape', [value], { shape: [examples, rows / examples] });
  const terms = byRow(surprises(builder, ignoring ? withIgnoredClass(builder, logits) : logits, labels));
  const isCounted = byRow(builder.apply('Less', [labels, builder.scalar(classes, 'int32')]));
  const counted = builder.apply('Where', [isCounted, terms, builder.scalar(0)]);
  const included = masked
    ? builder.apply('Mul', [counted, byRow(builder.input('included', 'float32', [rows]))])
    : counted;
  const own = builder.apply('ReduceSum', [included], { axes: [1], keepdims: 0 });
  const counts = builder.apply('ReduceSum', [builder.apply('Cast', [isCounted], { to: 'float32' })], {
    axes: [1],
    keepdims: 0,
  });
  const means = builder.apply('Div', [own, builder.apply('Max', [counts, builder.scalar(1)])]);
  return builder.apply('ReduceSum', [means], { keepdims: 0 });
}

/**
 * Sum over the labels that count, and that `included` counts, of their smoothed cross-entropy, −Σ target · log p by class: the share that is
 * spread over all classes would reach logits that a mask sets, or those of labels that do not count.
 */
function smoothedLosses(builder: GraphBuilder, all: Value, options: LossOptions): Value {
  const { labelSmoothing = 0, ignoring = false, masked = false } = options;
  const [rows, classes] = all.shape as [number, number];
  const logits = ignoring ? withIgnoredClass(builder, all) : all;
  const width = logits.shape[1]!;
  const { classWeights = new Array<number>(classes).fill(1) } = options;
  const labels = builder.input('labels', 'int32', [rows]);
  const byClass = (share: number): Value =>
    builder.constant([...classWeights.map((weight) => -share * weight), ...(ignoring ? [0] : [])], [1, width]); // prettier-ignore
  const zeros = (count: number): Value => builder.constant(new Array<number>(count * width).fill(0), [count, width]); // prettier-ignore
  const mask = masked ? includedColumn(builder, rows, 2) : null;
  const equal = mask === null ? zeros(rows) : builder.apply('Mul', [mask, zeros(1)]);
  const columns = labelColumns(builder, equal, labels);
  const counted = ignoring ? countedColumn(builder, columns) : null;
  const targets = builder.apply('Add', [
    builder.apply('Mul', [columns, byClass(1 - labelSmoothing)]),
    byClass(labelSmoothing / classes),
  ]);
  const logarithms = builder.apply('LogSoftmax', [logits], { axis: 1 });
  const terms = [mask, counted].reduce<Value>(
    (product, factor) => (factor === null ? product : builder.apply('Mul', [product, factor])),
    builder.apply('Mul', [logarithms, targets]),
  );
  return builder.apply('ReduceSum', [terms], { keepdims: 0 });
}

/** 1 for each label that counts and 0 for those of the last class [rows, 1], of columns of labels [rows, C + 1]. */
function countedColumn(builder: GraphBuilder, columns: Value): Value {
  const width = columns.shape[1]!;
  const last = builder.constant([...new Array<number>(width - 1).fill(0), 1], [1, width]);
  const isIgnored = builder.apply('ReduceSum', [builder.apply('Mul', [columns, last])], { axes: [1], keepdims: 1 }); // prettier-ignore
  return builder.apply('Sub', [builder.scalar(1), isIgnored]);
}

/**
 * 1 at each label and 0 elsewhere [rows, C], given equal numbers [rows, C]: the loss's gradient at equal logits is below zero at the label alone,
 * in every engine. No other operator reads labels in all of them.
 */
function labelColumns(builder: GraphBuilder, equal: Value, labels: Value): Value {
  const attributes = { reduction: 'sum', label_smoothing: 0 };
  const slopes = builder.apply('SoftmaxCrossEntropyLossGrad', [builder.scalar(1), equal, labels], attributes);
  return builder.apply('Relu', [builder.apply('Sign', [builder.apply('Neg', [slopes])])]);
}

function softmaxCrossEntropy(builder: GraphBuilder, output: Value, options: LossOptions): Value {
  const { classWeights, labelSmoothing = 0, classAxis = 1, ignoring = false, masked = false } = options;
  const all = byPosition(builder, output, classAxis);
  if (options.byExample) return meansByExample(builder, all, output.shape[0]!, options);
  if ((masked || ignoring) && labelSmoothing > 0) return smoothedLosses(builder, all, options);
  const logits = masked ? includedLogits(builder, all) : all;
  const [rows, classes] = logits.shape as [number, number];
  const labels = builder.input('labels', 'int32', [rows]);
  const given = classWeights ?? (ignoring ? new Array<number>(classes).fill(1) : null);
  const weights = given === null ? [] : [builder.constant(ignoring ? [...given, 0] : given)];
  const scores = ignoring ? withIgnoredClass(builder, logits) : logits;
  const attributes = { reduction: 'sum', label_smoothing: labelSmoothing };
  return builder.apply('SoftmaxCrossEntropyLoss', [scores, labels, ...weights], attributes);
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

/** The sum of losses that the graph computes, of those examples that count. */
function ownLoss(builder: GraphBuilder, losses: Value, masked: boolean): Value {
  if (!masked) return builder.apply('ReduceSum', [losses], { keepdims: 0 });
  const included = builder.input('included', 'float32', [sizeOf(losses.shape)]);
  const each =
    losses.shape.length === 1 ? included : builder.apply('Reshape', [included], { shape: [...losses.shape] });
  return builder.apply('ReduceSum', [builder.apply('Mul', [losses, each])], { keepdims: 0 });
}

/**
 * The forward graph with its loss attached: input `labels` is added (int32 [N · positions] for softmax cross-entropy, else float32 of
 * the output's shape), and the only output is the scalar sum of the examples' losses in nats. Sigmoid cross-entropy and
 * squared error are means over each example's outputs. Of a graph that computes its loss, the sum of its first output. Throws GraphError where the graph has no such output.
 */
export function attachLoss(forward: Graph, options: LossOptions): Graph {
  const output = outputOf(forward, options.loss);
  const builder = GraphBuilder.from(forward, `${forward.name}+${options.loss}`);
  if (options.loss === 'softmaxCrossEntropy') {
    return builder.build([softmaxCrossEntropy(builder, output, options)]);
  }
  if (options.loss === 'output') {
    return prune(builder.build([ownLoss(builder, output, options.masked ?? false)]));
  }
  const labels = builder.input('labels', 'float32', output.shape);
  const termsOf = options.loss === 'squaredError' ? squaredTerms : sigmoidTerms;
  const terms = termsOf(builder, output, labels);
  const counted = options.masked
    ? builder.apply('Mul', [terms, includedColumn(builder, terms.shape[0]!, terms.shape.length)])
    : terms;
  return builder.build([meanOverOutputs(builder, counted)]);
}

/** 1 minus the chance [rows] to name each row's label by taking one of its largest scores [rows, C], 0 where the label does not count. */
function wrongClasses(builder: GraphBuilder, output: Value, { classAxis = 1, ignoring = false }: LossOptions): Value {
  const all = byPosition(builder, output, classAxis);
  const [rows, classes] = all.shape as [number, number];
  // A single class is the largest beside one that is impossible; the slopes by which labels are found are zero without a second column.
  const scores = ignoring || classes === 1 ? withIgnoredClass(builder, all) : all;
  const sum = (value: Value): Value => builder.apply('ReduceSum', [value], { axes: [1] });
  const product = (a: Value, b: Value): Value => builder.apply('Mul', [a, b]);
  const rest = (value: Value): Value => builder.apply('Sub', [builder.scalar(1), value]);
  const isLabel = labelColumns(builder, product(scores, builder.scalar(0)), builder.input('labels', 'int32', [rows]));
  const short = builder.apply('Sub', [builder.apply('ReduceMax', [scores], { axes: [1] }), scores]);
  const isLargest = rest(builder.apply('Sign', [builder.apply('Relu', [short])]));
  const wrong = rest(builder.apply('Div', [sum(product(isLargest, isLabel)), sum(isLargest)]));
  if (!ignoring) return wrong;
  const counted = builder.constant([...new Array<number>(classes).fill(1), 0], [1, classes + 1]);
  return product(wrong, sum(product(isLabel, counted)));
} // prettier-ignore

/** 1 for each logit whose sign is not that of its label (0 or 1), and 1/2 for one that is 0. */
function wrongSigns(builder: GraphBuilder, logits: Value): Value {
  const labels = builder.input('labels', 'float32', logits.shape);
  const wanted = builder.apply('Sub', [builder.apply('Add', [labels, labels]), builder.scalar(1)]);
  const right = builder.apply('Sign', [builder.apply('Mul', [wanted, logits])]);
  return builder.apply('Mul', [builder.apply('Sub', [builder.scalar(1), right]), builder.scalar(0.5)]);
}

/**
 * The forward graph with the number of wrong labels as its only output. Softmax cross-entropy: those (input `labels`, int32 [N · positions])
 * that have not the largest of the outputs along `classAxis`; where several outputs are the largest, by the chance that one taken at random is wrong.
 * Sigmoid cross-entropy: those (float32 of the output's shape, each 0 or 1) that are on the other side of 0 than the output. Throws GraphError where
 * the graph has no such output.
 */
export function attachErrors(forward: Graph, options: LossOptions): Graph {
  const output = outputOf(forward, options.loss);
  const builder = GraphBuilder.from(forward, `${forward.name}+errors`);
  const wrong =
    options.loss === 'sigmoidCrossEntropy' ? wrongSigns(builder, output) : wrongClasses(builder, output, options);
  return builder.build([builder.apply('ReduceSum', [wrong], { keepdims: 0 })]);
} // prettier-ignore
