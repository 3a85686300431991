import type { Value } from '../../graph/types.js';
import { sizeOf } from '../../graph/types.js';
import { axesOf, axisOf } from './arguments.js';
import type { NodeContext, Translation, TranslationTable } from './context.js';

export function reduce(c: NodeContext, op: string, x: Value): Value {
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

/** Reductions and softmax. */
export const reductions: TranslationTable = {
  ReduceSum: standard,
  ReduceMean: standard,
  ReduceMax: standard,
  ReduceMin: (c) => c.add('Neg', [reduce(c, 'ReduceMax', c.add('Neg', [c.value(0)]))]),
  Softmax: softmax,
  LogSoftmax: softmax,
};
