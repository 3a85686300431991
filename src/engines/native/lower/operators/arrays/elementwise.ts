import type { Node, Value } from '../../../../../graph/types.js';
import { sizeOf } from '../../../../../graph/types.js';
import type { ArrayOperand } from '../../../kernels/arrays.js';
import { computeArray } from '../../../kernels/arrays.js';
import type { Expression } from '../../../plan/expression.js';
import { number } from '../../../plan/expression.js';
import type { ArrayHeld, StaticView } from '../../held.js';
import { broadcastStrides, rowMajorStrides } from '../../held.js';
import { isSameForAll } from '../../judgements.js';
import type { Lowering } from '../../lowering.js';
import { unsupported } from '../../unsupported.js';

/** What stands for a value of a node of which `isWithoutExamples` is true. */
export const heldArray = (value: Value, lowering: Lowering): ArrayHeld => lowering.held(value) as ArrayHeld;

/** A leaf for an array; it is no kernel that could be finished. */
export const leafOf = (): Expression & { kind: 'computed' } => {
  const finish = (): never => {
    throw new TypeError('an array is no kernel');
  };
  return { kind: 'computed', by: { finish } };
};

/** Numbers that sums are going to meet, kept beyond the setting of θ. */
export function lasting(held: StaticView, lowering: Lowering): StaticView {
  if (held.numbers.source === 'derived') return held;
  const { numbers, shape, strides } = held;
  const leaf = leafOf();
  const array = { by: leaf.by, source: numbers, strides, factor: 1 };
  const copy = lowering.derive(sizeOf(shape), (to) => computeArray(leaf, [array], shape, to));
  return { kind: 'static', numbers: copy, shape, strides: rowMajorStrides(shape) };
}

/** An operand as a leaf of an expression in double, and the array that stands behind the leaf, if it is not one number. */
function operandOf(
  node: Node,
  value: Value,
  hasSums: boolean,
  lowering: Lowering,
): { leaf: Expression; array: ArrayOperand | null } {
  const given = lowering.held(value);
  if (given.kind === 'uniform') return { leaf: number(given.value), array: null };
  const held = given.kind === 'static' && hasSums ? lasting(given, lowering) : given;
  const { shape } = node.outputs[0]!;
  const strides = held.kind === 'static' || held.kind === 'reduced' ? broadcastStrides(held, shape) : null;
  if (strides === null)
    throw unsupported(node, 'parameters, constants and sums over the examples that broadcast');
  const leaf = leafOf();
  const { by } = leaf;
  if (held.kind === 'static') return { leaf, array: { by, source: held.numbers, strides, factor: 1 } };
  if (held.kind !== 'reduced') throw unsupported(node, 'parameters, constants and sums over the examples');
  return { leaf, array: { by, source: held.sums, strides, factor: held.factor } };
}

/**
 * An element-wise operator on what does not vary by example, in double: when θ is set, or, of sums over the examples, when these are
 * complete.
 */
export function lowerWithoutExamples(
  node: Node,
  rule: (node: Node, args: readonly Expression[]) => Expression,
  lowering: Lowering,
): void {
  const output = node.outputs[0]!;
  const { shape } = output;
  const hasSums = node.inputs.some((value) => lowering.held(value!).kind === 'reduced');
  const operands = node.inputs.map((value) => operandOf(node, value!, hasSums, lowering));
  const expression = rule(
    node,
    operands.map(({ leaf }) => leaf),
  );
  const arrays = operands.flatMap(({ array }) => (array === null ? [] : [array]));
  const strides = rowMajorStrides(shape);
  if (hasSums) {
    const sums = lowering.objects.sums(sizeOf(shape));
    lowering.steps.push(computeArray(expression, arrays, shape, sums));
    lowering.hold(output, { kind: 'reduced', sums, factor: 1, shape, strides });
    return;
  }
  const numbers = lowering.derive(sizeOf(shape), (to) => computeArray(expression, arrays, shape, to));
  lowering.hold(output, { kind: 'static', numbers, shape, strides });
}

/** True where no operand varies by example, and at least one is an array. */
export function isWithoutExamples(node: Node, lowering: Lowering): boolean {
  return node.inputs.every((value) => ['uniform', 'static', 'reduced'].includes(lowering.held(value!).kind));
}

/** True for what has the same rows for each example, as many as there are examples. */
export function isRepeated(value: Value, lowering: Lowering): boolean {
  const held = lowering.held(value);
  if (value.shape[0] !== lowering.examples) return false;
  return held.kind === 'uniform' || (held.kind === 'static' && (held.strides[0] === 0 || isSameForAll(value, lowering.graph))); // prettier-ignore
}
