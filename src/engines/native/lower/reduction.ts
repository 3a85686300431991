import { intsAttribute } from '../../../graph/attributes.js';
import type { Node } from '../../../graph/types.js';
import { sizeOf } from '../../../graph/types.js';
import { channelSums } from '../kernels/channel-sums.js';
import type { Expression } from '../plan/expression.js';
import { dependsOnChannel, unfinishedIn } from '../plan/expression.js';
import type { Geometry } from '../plan/geometry.js';
import { geometryOf } from '../plan/geometry.js';
import { rowMajorStrides } from './held.js';
import type { Lowering } from './lowering.js';
import { unsupported } from './unsupported.js';

function axesOf(node: Node, rank: number): number[] {
  const all = Array.from({ length: rank }, (_, axis) => axis);
  const axes = intsAttribute(node, 'axes', all).map((axis) => (axis < 0 ? axis + rank : axis));
  return axes.length === 0 ? all : axes;
}

/** How elements divide so that one sum belongs to each channel; null where the axes allow no such view. */
function summedGeometry(axes: readonly number[], own: Geometry, rank: number): Geometry | null {
  const elements = own.channels * own.pixels;
  if (axes.length === rank) return { channels: 1, pixels: elements };
  if (axes.length === 1) return { channels: elements, pixels: 1 };
  return axes.length === rank - 1 && !axes.includes(1) ? own : null;
}

/** Sums over the examples, and over all or no further axes but the channels. */
function reduceSum(node: Node, lowering: Lowering): void {
  const input = node.inputs[0]!;
  const output = node.outputs[0]!;
  const axes = axesOf(node, input.shape.length);
  const own = geometryOf(input.shape);
  const geometry = axes.includes(0) ? summedGeometry(axes, own, input.shape.length) : null;
  if (geometry === null) throw unsupported(node, 'a sum over the examples that leaves channels or nothing');
  const operand = lowering.perExample(node, input);
  const isMovable =
    unfinishedIn(operand.expression).length === 0 &&
    (geometry.pixels === own.pixels || !dependsOnChannel(operand.expression));
  const expression: Expression = isMovable
    ? lowering.masked(operand)
    : lowering.masked({ ...operand, expression: { kind: 'tensor', tensor: lowering.tensor(input) } });
  const sums = lowering.objects.sums(geometry.channels);
  lowering.steps.push(channelSums([{ expression, sums }], geometry, lowering.target));
  const { shape } = output;
  lowering.hold(output, { kind: 'reduced', sums, factor: 1, shape, strides: rowMajorStrides(shape) });
  if (sizeOf(shape) !== geometry.channels) throw unsupported(node, 'one sum per channel');
}

export const reductions: readonly (readonly [string, (node: Node, lowering: Lowering) => void])[] = [
  ['ReduceSum', reduceSum],
];
