import type { Node, Shape, Value } from '../../../../../graph/types.js';
import { sizeOf } from '../../../../../graph/types.js';
import { paddingOf, slicingOf } from '../../../../../graph/slices.js';
import { arrangeSums, foldSums, type Placed, placeNumbers } from '../../../kernels/table.js';
import type { Reduced, StaticView, Uniform } from '../../held.js';
import { reducedSums, rowMajorStrides } from '../../held.js';
import type { Lowering } from '../../lowering.js';
import { unsupported } from '../../unsupported.js';

/** What does not vary by example: parameters, constants, and sums over the examples. */
type ArrayHeld = StaticView | Uniform | Reduced;

/** Where an array goes in a larger one, row-major: its first number, and strides of its axes. */
interface Target {
  readonly offset: number;
  readonly strides: readonly number[];
}

const heldArray = (value: Value, lowering: Lowering): ArrayHeld => lowering.held(value) as ArrayHeld;

const dot = (places: readonly number[], strides: readonly number[]): number =>
  places.reduce((sum, place, axis) => sum + place * strides[axis]!, 0);

/** Takes note of a part of an array, from its number `first` on, by strides of its own. */
function holdPart(
  output: Value,
  held: ArrayHeld,
  first: number,
  strides: readonly number[],
  lowering: Lowering,
): void {
  const { shape } = output;
  if (held.kind === 'uniform') lowering.hold(output, { ...held, shape });
  else if (held.kind === 'static') {
    const numbers = { ...held.numbers, offset: held.numbers.offset + first };
    lowering.hold(output, { kind: 'static', numbers, shape, strides });
  } else {
    const sums = lowering.objects.sums(sizeOf(shape));
    lowering.steps.push(arrangeSums(held.sums, { shape, strides, offset: first }, sums));
    lowering.hold(output, { ...reducedSums(sums, shape), factor: held.factor });
  }
}

const stridesOf = (held: ArrayHeld): readonly number[] =>
  held.kind === 'uniform' ? held.shape.map(() => 0) : held.strides;

export function sliceArray(node: Node, lowering: Lowering): void {
  const held = heldArray(node.inputs[0]!, lowering);
  const { starts, steps } = slicingOf(node);
  const strides = stridesOf(held);
  const own = strides.map((stride, axis) => stride * steps[axis]!);
  holdPart(node.outputs[0]!, held, dot(starts, strides), own, lowering);
}

export function splitArray(node: Node, axis: number, lowering: Lowering): void {
  const held = heldArray(node.inputs[0]!, lowering);
  const strides = stridesOf(held);
  let first = 0;
  for (const output of node.outputs) {
    holdPart(output, held, first * strides[axis]!, strides, lowering);
    first += output.shape[axis]!;
  }
}

export function concatArrays(node: Node, axis: number, lowering: Lowering): void {
  const output = node.outputs[0]!;
  const strides = rowMajorStrides(output.shape);
  let first = 0;
  const parts = node.inputs.map((value) => {
    const offset = first * strides[axis]!;
    first += value!.shape[axis]!;
    return { held: heldArray(value!, lowering), shape: value!.shape, to: { offset, strides } };
  });
  place(node, parts, 0, lowering);
}

/** Pads with one number; takes away nothing. Throws EngineError where it would, or where sums are padded with other numbers than zero. */
export function padArray(node: Node, fill: number, lowering: Lowering): void {
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  const pads = paddingOf(node);
  if (pads.some(([begin, end]) => begin < 0 || end < 0)) throw unsupported(node, 'no negative padding');
  const strides = rowMajorStrides(output.shape);
  const begins = pads.map(([begin]) => begin);
  const part = {
    held: heldArray(input, lowering),
    shape: input.shape,
    to: { offset: dot(begins, strides), strides },
  };
  place(node, [part], fill, lowering);
}

interface Part {
  readonly held: ArrayHeld;
  readonly shape: Shape;
  readonly to: Target;
}

/** Puts arrays into one: sums when they are complete, other numbers when θ is set. */
function place(node: Node, parts: readonly Part[], fill: number, lowering: Lowering): void {
  const output = node.outputs[0]!;
  const { shape } = output;
  if (!parts.some(({ held }) => held.kind === 'reduced')) {
    const placed = parts.map(({ held, shape: own, to }): Placed => {
      const source = held.kind === 'uniform' ? held.value : (held as StaticView).numbers;
      return { source, shape: own, strides: stridesOf(held), to };
    });
    const numbers = lowering.derive(sizeOf(shape), (to) => placeNumbers(placed, sizeOf(shape), fill, to));
    lowering.hold(output, { kind: 'static', numbers, shape, strides: rowMajorStrides(shape) });
    return;
  }
  const sums = lowering.objects.sums(sizeOf(shape));
  for (const { held, shape: own, to } of parts) {
    // Sums are zeros before anything is added.
    if (held.kind === 'uniform' && held.value === 0) continue;
    if (held.kind !== 'reduced') throw unsupported(node, 'sums over the examples and zeros');
    lowering.steps.push(foldSums(lowering.rowMajorSums(held), { shape: own, ...to }, sums, held.factor));
  }
  if (fill !== 0) throw unsupported(node, 'padding with zeros');
  lowering.hold(output, reducedSums(sums, shape));
}
