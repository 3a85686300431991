import type { Application } from '../application.js';
import { misfit } from '../application.js';
import { intAttribute, numberAttribute } from '../attributes.js';
import { equationOf } from '../einsum.js';
import { broadcastShapes, matMulShape, sameShape } from '../shapes.js';
import type { Shape } from '../types.js';
import type { Entry, TensorType } from './define.js';
import { float, floatInput, operator } from './define.js';

function matMul(node: Application): TensorType[] {
  const shape = matMulShape(floatInput(node, 0).shape, floatInput(node, 1).shape);
  if (shape === null) throw misfit(node, 'a [..., M, K] and b [..., K, N] with batch axes that broadcast');
  return [float(shape)];
}

function matrix(node: Application, index: number, transposed: string): readonly [number, number] {
  const { shape } = floatInput(node, index);
  if (shape.length !== 2)
    throw misfit(node, `a matrix as input ${index}`, 'use MatMul, or a Reshape before it');
  const [rows, columns] = shape as readonly [number, number];
  return intAttribute(node, transposed, 0) === 1 ? [columns, rows] : [rows, columns];
}

function gemm(node: Application): TensorType[] {
  for (const name of ['alpha', 'beta']) numberAttribute(node, name, 1);
  const [rows, inner] = matrix(node, 0, 'transA');
  const [innerB, columns] = matrix(node, 1, 'transB');
  if (inner !== innerB) throw misfit(node, `an inner extent of ${inner} on both sides, not ${innerB}`);
  const shape: Shape = [rows, columns];
  if (node.inputs.length > 2 && node.inputs[2] !== null) {
    const result = broadcastShapes(floatInput(node, 2).shape, shape);
    if (result === null || !sameShape(result, shape)) {
      throw misfit(node, `a third input that broadcasts to [${shape.join(', ')}]`);
    }
  }
  return [float(shape)];
}

function einsum(node: Application): TensorType[] {
  for (const index of node.inputs.keys()) floatInput(node, index);
  const { output, extents } = equationOf(node);
  return [float([...output].map((letter) => extents.get(letter)!))];
}

/** Products of matrices. */
export const matrixOperators: readonly Entry[] = [
  operator('MatMul', [2, 2], [], matMul),
  operator('Gemm', [2, 3], ['transA', 'transB', 'alpha', 'beta'], gemm),
  operator('Einsum', [1, 2], ['equation'], einsum),
];
