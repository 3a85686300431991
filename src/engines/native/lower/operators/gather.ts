import { axisAttribute } from '../../../../graph/attributes.js';
import type { Node, Value } from '../../../../graph/types.js';
import { sizeOf } from '../../../../graph/types.js';
import type { Picked } from '../../kernels/lookup.js';
import { addToElements, addToRows, elementsAt, lookUp, pick, putBack } from '../../kernels/lookup.js';
import { foldSums } from '../../kernels/table.js';
import type { Tensor } from '../../plan/objects.js';
import { reducedSums, rowMajorStrides } from '../held.js';
import type { Lowering, OperatorTable } from '../lowering.js';
import { regularStrides } from '../regular.js';
import { unsupported } from '../unsupported.js';

function stored(node: Node, value: Value, lowering: Lowering): Tensor {
  lowering.perExample(node, value);
  return lowering.tensor(value);
}

/** The numbers of constant indices; null for others. */
function constantIndices({ graph }: Lowering, value: Value): number[] | null {
  const constant = graph.constants.find((entry) => entry.value.id === value.id);
  return constant === undefined ? null : Array.from(constant.data as ArrayLike<number>, Number);
}

const isVarying = (value: Value, lowering: Lowering): boolean =>
  ['examples', 'fed'].includes(lowering.held(value).kind);

function pickedOf(node: Node, data: Value, indices: readonly number[]): Picked {
  const axis = axisAttribute(node, data.shape.length, 0);
  const extent = data.shape[axis]!;
  return {
    outer: sizeOf(data.shape.slice(1, axis)),
    extent,
    inner: sizeOf(data.shape.slice(axis + 1)),
    indices,
  };
}

function gather(node: Node, lowering: Lowering): void {
  const [data, indices] = node.inputs as [Value, Value];
  const output = node.outputs[0]!;
  const known = constantIndices(lowering, indices);
  if (known !== null && isVarying(data, lowering)) {
    const input = stored(node, data, lowering);
    const tensor = lowering.objects.tensor(sizeOf(output.shape.slice(1)));
    lowering.steps.push(pick(pickedOf(node, data, known), input, tensor));
    lowering.holdTensor(output, tensor, lowering.perExample(node, data).hasZeroTail);
    return;
  }
  const held = lowering.held(data);
  if (held.kind !== 'static')
    throw unsupported(node, 'a table that is a parameter or constant, or indices that are constants');
  if (known !== null) {
    holdStaticRows(node, known, lowering);
    return;
  }
  const width = sizeOf(data.shape.slice(1));
  const places = sizeOf(indices.shape.slice(1));
  const at = stored(node, indices, lowering);
  const tensor = lowering.objects.tensor(places * width);
  const options = { indices: at, places, rows: data.shape[0]!, width };
  lowering.steps.push(lookUp(options, lowering.table(held), tensor, lowering.target));
  lowering.holdTensor(output, tensor, false);
}

/** Constant indices that count up evenly pick a part of a parameter by other strides. */
function holdStaticRows(node: Node, indices: readonly number[], lowering: Lowering): void {
  const [data, positions] = node.inputs as [Value, Value];
  const output = node.outputs[0]!;
  const held = lowering.held(data);
  const axis = axisAttribute(node, data.shape.length, 0);
  const regular =
    held.kind === 'static' ? regularStrides(fromStart(indices, data.shape[axis]!), positions.shape) : null;
  const isReshaped = lowering.consumers(output).every(({ op }) => op === 'Reshape');
  if (held.kind !== 'static' || regular === null || !(regular.isOwnShape || isReshaped)) {
    throw unsupported(node, 'constant indices that count up evenly');
  }
  const stride = held.strides[axis]!;
  const numbers = { ...held.numbers, offset: held.numbers.offset + regular.first * stride };
  const around = (list: readonly number[], inner: readonly number[]): number[] => [
    ...list.slice(0, axis),
    ...inner,
    ...list.slice(axis + 1),
  ];
  lowering.hold(output, {
    kind: 'static',
    numbers,
    shape: around(held.shape, regular.shape),
    strides: around(
      held.strides,
      regular.strides.map((step) => step * stride),
    ),
  });
}

