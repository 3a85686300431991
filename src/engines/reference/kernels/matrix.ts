import { intAttribute, numberAttribute } from '../../../graph/attributes.js';
import { equationOf } from '../../../graph/einsum.js';
import { stridesOf } from '../../../graph/shapes.js';
import type { Kernel, Tensor } from '../tensor.js';
import { broadcastOffsets, offsetsOf, pick, zeros } from '../tensor.js';

/** Adds a [rows, inner] · b [inner, columns] to out, each starting at its offset. */
function multiplyInto(
  out: Float64Array,
  a: Float64Array,
  b: Float64Array,
  [rows, inner, columns]: readonly [number, number, number],
  [outAt, aAt, bAt]: readonly [number, number, number],
): void {
  for (let i = 0; i < rows; i++) {
    const row = out.subarray(outAt + i * columns, outAt + (i + 1) * columns);
    for (let k = 0; k < inner; k++) {
      const factor = a[aAt + i * inner + k]!;
      const from = bAt + k * columns;
      for (let j = 0; j < columns; j++) row[j]! += factor * b[from + j]!;
    }
  }
}

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

function transposed(x: Tensor): Tensor {
  const [rows, columns] = x.shape as readonly [number, number];
  return pick(x, offsetsOf([columns, rows], [1, columns]), [columns, rows]);
}

const gemm: Kernel = ([a, b, c], node) => {
  const left = intAttribute(node, 'transA', 0) === 1 ? transposed(a!) : a!;
  const right = intAttribute(node, 'transB', 0) === 1 ? transposed(b!) : b!;
  const [rows, inner] = left.shape as readonly [number, number];
  const result = zeros([rows, right.shape[1]!]);
  multiplyInto(result.data, left.data, right.data, [rows, inner, right.shape[1]!], [0, 0, 0]);
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
