import type { Node, Shape, Value } from '../../../../../graph/types.js';
import { sizeOf } from '../../../../../graph/types.js';
import { paddingOf, slicingOf } from '../../../../../graph/slices.js';
import { arrangeSums, foldSums, type Placed, placeNumbers } from '../../../kernels/table.js';
import type { ArrayHeld, Reduced, StaticView } from '../../held.js';
import { reducedSums, rowMajorStrides } from '../../held.js';
import type { Lowering } from '../../lowering.js';
import { unsupported } from '../../unsupported.js';
import { heldArray } from './elementwise.js';

const dot = (places: readonly number[], strides: readonly number[]): number =>
  places.reduce((sum, place, axis) => sum + place * strides[axis]!, 0);

/** A part of an array, from its number `first` on, by strides of its own. */
function partOf(
  held: ArrayHeld,
  shape: Shape,
  first: number,
  strides: readonly number[],
  lowering: Lowering,
): ArrayHeld {
  if (held.kind === 'uniform') return { ...held, shape };
  if (held.kind === 'static') {
    const numbers = { ...held.numbers, offset: held.numbers.offset + first };
    return { kind: 'static', numbers, shape, strides };
  }
  const sums = lowering.objects.sums(sizeOf(shape));
  lowering.steps.push(arrangeSums(held.sums, { shape, strides, offset: first }, sums));
  return { ...reducedSums(sums, shape), factor: held.factor };
}

const stridesOf = (held: ArrayHeld): readonly number[] =>
  held.kind === 'uniform' ? held.shape.map(() => 0) : held.strides;

export function sliceArray(node: Node, lowering: Lowering): void {
  const held = heldArray(node.inputs[0]!, lowering);
  const { starts, steps } = slicingOf(node);
  const strides = stridesOf(held);
  const own = strides.map((stride, axis) => stride * steps[axis]!);
  const output = node.outputs[0]!;
  lowering.hold(output, partOf(held, output.shape, dot(starts, strides), own, lowering));
}

export function splitArray(node: Node, axis: number, lowering: Lowering): void {
  const held = heldArray(node.inputs[0]!, lowering);
  const strides = stridesOf(held);
  let first = 0;
  for (const output of node.outputs) {
    lowering.hold(output, partOf(held, output.shape, first * strides[axis]!, strides, lowering));
    first += output.shape[axis]!;
  }
}

export function concatArrays(node: Node, axis: number, lowering: Lowering): void {
  let first = 0;
  const parts = node.inputs.map((value): Part => {
    const { shape } = value!;
    const begins = shape.map((_, k) => (k === axis ? first : 0));
    first += shape[axis]!;
    return { held: heldArray(value!, lowering), shape, begins };
  });
  place(node, parts, 0, lowering);
}

/** Pads with one number, or takes away what is padded by less than nothing. Throws EngineError where sums are padded with other numbers than zero. */
export function padArray(node: Node, fill: number, lowering: Lowering): void {
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  const pads = paddingOf(node);
  const held = heldArray(input, lowering);
  const shape = input.shape.map((extent, axis) => extent + Math.min(0, pads[axis]![0]) + Math.min(0, pads[axis]![1])); // prettier-ignore
  const cut = pads.map(([begin]) => Math.max(0, -begin));
  const strides = stridesOf(held);
  const isCut = shape.some((extent, axis) => extent !== input.shape[axis]);
  const part = isCut ? partOf(held, shape, dot(cut, strides), strides, lowering) : held;
  const begins = pads.map(([begin]) => Math.max(0, begin));
  if (sizeOf(shape) === sizeOf(output.shape)) lowering.hold(output, part);
  else place(node, [{ held: part, shape, begins }], fill, lowering);
}

/** Takes note of numbers in row-major order of how they are seen, under another shape. */
export function reshapeCopy(output: Value, held: StaticView | Reduced, lowering: Lowering): void {
  const { shape } = output;
  if (held.kind === 'reduced') {
    lowering.hold(output, { ...reducedSums(lowering.rowMajorSums(held), shape), factor: held.factor });
    return;
  }
  const length = sizeOf(shape);
  const strides = rowMajorStrides(held.shape);
  const part = { source: held.numbers, shape: held.shape, strides: held.strides, to: { offset: 0, strides } };
  const numbers = lowering.derive(length, (to) => placeNumbers([part], length, 0, to));
  lowering.hold(output, { kind: 'static', numbers, shape, strides: rowMajorStrides(shape) });
}

/** An array, and where it begins in a larger one. */
interface Part {
  readonly held: ArrayHeld;
  readonly shape: Shape;
  readonly begins: readonly number[];
}

/** Puts arrays into one: sums when they are complete, other numbers when θ is set. */
function place(node: Node, parts: readonly Part[], fill: number, lowering: Lowering): void {
  const output = node.outputs[0]!;
  if (parts.some(({ held }) => held.kind === 'reduced')) {
    placeSums(node, parts, fill, lowering);
    return;
  }
  // What is the same along an axis in all of them, such as for each example, is there once.
  const isRepeated = output.shape.map((extent, axis) => parts.every(({ held, shape }) => shape[axis] === extent && stridesOf(held)[axis] === 0)); // prettier-ignore
  const once = (list: Shape, instead: number): number[] => list.map((own, axis) => (isRepeated[axis] ? instead : own)); // prettier-ignore
  const shape = once(output.shape, 1);
  const strides = rowMajorStrides(shape);
  const placed = parts.map(({ held, shape: own, begins }): Placed => {
    const source = held.kind === 'uniform' ? held.value : (held as StaticView).numbers;
    return { source, shape: once(own, 1), strides: stridesOf(held), to: { offset: dot(begins, strides), strides } }; // prettier-ignore
  });
  const numbers = lowering.derive(sizeOf(shape), (to) => placeNumbers(placed, sizeOf(shape), fill, to));
  lowering.hold(output, { kind: 'static', numbers, shape: output.shape, strides: once(strides, 0) });
}

function placeSums(node: Node, parts: readonly Part[], fill: number, lowering: Lowering): void {
  const { shape } = node.outputs[0]!;
  const strides = rowMajorStrides(shape);
  const sums = lowering.objects.sums(sizeOf(shape));
  for (const { held, shape: own, begins } of parts) {
    // Sums are zeros before anything is added.
    if (held.kind === 'uniform' && held.value === 0) continue;
    if (held.kind !== 'reduced') throw unsupported(node, 'sums over the examples and zeros');
    const to = { shape: own, strides, offset: dot(begins, strides) };
    lowering.steps.push(foldSums(lowering.rowMajorSums(held), to, sums, held.factor));
  }
  if (fill !== 0) throw unsupported(node, 'padding with zeros');
  lowering.hold(node.outputs[0]!, reducedSums(sums, shape));
}
