import type { Value } from '../../../graph/types.js';
import { sizeOf } from '../../../graph/types.js';
import { mixAlong } from './along-axis.js';
import { axesOf, axisOf, resolveAxis } from './arguments.js';
import type { NodeContext, Translation, TranslationTable } from '../context.js';

function reduce(c: NodeContext, op: string, x: Value): Value {
  const axes = axesOf(c, x.shape.length, 1);
  if (axes.length === 0) return x;
  return c.add(op, [x], { axes, keepdims: c.attributes.int('keepdims', 1) });
}

const standard: Translation = (c) => reduce(c, c.node.opType, c.value(0));

/** Before opset 13, softmax ran over all axes from `axis` (default 1) on, flattened. */
const softmax: Translation = (c) => {
  const x = c.value(0);
  const rank = x.shape.length;
  if (c.opset >= 13) return c.add(c.node.opType, [x], { axis: axisOf(c, rank, -1) });
  const axis = axisOf(c, rank, 1);
  if (axis === rank - 1) return c.add(c.node.opType, [x], { axis });
  const shape = [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))];
  const flat = c.add(c.node.opType, [c.add('Reshape', [x], { shape })], { axis: 1 });
  return c.add('Reshape', [flat], { shape: x.shape });
};

function square(c: NodeContext): Value {
  return c.add('Mul', [c.value(0), c.value(0)]);
}

/** The root of a sum of squares. Its derivative is taken to be 0 where all are 0, as frameworks do, not 0/0. */
function rootOf(c: NodeContext, sum: Value): Value {
  const isZero = c.add('Equal', [sum, c.scalar(0)]);
  const root = c.add('Sqrt', [c.add('Where', [isZero, c.scalar(1), sum])]);
  return c.add('Where', [isZero, c.scalar(0), root]);
}

/** Whether the input is a sum of squares, as exporters write the square of a norm. */
function isSumOfSquares({ node, state }: NodeContext): boolean {
  const sum = state.producers.get(node.input[0] ?? '');
  if (sum?.opType !== 'ReduceSum') return sum?.opType === 'ReduceSumSquare';
  const square = state.producers.get(sum.input[0] ?? '');
  return square?.opType === 'Mul' && square.input[0] === square.input[1];
}

function squareRoot(c: NodeContext): Value {
  return isSumOfSquares(c) ? rootOf(c, c.value(0)) : c.add('Sqrt', [c.value(0)]);
}

/** log Σ e^x as m + log Σ e^(x - m) with the largest x as m, without overflow. */
function logSumExp(c: NodeContext): Value {
  const x = c.value(0);
  const axes = axesOf(c, x.shape.length, 1);
  if (axes.length === 0) return x;
  const keepdims = c.attributes.int('keepdims', 1);
  const largest = c.add('ReduceMax', [x], { axes, keepdims: 1 });
  const sum = c.add('ReduceSum', [c.add('Exp', [c.add('Sub', [x, largest])])], { axes, keepdims });
  const logarithm = c.add('Log', [sum]);
  return c.add('Add', [logarithm, c.add('Reshape', [largest], { shape: sum.shape })]);
}

/** x over its norm along an axis: the root of its sum of squares, or the sum of its magnitudes. 0/0 where all are 0. */
function normalized(c: NodeContext): Value {
  const x = c.value(0);
  const axes = [axisOf(c, x.shape.length, -1)];
  const p = c.attributes.int('p', 2);
  if (p !== 1 && p !== 2) c.fail(`p ${p}`, 'p 1 or 2');
  const sizes = c.add('ReduceSum', [p === 2 ? square(c) : c.add('Abs', [x])], { axes, keepdims: 1 });
  return c.add('Div', [x, p === 2 ? rootOf(c, sizes) : sizes]);
}

/** Sums of all elements up to (in reverse: from) each one, with or (exclusive) without it; of whole numbers as floats, which are exact up to 2²⁴. */
function cumulativeSum(c: NodeContext): Value {
  const given = c.value(0);
  const x = c.cast(given, 'float32');
  const axis = resolveAxis(c, c.number(1, 0), x.shape.length);
  const extent = x.shape[axis]!;
  const sign = c.attributes.int('reverse', 0) === 1 ? -1 : 1;
  const least = c.attributes.int('exclusive', 0) === 1 ? 1 : 0;
  c.spend(extent * extent);
  const counts = (k: number, i: number): number => (sign * (k - i) >= least ? 1 : 0);
  const range = Array.from({ length: extent }, (_, k) => k);
  return c.cast(mixAlong(c, x, axis, range.map((k) => range.map((i) => counts(k, i)))), given.dtype); // prettier-ignore
}

/** Reductions, also of functions of the elements, softmax and running sums. */
export const reductions: TranslationTable = {
  ReduceSum: standard,
  ReduceMean: standard,
  ReduceMax: standard,
  ReduceMin: (c) => c.add('Neg', [reduce(c, 'ReduceMax', c.add('Neg', [c.value(0)]))]),
  Softmax: softmax,
  LogSoftmax: softmax,
  ReduceL1: (c) => reduce(c, 'ReduceSum', c.add('Abs', [c.value(0)])),
  ReduceL2: (c) => rootOf(c, reduce(c, 'ReduceSum', square(c))),
  Sqrt: squareRoot,
  ReduceSumSquare: (c) => reduce(c, 'ReduceSum', square(c)),
  ReduceLogSum: (c) => c.add('Log', [reduce(c, 'ReduceSum', c.value(0))]),
  ReduceLogSumExp: logSumExp,
  LpNormalization: normalized,
  CumSum: cumulativeSum,
};
