import { intAttribute, numberAttribute, stringAttribute } from '../../graph/attributes.js';
import type { LoweringTable } from './lowering.js';

/** Products of matrices. */
export const linear: LoweringTable = {
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
