import { intAttribute, numberAttribute } from '../../../graph/attributes.js';
import { equationOf } from '../../../graph/einsum.js';
import { stridesOf } from '../../../graph/shapes.js';
import type { Node } from '../../../graph/types.js';
import type { Kernel, Tensor } from '../tensor.js';
import { broadcastOffsets, offsetsOf, zeros } from '../tensor.js';
import { multiplyInto, transposed } from './product.js';

const matMul: Kernel = ([a, b], node) => {
  const left = a!.shape.length === 1 ? [1, ...a!.shape] : a!.shape;
  const right = b!.shape.length === 1 ? [...b!.shape, 1] : b!.shape;
  const [rows, inner, columns] = [left.at(-2)!, left.at(-1)!, right.at(-1)!];
  const result = zeros(node.outputs[0]!.shape);
  const promoted = Math.max(a!.shape.length, b!.shape.length) - 2;
  const batch = result.shape.slice(0, Math.max(0, promoted));
  const aBatch = broadcastOffsets(left.slice(0, -2), batch);
  const bBatch = broadcastOffsets(right.slice(0, -2), batch);
  for (const [k, ak] of aBatch.entries()) {
    const at = [k * rows * columns, ak * rows * inner, bBatch[k]! * inner * columns] as const;
    multiplyInto(result.data, a!.data, b!.data, [rows, inner, columns], at);
  }
  return [result];
};

/** A matrix, or its transpose where the attribute says so, with its extents. */
function operand(x: Tensor, node: Node, attribute: string): readonly [Float64Array, number, number] {
  const [rows, columns] = x.shape as readonly [number, number];
  const swap = intAttribute(node, attribute, 0) === 1;
  return swap ? [transposed(x.data, rows, columns), columns, rows] : [x.data, rows, columns];
}

const gemm: Kernel = ([a, b, c], node) => {
  const [left, rows, inner] = operand(a!, node, 'transA');
  const [right, , columns] = operand(b!, node, 'transB');
  const result = zeros([rows, columns]);
  multiplyInto(result.data, left, right, [rows, inner, columns]);
  const alpha = numberAttribute(node, 'alpha', 1);
  const beta = numberAttribute(node, 'beta', 1);
  const bias = c && broadcastOffsets(c.shape, result.shape);
  for (let i = 0; i < result.data.length; i++) {
    result.data[i] = alpha * result.data[i]! + (bias ? beta * c.data[bias[i]!]! : 0);
  }
  return [result];
};

/** Offsets into a tensor, whose axes are named by `own`, while walking over `letters`. */
function letterOffsets(
  own: string,
  letters: readonly string[],
  extents: ReadonlyMap<string, number>,
): Int32Array {
  const strides = stridesOf([...own].map((letter) => extents.get(letter)!));
  return offsetsOf(
    letters.map((letter) => extents.get(letter)!),
    letters.map((letter) => (own.includes(letter) ? strides[own.indexOf(letter)]! : 0)),
  );
}

const einsum: Kernel = (inputs, node) => {
  const { inputs: terms, output, extents } = equationOf(node);
  const result = zeros(node.outputs[0]!.shape);
  const summed = [...extents.keys()].filter((letter) => !output.includes(letter));
  const outer = terms.map((term) => letterOffsets(term, [...output], extents));
  const inner = terms.map((term) => letterOffsets(term, summed, extents));
  for (let o = 0; o < result.data.length; o++) {
    for (let s = 0; s < inner[0]!.length; s++) {
      let product = 1;
      for (let k = 0; k < terms.length; k++) product *= inputs[k]!.data[outer[k]![o]! + inner[k]![s]!]!;
      result.data[o]! += product;
    }
  }
  return [result];
};

export const matrix: Readonly<Record<string, Kernel>> = { MatMul: matMul, Gemm: gemm, Einsum: einsum };
