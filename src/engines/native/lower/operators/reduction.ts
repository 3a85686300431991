import { intsAttribute } from '../../../../graph/attributes.js';
import type { Node, Shape } from '../../../../graph/types.js';
import { sizeOf } from '../../../../graph/types.js';
import type { TokenRows } from '../../kernels/channel-sums.js';
import { channelSums, tokenSums } from '../../kernels/channel-sums.js';
import type { Fold } from '../../kernels/fold.js';
import { fold, foldRows } from '../../kernels/fold.js';
import { foldSums } from '../../kernels/table.js';
import type { Expression } from '../../plan/expression.js';
import { dependsOnChannel, unfinishedIn } from '../../plan/expression.js';
import type { Geometry } from '../../plan/geometry.js';
import { geometryOf } from '../../plan/geometry.js';
import type { Sums } from '../../plan/objects.js';
import { type Reduced, reducedSums } from '../held.js';
import { rowMajorStrides } from '../held.js';
import type { Lowering, OperatorTable } from '../lowering.js';
import { unsupported } from '../unsupported.js';
import { isRepeated, isWithoutExamples } from './arrays/elementwise.js';
import { reduceArray } from './arrays/products.js';

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

/** Sums over the examples, one for each channel of `geometry`. */
function sumExamples(node: Node, geometry: Geometry, lowering: Lowering): Sums {
  const input = node.inputs[0]!;
  const own = geometryOf(input.shape);
  const operand = lowering.perExample(node, input);
  const isMovable =
    unfinishedIn(operand.expression).length === 0 &&
    (geometry.pixels === own.pixels || !dependsOnChannel(operand.expression));
  const expression: Expression = isMovable
    ? lowering.masked(operand)
    : lowering.masked({ ...operand, expression: { kind: 'tensor', tensor: lowering.tensor(input) } });
  const sums = lowering.objects.sums(geometry.channels);
  lowering.steps.push(channelSums([{ expression, sums }], geometry, lowering.target));
  return sums;
}

/** Strides of the sums that are left, row-major, along the axes of what is summed. */
function stridesOfRest(shape: Shape, axes: readonly number[]): number[] {
  const rest = shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
  return rowMajorStrides(rest).map((stride, axis) => (axes.includes(axis) ? 0 : stride));
}

/** How the elements are rows of which the first axes are summed over; null where others are, too. */
function leadingRows(shape: Shape, axes: readonly number[]): TokenRows | null {
  const count = axes.length;
  if (count < 2 || !axes.every((axis) => axis < count)) return null;
  const tokens = sizeOf(shape.slice(1, count));
  return { tokens, width: sizeOf(shape.slice(count)), tokensPerChannel: tokens / shape[1]! };
}

/** Sums over the examples and any further axes, times `factor`. */
function reduceExamples(node: Node, axes: readonly number[], factor: number, lowering: Lowering): void {
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  const { shape } = output;
  const strides = rowMajorStrides(shape);
  const geometry = summedGeometry(axes, geometryOf(input.shape), input.shape.length);
  if (geometry !== null) {
    const sums = sumExamples(node, geometry, lowering);
    lowering.hold(output, { kind: 'reduced', sums, factor, shape, strides });
    return;
  }
  const rows = leadingRows(input.shape, axes);
  if (rows !== null) {
    const sums = lowering.objects.sums(rows.width);
    const expression = lowering.masked({
      ...lowering.perExample(node, input),
      expression: lowering.copyable(node, input),
    });
    const accumulators = lowering.objects.tensor(rows.width);
    lowering.steps.push(tokenSums([{ expression, sums }], rows, accumulators, lowering.target));
    lowering.hold(output, { kind: 'reduced', sums, factor, shape, strides });
    return;
  }
  const elements = sizeOf(input.shape.slice(1));
  const whole = sumExamples(node, { channels: elements, pixels: 1 }, lowering);
  const sums = lowering.objects.sums(sizeOf(shape));
  const inner = { shape: input.shape.slice(1), strides: stridesOfRest(input.shape, axes).slice(1) };
  lowering.steps.push(foldSums(whole, inner, sums));
  lowering.hold(output, { kind: 'reduced', sums, factor, shape, strides });
}

/** Reduces the numbers of each example. */
function reduceWithin(
  node: Node,
  axes: readonly number[],
  kind: Fold['kind'],
  factor: number,
  lowering: Lowering,
): void {
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  const { hasZeroTail } = lowering.perExample(node, input);
  const first = Math.min(...axes);
  if (first > 1 && axes.length === input.shape.length - first) {
    const rows = sizeOf(input.shape.slice(1, first));
    const shape = { rows, length: sizeOf(input.shape.slice(first)), rowsPerChannel: rows / input.shape[1]! };
    const tensor = lowering.objects.tensor(rows);
    lowering.steps.push(foldRows(lowering.copyable(node, input), shape, kind, factor, tensor));
    lowering.holdTensor(output, tensor, hasZeroTail);
    return;
  }
  const strides = rowMajorStrides(input.shape);
  const select = (isReduced: boolean): Fold['kept'] => {
    const chosen = [...input.shape.keys()].filter((axis) => axis > 0 && axes.includes(axis) === isReduced);
    return {
      extents: chosen.map((axis) => input.shape[axis]!),
      strides: chosen.map((axis) => strides[axis]!),
    };
  };
  const tensor = lowering.objects.tensor(sizeOf(output.shape.slice(1)));
  const folded = { kept: select(false), reduced: select(true), kind, factor };
  lowering.steps.push(fold(folded, lowering.tensor(input), tensor));
  lowering.holdTensor(output, tensor, hasZeroTail);
}

/** Sums of what are sums over the examples already. */
function reduceSums(
  node: Node,
  held: Reduced,
  axes: readonly number[],
  factor: number,
  lowering: Lowering,
): void {
  const { shape } = node.outputs[0]!;
  const sums = lowering.objects.sums(sizeOf(shape));
  const inner = { shape: held.shape, strides: stridesOfRest(held.shape, axes) };
  lowering.steps.push(foldSums(lowering.rowMajorSums(held), inner, sums, held.factor * factor));
  lowering.hold(node.outputs[0]!, reducedSums(sums, shape));
}

function reduce(node: Node, lowering: Lowering): void {
  const { shape } = node.inputs[0]!;
  const axes = axesOf(node, shape.length);
  const count = node.op === 'ReduceMean' ? axes.reduce((total, axis) => total * shape[axis]!, 1) : 1;
  const kind = node.op === 'ReduceMax' ? 'largest' : 'sum';
  const held = lowering.held(node.inputs[0]!);
  if (held.kind === 'reduced' && kind === 'sum') {
    reduceSums(node, held, axes, 1 / count, lowering);
    return;
  }
  const isArray =
    kind === 'sum' && isWithoutExamples(node, lowering) && !isRepeated(node.inputs[0]!, lowering);
  if (isArray) reduceArray(node, axes, 1 / count, lowering);
  else if (!axes.includes(0)) reduceWithin(node, axes, kind, 1 / count, lowering);
  else if (kind === 'sum') reduceExamples(node, axes, 1 / count, lowering);
  else throw unsupported(node, 'the largest number of each example');
}

export const reductions: OperatorTable = [
  ['ReduceSum', reduce],
  ['ReduceMean', reduce],
  ['ReduceMax', reduce],
];
