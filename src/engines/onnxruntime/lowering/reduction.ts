import { axesAttribute, axisAttribute, intAttribute } from '../../../graph/attributes.js';
import type { Node } from '../../../graph/types.js';
import type { Emitter } from '../emitter.js';
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

function axisOf(node: Node): number {
  return axisAttribute(node, node.inputs[0]!.shape.length, -1);
}

const reduction: Lowering = (emit, node, [x]) => {
  const axes = axesAttribute(node, node.inputs[0]!.shape.length);
  return reduce(emit, node.op as Reduction, x!, axes, intAttribute(node, 'keepdims', 1));
};

const softmax: Lowering = (emit, node, inputs) => emit.add(node.op, inputs, { axis: axisOf(node) });

/** Reductions, and softmax with its gradients. */
export const reductions: LoweringTable = {
  ReduceSum: reduction,
  ReduceMean: reduction,
  ReduceMax: reduction,
  Softmax: softmax,
  LogSoftmax: softmax,

  /** dx = y (dy - Σ dy y) along the axis. */
  SoftmaxGrad: (emit, node, [dy, y]) => {
    const sum = reduce(emit, 'ReduceSum', emit.add('Mul', [dy!, y!]), [axisOf(node)]);
    return emit.add('Mul', [y!, emit.add('Sub', [dy!, sum])]);
  },

  /** dx = dy - exp(y) Σ dy along the axis. */
  LogSoftmaxGrad: (emit, node, [dy, y]) => {
    const sum = reduce(emit, 'ReduceSum', dy!, [axisOf(node)]);
    return emit.add('Sub', [dy!, emit.add('Mul', [emit.add('Exp', [y!]), sum])]);
  },
};
