import { intAttribute, intsAttribute, numberAttribute, resolveAxis } from '../../../../graph/attributes.js';
import { paddingOf, slicingOf } from '../../../../graph/slices.js';
import type { Node, Shape, Value } from '../../../../graph/types.js';
import { sizeOf } from '../../../../graph/types.js';
import type { Move, Places } from '../../kernels/move.js';
import { move } from '../../kernels/move.js';
import type { Tensor } from '../../plan/objects.js';
import { rowMajorStrides } from '../held.js';
import type { Lowering, OperatorTable } from '../lowering.js';
import { unsupported } from '../unsupported.js';
import { concatArrays, padArray, sliceArray, splitArray } from './arrays/move.js';
import { isWithoutExamples } from './arrays/elementwise.js';

/** Strides of the elements of one example [N, …]. */
const own = (shape: Shape): number[] => rowMajorStrides(shape.slice(1));
const whole = (shape: Shape): Places => ({ offset: 0, strides: own(shape) });

function stored(node: Node, value: Value, lowering: Lowering): Tensor {
  lowering.perExample(node, value);
  return lowering.tensor(value);
}

/** Of a value that was asked for its numbers before. */
const hasZeroTail = (value: Value, lowering: Lowering): boolean => {
  const held = lowering.held(value);
  return held.kind === 'examples' && held.hasZeroTail;
};

function moveTo(
  node: Node,
  output: Value,
  moves: readonly Move[],
  lowering: Lowering,
  fill: number | null = null,
): void {
  const tensor = lowering.objects.tensor(sizeOf(output.shape.slice(1)));
  lowering.steps.push(move(moves, tensor, fill));
  const isZero = node.inputs.every((value) => value === null || hasZeroTail(value, lowering));
  lowering.holdTensor(output, tensor, isZero && (fill ?? 0) === 0);
}

/** Axes of examples in another order; the examples stay first. Throws EngineError where they would not. */
export function transposeExamples(node: Node, perm: readonly number[], lowering: Lowering): void {
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  if (perm[0] !== 0) throw unsupported(node, 'examples that stay on axis 0');
  const { tensor, offset, strides } = lowering.view(node, input);
  const turned = { tensor, offset, strides: perm.slice(1).map((axis) => strides[axis - 1]!) };
  lowering.holdView(output, turned, hasZeroTail(input, lowering));
}

/** A tensor [N, …] repeated along axes of extent 1, as numpy broadcasts it. Null where the examples move. */
export function broadcastExamples(node: Node, input: Value, shape: Shape, lowering: Lowering): Tensor | null {
  if (input.shape.length !== shape.length || input.shape[0] !== shape[0]) return null;
  const { tensor: source, offset, strides: given } = lowering.view(node, input);
  const strides = given.map((stride, axis) => (input.shape[axis + 1] === 1 ? 0 : stride));
  const tensor = lowering.objects.tensor(sizeOf(shape.slice(1)));
  const moved = { input: source, extents: shape.slice(1), from: { offset, strides }, to: whole(shape) };
  lowering.steps.push(move([moved], tensor, null));
  return tensor;
}

function slice(node: Node, lowering: Lowering): void {
  if (isWithoutExamples(node, lowering)) return sliceArray(node, lowering);
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  const { starts, steps, extents } = slicingOf(node);
  if (starts[0] !== 0 || steps[0] !== 1 || extents[0] !== input.shape[0]) {
    throw unsupported(node, 'all examples');
  }
  const { tensor, offset, strides } = lowering.view(node, input);
  const first = strides.reduce((sum, stride, axis) => sum + stride * starts[axis + 1]!, offset);
  const cut = { tensor, offset: first, strides: strides.map((stride, axis) => stride * steps[axis + 1]!) };
  lowering.holdView(output, cut, hasZeroTail(input, lowering));
}

function pad(node: Node, lowering: Lowering): void {
  if (isWithoutExamples(node, lowering)) return padArray(node, numberAttribute(node, 'value', 0), lowering);
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  const pads = paddingOf(node);
  if (pads[0]!.some((count) => count !== 0)) throw unsupported(node, 'all examples');
  const [reading, writing] = [own(input.shape), own(output.shape)];
  const cut = pads.slice(1).map(([begin]) => Math.max(0, -begin));
  const shift = pads.slice(1).map(([begin]) => Math.max(0, begin));
  const extents = pads
    .slice(1)
    .map(([begin, end], axis) => input.shape[axis + 1]! + Math.min(0, begin) + Math.min(0, end));
  const at = (strides: readonly number[], first: readonly number[]): Places => ({
    offset: strides.reduce((sum, stride, axis) => sum + stride * first[axis]!, 0),
    strides,
  });
  const moved = {
    input: stored(node, input, lowering),
    extents,
    from: at(reading, cut),
    to: at(writing, shift),
  };
  moveTo(node, output, [moved], lowering, numberAttribute(node, 'value', 0));
}

const axisOf = (node: Node, rank: number, missing?: number): number =>
  resolveAxis(node, intAttribute(node, 'axis', missing), rank);

function requireExamples(node: Node, axis: number): void {
  if (axis === 0) throw unsupported(node, 'all examples together on axis 0');
}

function concat(node: Node, lowering: Lowering): void {
  const output = node.outputs[0]!;
  const axis = axisOf(node, output.shape.length);
  if (isWithoutExamples(node, lowering)) return concatArrays(node, axis, lowering);
  requireExamples(node, axis);
  const strides = own(output.shape);
  let first = 0;
  const moves = node.inputs.map((value): Move => {
    const to = { offset: first * strides[axis - 1]!, strides };
    first += value!.shape[axis]!;
    const view = lowering.view(node, value!);
    return { input: view.tensor, extents: value!.shape.slice(1), from: view, to };
  });
  moveTo(node, output, moves, lowering);
}

function split(node: Node, lowering: Lowering): void {
  const input = node.inputs[0]!;
  const axis = axisOf(node, input.shape.length, 0);
  if (isWithoutExamples(node, lowering)) return splitArray(node, axis, lowering);
  requireExamples(node, axis);
  const { tensor, offset, strides } = lowering.view(node, input);
  let first = offset;
  for (const output of node.outputs) {
    lowering.holdView(output, { tensor, offset: first, strides }, hasZeroTail(input, lowering));
    first += output.shape[axis]! * strides[axis - 1]!;
  }
}

/** Each axis counts as two: which repetition, and where in the input. */
function tile(node: Node, lowering: Lowering): void {
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  const repeats = intsAttribute(node, 'repeats');
  if (repeats[0] !== 1) throw unsupported(node, 'each example once');
  const [reading, writing] = [own(input.shape), own(output.shape)];
  const inner = input.shape.slice(1);
  const moved = {
    input: stored(node, input, lowering),
    extents: inner.flatMap((extent, axis) => [repeats[axis + 1]!, extent]),
    from: { offset: 0, strides: reading.flatMap((stride) => [0, stride]) },
    to: { offset: 0, strides: writing.flatMap((stride, axis) => [stride * inner[axis]!, stride]) },
  };
  moveTo(node, output, [moved], lowering);
}

/** Operators that move the numbers of each example. */
export const moves: OperatorTable = [
  ['Slice', slice],
  ['Pad', pad],
  ['Concat', concat],
  ['Split', split],
  ['Tile', tile],
];
