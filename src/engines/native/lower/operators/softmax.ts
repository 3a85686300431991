import { intAttribute, resolveAxis } from '../../../../graph/attributes.js';
import type { Node, Value } from '../../../../graph/types.js';
import { sizeOf } from '../../../../graph/types.js';
import type { CausalShape } from '../../kernels/causal-softmax.js';
import { causalSoftmax, causalSoftmaxGradient } from '../../kernels/causal-softmax.js';
import type { SoftmaxShape } from '../../kernels/softmax.js';
import { softmax, softmaxGradient } from '../../kernels/softmax.js';
import type { Stored } from '../../plan/expression.js';
import type { Step } from '../../plan/step.js';
import type { Lowering, OperatorTable } from '../lowering.js';
import { open } from '../open.js';
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

/** See `skipMaskedHalves`. */
const isCausal = (node: Node): boolean => intAttribute(node, 'causal', 0) === 1;

function squares(node: Node): CausalShape {
  const { shape } = node.inputs[0]!;
  const outer = sizeOf(shape.slice(1, -2));
  const tokens = shape.at(-1)!;
  return { outer, tokens, rowsPerChannel: (outer * tokens) / shape[1]! };
}

function lowerSoftmax(node: Node, lowering: Lowering): void {
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  lowering.perExample(node, input);
  const tensor = lowering.objects.tensor(sizeOf(output.shape.slice(1)));
  const from = lowering.tensor(input);
  lowering.steps.push(
    isCausal(node) ? causalSoftmax(squares(node), from, tensor) : softmax(shapeOf(node), from, tensor),
  );
  lowering.holdTensor(output, tensor, false);
}

function lowerSoftmaxGradient(node: Node, lowering: Lowering): void {
  const [dy, y] = node.inputs as [Value, Value];
  const output = node.outputs[0]!;
  const { hasZeroTail } = lowering.perExample(node, dy);
  lowering.perExample(node, y);
  const [upstream, forward] = [lowering.tensor(dy), lowering.tensor(y)];
  if (isCausal(node)) {
    const add = (stored: Stored): Step => causalSoftmaxGradient(squares(node), upstream, forward, stored);
    open(output, hasZeroTail, { add }, lowering);
    return;
  }
  const tensor = lowering.objects.tensor(sizeOf(output.shape.slice(1)));
  lowering.steps.push(softmaxGradient(shapeOf(node), upstream, forward, tensor));
  lowering.holdTensor(output, tensor, hasZeroTail);
}

export const softmaxes: OperatorTable = [
  ['Softmax', lowerSoftmax],
  ['LogSoftmax', lowerSoftmax],
  ['SoftmaxGrad', lowerSoftmaxGradient],
  ['LogSoftmaxGrad', lowerSoftmaxGradient],
];