const fromStart = (indices: readonly number[], extent: number): number[] =>
  indices.map((index) => (index < 0 ? index + extent : index));

function gatherGradient(node: Node, lowering: Lowering): void {
  const [dy, indices] = node.inputs as [Value, Value];
  const output = node.outputs[0]!;
  const known = constantIndices(lowering, indices);
  if (known === null) rowGradients(node, lowering);
  else if (isVarying(dy, lowering)) {
    const gradient = stored(node, dy, lowering);
    const tensor = lowering.objects.tensor(sizeOf(output.shape.slice(1)));
    lowering.steps.push(putBack(pickedOf(node, output, known), gradient, tensor));
    lowering.holdTensor(output, tensor, lowering.perExample(node, dy).hasZeroTail);
  } else sumsPutBack(node, known, lowering);
}

/** Gradients of a table's rows: sums over the examples and places that looked them up. */
function rowGradients(node: Node, lowering: Lowering): void {
  const [dy, indices] = node.inputs as [Value, Value];
  const { shape } = node.outputs[0]!;
  const sums = lowering.objects.sums(sizeOf(shape));
  const options = {
    indices: stored(node, indices, lowering),
    places: sizeOf(indices.shape.slice(1)),
    rows: shape[0]!,
    width: sizeOf(shape.slice(1)),
  };
  lowering.steps.push(
    addToRows(options, stored(node, dy, lowering), lowering.examples, sums, lowering.target),
  );
  lowering.hold(node.outputs[0]!, reducedSums(sums, shape));
}

/** Sums over the chunk back to where constant indices picked from. */
function sumsPutBack(node: Node, indices: readonly number[], lowering: Lowering): void {
  const [dy, positions] = node.inputs as [Value, Value];
  const output = node.outputs[0]!;
  const held = lowering.held(dy);
  const axis = axisAttribute(node, output.shape.length, 0);
  const regular = regularStrides(fromStart(indices, output.shape[axis]!), positions.shape);
  if (held.kind !== 'reduced' || regular === null)
    throw unsupported(node, 'constant indices that count up evenly');
  const strides = rowMajorStrides(output.shape);
  const around = (list: readonly number[], inner: readonly number[]): number[] => [
    ...list.slice(0, axis),
    ...inner,
    ...list.slice(axis + 1),
  ];
  const places = {
    shape: around(output.shape, regular.shape),
    strides: around(
      strides,
      regular.strides.map((step) => step * strides[axis]!),
    ),
    offset: regular.first * strides[axis]!,
  };
  const sums = lowering.objects.sums(sizeOf(output.shape));
  lowering.steps.push(foldSums(lowering.rowMajorSums(held), places, sums, held.factor));
  lowering.hold(output, { kind: 'reduced', sums, factor: 1, shape: output.shape, strides });
}

function pickElements(node: Node, lowering: Lowering): void {
  const [data, indices] = node.inputs as [Value, Value];
  const output = node.outputs[0]!;
  const places = sizeOf(indices.shape.slice(1));
  const tensor = lowering.objects.tensor(places);
  const [values, at] = [stored(node, data, lowering), stored(node, indices, lowering)];
  lowering.steps.push(elementsAt(values, sizeOf(data.shape.slice(1)), at, places, tensor));
  lowering.holdTensor(output, tensor, false);
}

function pickElementsGradient(node: Node, lowering: Lowering): void {
  const [dy, indices] = node.inputs as [Value, Value];
  const elements = sizeOf(node.outputs[0]!.shape.slice(1));
  const tensor = lowering.objects.tensor(elements);
  const [gradient, at] = [stored(node, dy, lowering), stored(node, indices, lowering)];
  lowering.steps.push(addToElements(gradient, sizeOf(indices.shape.slice(1)), at, elements, tensor));
  lowering.holdTensor(node.outputs[0]!, tensor, lowering.perExample(node, dy).hasZeroTail);
}

/** Operators that look elements up; those within the elements of each example are the engine's own. */
export const gathers: OperatorTable = [
  ['Gather', gather],
  ['GatherGrad', gatherGradient],
  ['ElementsAt', pickElements],
  ['ElementsAtGrad', pickElementsGradient],
];
