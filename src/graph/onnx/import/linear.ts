import type { Value } from '../../types.js';
import type { NodeContext, TranslationTable } from './context.js';

function gemm(c: NodeContext): Value {
  return c.add('Gemm', [c.value(0), c.value(1), c.optionalValue(2)], {
    transA: c.attributes.int('transA', 0),
    transB: c.attributes.int('transB', 0),
    alpha: c.attributes.float('alpha', 1),
    beta: c.attributes.float('beta', 1),
  });
}

function einsum(c: NodeContext): Value {
  const equation = c.attributes.text('equation', '');
  const operands = c.inputs.map((_, k) => c.value(k));
  if (operands.length > 2)
    c.fail(`${operands.length} operands`, 'one or two', 'write it as several products');
  return c.add('Einsum', operands, { equation });
}

/** Products of matrices. */
export const products: TranslationTable = {
  MatMul: (c) => c.add('MatMul', [c.value(0), c.value(1)]),
  Gemm: gemm,
  Einsum: einsum,
};
