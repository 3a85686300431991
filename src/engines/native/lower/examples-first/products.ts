import { intAttribute, resolveAxis } from '../../../../graph/attributes.js';
import type { Node, Value } from '../../../../graph/types.js';
import { unsupported } from '../unsupported.js';
import type { Rule } from './operands.js';
import { commonPlace, operand, together, whole } from './operands.js';
import { canonicalShape } from './place.js';
import type { Rewriting } from './rewriting.js';

/** True where each of a stack of matrices has a row for each example, and where such stacks are summed over the examples. */
function isRowOfStacks(node: Node, rewriting: Rewriting): boolean {
  const [a, b] = node.inputs as [Value, Value];
  const [left, right] = [rewriting.place(a), rewriting.place(b)];
  if (left === null || a.shape.length < 2 || b.shape.length < 2) return false;
  const fromEnd = a.shape.length - left.axis;
  if (right === null) return fromEnd === 2;
  return fromEnd === 1 && b.shape.length - right.axis === 2 && left.outer === right.outer;
}

/** Examples [P, N, K] times parameters [P, K, Q], and their gradient: examples [P, K, N] times examples [P, N, Q]. */
function rowsOfStacks(node: Node, rewriting: Rewriting): void {
  const [a, b] = node.inputs as [Value, Value];
  const [output] = node.outputs as [Value];
  const rank = output.shape.length;
  const left = rewriting.separate(node, a, rank);
  if (rewriting.place(b) === null) {
    const place = { axis: rank - 2, outer: rewriting.place(a)!.outer };
    rewriting.emit(node, [left, b], {}, [place]);
    return;
  }
  const right = rewriting.separate(node, b, rank);
  const products = rewriting.fresh(output, [rewriting.examples, ...output.shape]);
  rewriting.nodes.push({ ...node, inputs: [left, right], outputs: [products] });
  const sum = { op: 'ReduceSum', name: node.name, inputs: [products], attributes: { axes: [0], keepdims: 0 }, outputs: [output] }; // prettier-ignore
  rewriting.nodes.push(sum);
}

/** Products of matrices; one of examples and a parameter takes the rows of each example for examples. Throws EngineError for what it cannot do. */
export const matMul: Rule = (node, rewriting) => {
  const [a, b] = node.inputs as [Value, Value];
  const right = rewriting.place(b);
  if (right === null && b.shape.length <= 2) {
    const place = rewriting.place(a)!;
    if (place.axis === a.shape.length - 1) throw unsupported(node, 'rows of each example');
    if (rewriting.isFirst(a)) rewriting.keep(node, () => true);
    else rewriting.emit(node, [rewriting.separate(node, a), b], {}, [place]);
    return;
  }
  if (isRowOfStacks(node, rewriting)) {
    rowsOfStacks(node, rewriting);
    return;
  }
  const rank = Math.max(a.shape.length, b.shape.length);
  const place = commonPlace(node, [a, b], rank, rewriting);
  const isVector = a.shape.length < 2 || b.shape.length < 2;
  if (isVector || place.axis >= rank - 2) throw unsupported(node, 'products within each example');
  if (rank === a.shape.length && rank === b.shape.length && rewriting.isFirst(a) && rewriting.isFirst(b)) {
    rewriting.keep(node, () => true);
    return;
  }
  const inputs = [a, b].map((value) => operand(node, value, rank, place, rewriting));
  rewriting.emit(node, inputs, {}, [place]);
};

/** Products of two matrices, whose rows may be tokens of all examples. Throws EngineError for what it cannot do. */
export const gemm: Rule = (node, rewriting) => {
  const [a, b, c] = node.inputs as [Value, Value, Value | null | undefined];
  const isTransposed = intAttribute(node, 'transA', 0) === 1;
  const left = rewriting.place(a);
  const right = rewriting.place(b);
  if (isTransposed) {
    const place = left ?? right!;
    const isSum = [left, right].every((own) => own === null || (own.axis === 0 && own.outer === place.outer));
    if (!isSum || intAttribute(node, 'transB', 0) !== 0) throw unsupported(node, 'transposed examples times examples'); // prettier-ignore
    if (rewriting.isFirst(a) && rewriting.isFirst(b)) rewriting.keep(node, () => false);
    else rewriting.emit(node, [whole(node, a, place, rewriting), whole(node, b, place, rewriting), ...(c ? [c] : [])], node.attributes, [null]); // prettier-ignore
    return;
  }
  if (left?.axis !== 0 || right !== null) throw unsupported(node, 'examples times parameters');
  const isPlain = rewriting.isFirst(a) && (!c || rewriting.place(c) !== null || c.shape.length < 2 || c.shape[0] === 1); // prettier-ignore
  if (isPlain) rewriting.keep(node, () => true);
  else {
    const addend = c ? [operand(node, c, 2, left, rewriting)] : [];
    rewriting.emit(node, [rewriting.separate(node, a), b, ...addend], node.attributes, [left]);
  }
};

/** Logits [N · positions, C] with labels [N · positions] become [N, positions, C]. Throws EngineError for what it cannot do. */
export const loss: Rule = (node, rewriting) => {
  const isGradient = node.op.endsWith('Grad');
  const logits = node.inputs[isGradient ? 1 : 0]!;
  const labels = node.inputs[isGradient ? 2 : 1]!;
  const place = rewriting.place(labels);
  const given = rewriting.place(logits) ?? place;
  if (place?.axis !== 0 || given?.axis !== 0 || place.outer !== given.outer)
    throw unsupported(node, together);
  if (rewriting.isFirst(logits)) rewriting.keep(node, () => isGradient);
  else {
    const shape = canonicalShape(logits.shape, place, rewriting.examples);
    const inputs = node.inputs.map((value) => {
      if (value === logits) return rewriting.reshaped(node, whole(node, value, place, rewriting), shape);
      return value && rewriting.place(value) ? rewriting.canonical(value) : value;
    });
    rewriting.emit(node, inputs, node.attributes, [isGradient ? place : null]);
  }
};

/** Rows of layer normalisation lie behind the axis of the examples. Throws EngineError for what it cannot do. */
export const layerNorm: Rule = (node, rewriting) => {
  const isGradient = node.op.endsWith('Grad');
  const x = node.inputs[isGradient ? 1 : 0]!;
  const place = rewriting.place(x)!;
  const rank = x.shape.length;
  const axis = resolveAxis(node, intAttribute(node, 'axis', -1), rank);
  if (axis <= place.axis) throw unsupported(node, 'examples that are normalised one by one');
  const sums = new Set(isGradient ? node.outputs.slice(1) : []);
  if (rewriting.isFirst(x)) rewriting.keep(node, (output) => !sums.has(output));
  else {
    const inputs = node.inputs.map((value) =>
      value && rewriting.place(value) ? rewriting.separate(node, value) : value,
    );
    const places = node.outputs.map((output) => (sums.has(output) ? null : place));
    rewriting.emit(node, inputs, { ...node.attributes, axis: axis + 1 }, places);
  }
};
