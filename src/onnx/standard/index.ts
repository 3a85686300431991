import { intAttribute, numberAttribute, stringAttribute } from '../../graph/attributes.js';
import { elementwise } from './elementwise.js';
import type { Lowering, LoweringTable } from './lowering.js';
import { normalizations } from './normalization.js';
import { reductions } from './reduction.js';
import { shapes } from './shape.js';
import { windowed } from './windows.js';

/** Products of matrices. */
const linear: LoweringTable = {
  MatMul: (emit, _node, inputs) => emit.add('MatMul', inputs),

  Gemm: (emit, node, inputs) =>
    emit.add('Gemm', inputs, {
      transA: intAttribute(node, 'transA', 0),
      transB: intAttribute(node, 'transB', 0),
      alpha: numberAttribute(node, 'alpha', 1),
      beta: numberAttribute(node, 'beta', 1),
    }),

  Einsum: (emit, node, inputs) => emit.add('Einsum', inputs, { equation: stringAttribute(node, 'equation') }),
};

/** How each operator of a model is written in standard ONNX; losses and whole gradient operators are not among them. */
export const standardOperators: ReadonlyMap<string, Lowering> = new Map(
  [elementwise, linear, reductions, shapes, windowed, normalizations].flatMap((table) =>
    Object.entries(table),
  ),
);
