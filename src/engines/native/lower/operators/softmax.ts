import { intAttribute, resolveAxis } from '../../../../graph/attributes.js';
import type { Node, Value } from '../../../../graph/types.js';
import { sizeOf } from '../../../../graph/types.js';
import type { SoftmaxShape } from '../../kernels/softmax.js';
import { softmax, softmaxGradient } from '../../kernels/softmax.js';
import type { Lowering, OperatorTable } from '../lowering.js';
import { unsupported } from '../unsupported.js';

function shapeOf(node: Node): SoftmaxShape {
  const { shape } = node.inputs[0]!;
  const axis = resolveAxis(node, intAttribute(node, 'axis', -1), shape.length);
  if (axis === 0) throw unsupported(node, 'an axis other than that of the examples');
  return {
    outer: sizeOf(shape.slice(1, axis)),
    axis: shape[axis]!,
    inner: sizeOf(shape.slice(axis + 1)),
    isLogarithmic: node.op.startsWith('Log'),
  };
}

function lowerSoftmax(node: Node, lowering: Lowering): void {
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  lowering.perExample(node, input);
  const tensor = lowering.objects.tensor(sizeOf(output.shape.slice(1)));
  lowering.steps.push(softmax(shapeOf(node), lowering.tensor(input), tensor));
  lowering.holdTensor(output, tensor, false);
}

function lowerSoftmaxGradient(node: Node, lowering: Lowering): void {
  const [dy, y] = node.inputs as [Value, Value];
  const output = node.outputs[0]!;
  const { hasZeroTail } = lowering.perExample(node, dy);
  lowering.perExample(node, y);
  const tensor = lowering.objects.tensor(sizeOf(output.shape.slice(1)));
  lowering.steps.push(softmaxGradient(shapeOf(node), lowering.tensor(dy), lowering.tensor(y), tensor));
  lowering.holdTensor(output, tensor, hasZeroTail);
}

export const softmaxes: OperatorTable = [
  ['Softmax', lowerSoftmax],
  ['LogSoftmax', lowerSoftmax],
  ['SoftmaxGrad', lowerSoftmaxGradient],
  ['LogSoftmaxGrad', lowerSoftmaxGradient],
];
