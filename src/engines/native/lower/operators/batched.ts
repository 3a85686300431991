import { intsAttribute, stringAttribute } from '../../../../graph/attributes.js';
import type { Node, Shape, Value } from '../../../../graph/types.js';
import { sizeOf } from '../../../../graph/types.js';
import type { Matrices, Triangle } from '../../kernels/dense/batched.js';
import { batchedProduct } from '../../kernels/dense/batched.js';
import type { Expression, Stored } from '../../plan/expression.js';
import type { Step } from '../../plan/step.js';
import type { Lowering } from '../lowering.js';
import { open } from '../open.js';
import { unsupported } from '../unsupported.js';
import type { View } from '../views.js';
import { wholeView } from '../views.js';

/** The matrices of an operand [N, …] for a product whose batch axes are `batch`, numpy's broadcasting. */
function matricesOf(node: Node, value: Value, batch: Shape, lowering: Lowering): Matrices {
  if (!hasExamples(value, lowering)) return repeated(node, value, batch, lowering);
  const { tensor, offset, strides } = lowering.view(node, value);
  const own = value.shape.slice(1, -2);
  const missing = batch.length - own.length;
  const before = batch.map((_, axis) =>
    axis < missing || own[axis - missing] === 1 ? 0 : strides[axis - missing]!,
  );
  return { tensor, offset, strides: [...before, ...strides.slice(-2)] };
}

const hasExamples = (value: Value, lowering: Lowering): boolean =>
  ['examples', 'fed'].includes(lowering.held(value).kind);

/** A parameter or constant, the same numbers for each example. */
function repeated(node: Node, value: Value, batch: Shape, lowering: Lowering): Matrices {
  const held = lowering.held(value);
  if (held.kind !== 'static') throw unsupported(node, 'products of examples, parameters and constants');
  const matrix = value.shape.slice(-2);
  const own = value.shape.slice(0, -2);
  const shape = [lowering.examples, ...own.slice(Math.max(0, own.length - batch.length)), ...matrix];
  if (own.length > batch.length && own[0] !== 1)
    throw unsupported(node, 'constants that do not vary by example');
  const expression = lowering.operand(node, value, shape);
  const tensor = lowering.store(expression, { channels: shape[1]!, pixels: sizeOf(shape.slice(2)) });
  const { strides } = wholeView(tensor, shape);
  const inner = shape.slice(1, -2);
  const missing = batch.length - inner.length;
  const before = batch.map((_, axis) =>
    axis < missing || inner[axis - missing] === 1 ? 0 : strides[axis - missing]!,
  );
  return { tensor, offset: 0, strides: [...before, ...strides.slice(-2)] };
}

/** Where a product goes: in the order that its only consumer wants, where that transposes it, so that nothing is copied later. */
function orderOf(output: Value, lowering: Lowering): readonly number[] | null {
  const consumer = lowering.onlyConsumer(output);
  if (consumer?.op !== 'Transpose') return null;
  const perm = intsAttribute(consumer, 'perm', [...output.shape.keys()].reverse());
  return perm[0] === 0 ? perm : null;
}

/** See `skipMaskedHalves`. */
const triangleOf = (node: Node): Triangle => stringAttribute(node, 'triangle', 'none') as Triangle;

/** Products of matrices of each example, [N, …, M, K] · [N, …, K, P]. Throws EngineError for what it cannot do. */
export function lowerBatched(node: Node, lowering: Lowering): void {
  const [a, b] = node.inputs as [Value, Value];
  const output = node.outputs[0]!;
  if (a.shape.length < 2 || b.shape.length < 2 || output.shape.length < 3)
    throw unsupported(node, 'matrices of each example');
  const batch = output.shape.slice(1, -2);
  const [rows, columns] = output.shape.slice(-2) as [number, number];
  const shared = {
    batch,
    rows,
    inner: a.shape.at(-1)!,
    columns,
    target: lowering.target,
    triangle: triangleOf(node),
  };
  const [left, right] = [a, b].map((value) => matricesOf(node, value, batch, lowering)) as [
    Matrices,
    Matrices,
  ];
  const isZero = [a, b].some((value) => {
    const held = lowering.held(value);
    return held.kind === 'examples' && held.hasZeroTail;
  });
  const perm = orderOf(output, lowering);
  if (perm !== null) {
    const view = turnedView(output, perm, lowering);
    const result: Expression = { kind: 'computed', by: { finish: () => view.tensor } };
    lowering.steps.push(batchedProduct({ ...shared, left, right, output: view, result }));
    lowering.holdView(output, view, isZero);
    return;
  }
  const add = ({ output: tensor, result }: Stored): Step =>
    batchedProduct({ ...shared, left, right, output: wholeView(tensor, output.shape), result });
  open(output, isZero, { add }, lowering);
}

/** A value in memory as its transpose. */
function turnedView(output: Value, perm: readonly number[], lowering: Lowering): View {
  const turned = [...perm.map((axis) => output.shape[axis]!)];
  const whole = wholeView(lowering.objects.tensor(sizeOf(turned.slice(1))), turned);
  const strides = output.shape.slice(1).map((_, axis) => whole.strides[perm.indexOf(axis + 1) - 1]!);
  return { ...whole, strides };
}
