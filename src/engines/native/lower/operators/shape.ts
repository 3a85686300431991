import { intsAttribute } from '../../../../graph/attributes.js';
import type { Node } from '../../../../graph/types.js';
import { dependsOnChannel, unfinishedIn } from '../../plan/expression.js';
import { geometryOf } from '../../plan/geometry.js';
import type { PerExample } from '../held.js';
import { broadcastStrides, isRowMajor, rowMajorStrides } from '../held.js';
import { reshapeCopy } from './arrays/move.js';
import { broadcastExamples, transposeExamples } from './move.js';
import type { Lowering, OperatorTable } from '../lowering.js';
import { unsupported } from '../unsupported.js';
import { reshapedStrides } from '../views.js';

/** The same numbers in the same order under another shape. */
function reshape(node: Node, lowering: Lowering): void {
  const input = node.inputs[0]!;
  const output = node.outputs[0]!;
  const held = lowering.held(input);
  if (held.kind === 'static' || held.kind === 'reduced') {
    const strides = isRowMajor(held)
      ? rowMajorStrides(output.shape)
      : reshapedStrides(held.shape, held.strides, output.shape);
    if (strides === null) reshapeCopy(output, held, lowering);
    else lowering.hold(output, { ...held, shape: output.shape, strides });
  } else if (held.kind === 'uniform') lowering.hold(output, { ...held, shape: output.shape });
  else if (held.kind === 'statistic') lowering.hold(output, held);
  else reshapeExamples(node, lowering);
}

function reshapeExamples(node: Node, lowering: Lowering): void {
  const input = node.inputs[0]!;
  const output = node.outputs[0]!;
  if (output.shape[0] !== lowering.examples) throw unsupported(node, 'examples that stay on axis 0');
  if (lowering.isView(input)) {
    const view = lowering.view(node, input);
    const strides = reshapedStrides(input.shape.slice(1), view.strides, output.shape.slice(1));
    if (strides !== null) {
      lowering.holdView(output, { ...view, strides }, (lowering.held(input) as PerExample).hasZeroTail);
      return;
    }
  }
  const { expression, hasZeroTail } = lowering.perExample(node, input);
  const keepsChannels = geometryOf(input.shape).pixels === geometryOf(output.shape).pixels;
  const isFree = unfinishedIn(expression).length === 0 && !dependsOnChannel(expression);
  if (keepsChannels || isFree) lowering.holdExpression(output, expression, hasZeroTail);
  else lowering.holdTensor(output, lowering.tensor(input), hasZeroTail);
}

function transpose(node: Node, lowering: Lowering): void {
  const output = node.outputs[0]!;
  const held = lowering.held(node.inputs[0]!);
  const { shape } = node.inputs[0]!;
  const perm = intsAttribute(
    node,
    'perm',
    shape.map((_, axis) => shape.length - 1 - axis),
  );
  if (held.kind !== 'static' && held.kind !== 'reduced') {
    transposeExamples(node, perm, lowering);
    return;
  }
  lowering.hold(output, { ...held, shape: output.shape, strides: perm.map((axis) => held.strides[axis]!) });
}

/** Broadcasts constants, or one number per example or channel. */
function expand(node: Node, lowering: Lowering): void {
  const input = node.inputs[0]!;
  const output = node.outputs[0]!;
  const held = lowering.held(input);
  if (held.kind === 'uniform') lowering.hold(output, { ...held, shape: output.shape });
  else if (held.kind === 'static' || held.kind === 'reduced') {
    const strides = broadcastStrides(held, output.shape);
    if (strides === null) throw unsupported(node, 'a shape that broadcasts');
    lowering.hold(output, { ...held, shape: output.shape, strides });
  } else {
    const { hasZeroTail } = lowering.perExample(node, input);
    const tensor = lowering.isCoarse(input, output.shape)
      ? null
      : broadcastExamples(node, input, output.shape, lowering);
    if (tensor) lowering.holdTensor(output, tensor, hasZeroTail);
    else lowering.holdExpression(output, lowering.operand(node, input, output.shape), hasZeroTail);
  }
}

/** Operators that move no numbers of the examples. */
export const shapes: OperatorTable = [
  ['Reshape', reshape],
  ['Flatten', reshape],
  ['Squeeze', reshape],
  ['Unsqueeze', reshape],
  ['Transpose', transpose],
  ['Expand', expand],
];
