import { intAttribute, numberAttribute } from '../../graph/attributes.js';
import { equationOf } from '../../graph/einsum.js';
import type { Value } from '../../graph/types.js';
import { sizeOf } from '../../graph/types.js';
import type { Backward, GradientRules } from '../backward.js';

/** A product with each operand possibly transposed, times `alpha`. */
function product(
  step: Backward,
  a: Value,
  b: Value,
  transA: number,
  transB: number,
  label: string,
  alpha = 1,
): Value {
  return step.apply('Gemm', [a, b], { transA, transB, ...(alpha === 1 ? {} : { alpha }) }, label);
}

/** With y = α op(a) op(b) + β c, each gradient is one product of dy and the other operand. */
function gemm(step: Backward): (Value | null)[] {
  const { node, dy } = step;
  const [a, b] = [step.input(0), step.input(1)];
  const transA = intAttribute(node, 'transA', 0);
  const transB = intAttribute(node, 'transB', 0);
  const alpha = numberAttribute(node, 'alpha', 1);
  const beta = numberAttribute(node, 'beta', 1);
  const da =
    transA === 1
      ? product(step, b, dy, transB, 1, 'grad_a', alpha)
      : product(step, dy, b, 0, 1 - transB, 'grad_a', alpha);
  const db =
    transB === 1
      ? product(step, dy, a, 1, transA, 'grad_b', alpha)
      : product(step, a, dy, 1 - transA, 0, 'grad_b', alpha);
  const c = node.inputs[2] ?? null;
  if (c === null) return [da, db];
  const dc = step.unbroadcast(dy, c.shape);
  return [da, db, beta === 1 ? dc : step.apply('Mul', [dc, step.scalar(beta)])];
}

/** The last two axes swapped. */
function swapped(step: Backward, x: Value): Value {
  const rank = x.shape.length;
  const perm = [...x.shape.keys()].map((axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis));
  return step.apply('Transpose', [x], { perm });
}

/** One matrix on the right: all axes before the last count as rows. */
function timesMatrix(step: Backward, a: Value, b: Value, dy: Value): [Value, Value] {
  const [inner, columns] = b.shape as readonly [number, number];
  const rows = sizeOf(a.shape) / inner;
  const flatDy = step.reshape(dy, [rows, columns]);
  const da = step.reshape(product(step, flatDy, b, 0, 1, 'grad_a'), a.shape);
  return [da, product(step, step.reshape(a, [rows, inner]), flatDy, 1, 0, 'grad_b')];
}

function batched(step: Backward, a: Value, b: Value, dy: Value): [Value, Value] {
  const da = step.apply('MatMul', [dy, swapped(step, b)], {}, 'grad_a');
  const db = step.apply('MatMul', [swapped(step, a), dy], {}, 'grad_b');
  return [step.unbroadcast(da, a.shape), step.unbroadcast(db, b.shape)];
}

/** Vectors are rows on the left and columns on the right, as in numpy. */
function matMul(step: Backward): Value[] {
  const [a, b] = [step.input(0), step.input(1)];
  const left = a.shape.length === 1 ? step.reshape(a, [1, ...a.shape]) : a;
  const right = b.shape.length === 1 ? step.reshape(b, [...b.shape, 1]) : b;
  const batch = step.dy.shape.slice(0, Math.max(0, Math.max(a.shape.length, b.shape.length) - 2));
  const dy = step.reshape(step.dy, [...batch, left.shape.at(-2)!, right.shape.at(-1)!]);
  const rule = right.shape.length === 2 ? timesMatrix : batched;
  const [da, db] = rule(step, left, right, dy);
  return [step.reshape(da, a.shape), step.reshape(db, b.shape)];
}

/** The equation with the result in this input's place; letters that only this input has were summed, so they are repeated. */
function einsumGradient(step: Backward, index: number): Value {
  const { inputs, output, extents } = equationOf(step.node);
  const own = [...inputs[index]!];
  const others = [...inputs.keys()].filter((k) => k !== index);
  const terms = [output, ...others.map((k) => inputs[k]!)];
  const reached = own.filter((letter) => terms.some((term) => term.includes(letter)));
  const equation = `${terms.join(',')}->${reached.join('')}`;
  const gradient = step.apply('Einsum', [step.dy, ...others.map((k) => step.input(k))], { equation });
  const kept = own.map((letter) => (reached.includes(letter) ? extents.get(letter)! : 1));
  return step.expand(step.reshape(gradient, kept), step.input(index).shape);
}

/** Products of matrices. */
export const matrix: GradientRules = {
  MatMul: matMul,
  Gemm: gemm,
  Einsum: (step) => step.node.inputs.map((_, index) => einsumGradient(step, index)),
};
