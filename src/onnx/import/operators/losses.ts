import { sizeOf } from '../../../graph/types.js';
import type { Shape, Value } from '../../../graph/types.js';
import { stridesOf } from '../../../graph/shapes.js';
import { axisOf, requireInside } from './arguments.js';
import type { NodeContext, TranslationTable } from '../context.js';

/** Flat places, in a tensor of shape `data`, of the elements of index 0 along `axis` that each place of `shape` looks up. */
function baseOffsets(c: NodeContext, data: Shape, shape: Shape, axis: number): Int32Array {
  const strides = stridesOf(data).map((stride, k) => (k === axis ? 0 : stride));
  const offsets = new Int32Array(sizeOf(shape));
  c.spend(offsets.length);
  const index = new Array<number>(shape.length).fill(0);
  let offset = 0;
  for (let k = 0; k < offsets.length; k++) {
    offsets[k] = offset;
    for (let at = shape.length - 1; at >= 0; at--) {
      offset += strides[at]!;
      if (++index[at]! < shape[at]!) break;
      offset -= index[at]! * strides[at]!;
      index[at] = 0;
    }
  }
  return offsets;
}

/**
 * The elements of `data` that `indices`, of as many axes, name along `axis`. An index outside becomes one that is outside of the whole
 * tensor, which engines refuse, instead of an element of the neighbour.
 */
function elementsAt(c: NodeContext, data: Value, indices: Value, axis: number): Value {
  const { builder } = c.state;
  const extent = data.shape[axis]!;
  const stride = stridesOf(data.shape)[axis]!;
  const whole = sizeOf(data.shape);
  const { dtype, shape } = indices;
  const number = (value: number): Value => c.scalar(value, dtype);
  const offsets = builder.constant(baseOffsets(c, data.shape, shape, axis), shape, dtype, 'offsets');
  const places = c.add('Add', [c.add('Mul', [indices, number(stride)]), offsets]);
  const isOutside = c.add('Or', [
    c.add('Less', [indices, number(0)]),
    c.add('Greater', [indices, number(extent - 1)]),
  ]);
  const checked = c.add('Where', [isOutside, number(whole), places]);
  return c.add('Gather', [c.add('Reshape', [data], { shape: [whole] }), checked], { axis: 0 });
}

function gatherElements(c: NodeContext): Value {
  const [data, indices] = [c.value(0), c.value(1)];
  const axis = axisOf(c, data.shape.length, 0);
  const { shape } = indices;
  const isWithin =
    shape.length === data.shape.length && shape.every((extent, k) => k === axis || extent <= data.shape[k]!);
  if (!isWithin) c.fail(`indices [${shape.join(', ')}] of data [${data.shape.join(', ')}]`, 'extents of the data at most, but along the axis'); // prettier-ignore
  requireInside(c, c.known(1), data.shape[axis]!);
  const zero = c.scalar(0, indices.dtype);
  const extent = c.scalar(data.shape[axis]!, indices.dtype);
  const fromStart = c.add('Where', [
    c.add('Less', [indices, zero]),
    c.add('Add', [indices, extent]),
    indices,
  ]);
  return elementsAt(c, data, fromStart, axis);
}

/** −log p of each label [N, …] in log probabilities [N, C, …], weighted by class, 0 for labels that are ignored; by `reduction`. */
function likelihoodLoss(
  c: NodeContext,
  logProbabilities: Value,
  labels: Value,
  weights: Value | null,
): Value {
  const { dtype, shape } = labels;
  const ignored = c.attributes.has('ignore_index') ? c.attributes.int('ignore_index', 0) : null;
  const isIgnored = ignored === null ? null : c.add('Equal', [labels, c.scalar(ignored, dtype)]);
  const counted = isIgnored === null ? labels : c.add('Where', [isIgnored, c.scalar(0, dtype), labels]);
  const column = c.add('Reshape', [counted], { shape: [shape[0]!, 1, ...shape.slice(1)] });
  const found = elementsAt(c, logProbabilities, column, 1);
  const surprise = c.add('Neg', [c.add('Reshape', [found], { shape })]);
  const byClass = weights === null ? null : c.add('Gather', [weights, counted], { axis: 0 });
  const one = byClass ?? c.scalar(1);
  const factor = isIgnored === null ? byClass : c.add('Where', [isIgnored, c.scalar(0), one]);
  const losses = factor === null ? surprise : c.add('Mul', [surprise, factor]);
  const reduction = c.attributes.text('reduction', 'mean');
  if (reduction === 'none') return losses;
  const sum = c.add('ReduceSum', [losses], { keepdims: 0 });
  if (reduction === 'sum') return sum;
  const divisor = factor === null ? c.scalar(sizeOf(shape)) : c.add('ReduceSum', [factor], { keepdims: 0 });
  return c.add('Div', [sum, divisor]);
}

/** Losses that a network computes itself, and looking up elements one by one. */
export const computedLosses: TranslationTable = {
  GatherElements: gatherElements,
  NegativeLogLikelihoodLoss: (c) => likelihoodLoss(c, c.value(0), c.value(1), c.optionalValue(2)),
  SoftmaxCrossEntropyLoss: (c) => {
    const logProbabilities = c.add('LogSoftmax', [c.value(0)], { axis: 1 });
    return [likelihoodLoss(c, logProbabilities, c.value(1), c.optionalValue(2)), logProbabilities];
  },
};
