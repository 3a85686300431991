import { axesAttribute, axisAttribute, intAttribute } from '../../graph/attributes.js';
import type { Node } from '../../graph/types.js';
import type { Emitter } from './emitter.js';
import type { Lowering, LoweringTable } from './lowering.js';

type Reduction = 'ReduceSum' | 'ReduceMean' | 'ReduceMax';

/** Reduces over `axes`, which keep extent 1 unless told otherwise. */
export function reduce(
  emit: Emitter,
  op: Reduction,
  x: string,
  axes: readonly number[],
  keepdims = 1,
): string {
  return axes.length === 0 ? x : emit.add(op, [x, emit.ints(axes)], { keepdims });
}

/** The axis of a softmax or of its gradient, counted from the front. Throws GraphError where there is no such axis. */
export function softmaxAxis(node: Node): number {
  return axisAttribute(node, node.inputs[0]!.shape.length, -1);
}

const reduction: Lowering = (emit, node, [x]) => {
  const axes = axesAttribute(node, node.inputs[0]!.shape.length);
  return reduce(emit, node.op as Reduction, x!, axes, intAttribute(node, 'keepdims', 1));
};

const softmax: Lowering = (emit, node, inputs) => emit.add(node.op, inputs, { axis: softmaxAxis(node) });

/** Reductions, and softmax. */
export const reductions: LoweringTable = {
  ReduceSum: reduction,
  ReduceMean: reduction,
  ReduceMax: reduction,
  Softmax: softmax,
  LogSoftmax: softmax,
};
