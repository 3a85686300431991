import { stringAttribute } from '../../graph/attributes.js';
import { dataTypeCode } from '../dtypes.js';
import type { DType } from '../../graph/types.js';
import type { Lowering, LoweringTable } from './lowering.js';

const standard: Lowering = (emit, node, inputs) => emit.add(node.op, inputs);

const names =
  'Add Sub Mul Div Pow Max Min Neg Abs Sign Exp Log Sqrt Sin Cos Erf Identity Reciprocal ' +
  'Equal Greater Less Not And Or Where';

/** Operators without attributes that ONNX has under the same name, and Cast. */
export const elementwise: LoweringTable = {
  ...Object.fromEntries(names.split(' ').map((name) => [name, standard])),

  Cast: (emit, node, inputs) =>
    emit.add('Cast', inputs, { to: dataTypeCode(stringAttribute(node, 'to') as DType) }),
};
