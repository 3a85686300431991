import { equationOf } from '../../../graph/einsum.js';
import type { Value } from '../../../graph/types.js';
import type { NodeContext, TranslationTable } from '../context.js';
import { nodeName } from '../unsupported.js';

function gemm(c: NodeContext): Value {
  return c.add('Gemm', [c.value(0), c.value(1), c.optionalValue(2)], {
    transA: c.attributes.int('transA', 0),
    transB: c.attributes.int('transB', 0),
    alpha: c.attributes.float('alpha', 1),
    beta: c.attributes.float('beta', 1),
  });
}

/** Several operands are multiplied two by two; a letter is summed over once nothing that follows needs it. */
function einsum(c: NodeContext): Value {
  const equation = c.attributes.text('equation', '');
  const operands = c.inputs.map((_, k) => c.value(k));
  if (operands.length < 3) return c.add('Einsum', operands, { equation });
  const node = { op: 'Einsum', name: nodeName(c.node), inputs: operands, attributes: { equation } };
  const { inputs, output } = equationOf(node);
  let [product, letters] = [operands[0]!, inputs[0]!];
  for (let k = 1; k < operands.length; k++) {
    const needed = [output, ...inputs.slice(k + 1)].join('');
    const kept = [...new Set(letters + inputs[k]!)].filter((letter) => needed.includes(letter)).join('');
    const result = k === operands.length - 1 ? output : kept;
    product = c.add('Einsum', [product, operands[k]!], { equation: `${letters},${inputs[k]!}->${result}` });
    letters = result;
  }
  return product;
}

/** Products of matrices. */
export const products: TranslationTable = {
  MatMul: (c) => c.add('MatMul', [c.value(0), c.value(1)]),
  Gemm: gemm,
  Einsum: einsum,
};
