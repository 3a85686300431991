import type { Activation } from '../../graph/activations/define.js';
import { attributesOf } from '../../graph/activations/define.js';
import { activations } from '../../graph/activations/table.js';
import { intAttribute, stringAttribute } from '../../graph/attributes.js';
import { dataTypeCode } from '../protobuf/dtypes.js';
import type { DType } from '../../graph/types.js';
import type { Lowering, LoweringTable } from './lowering.js';

const standard: Lowering = (emit, node, inputs) => emit.add(node.op, inputs);

const names =
  'Add Sub Mul Div Pow Max Min Neg Abs Sign Exp Log Sqrt Sin Cos Atan Erf Identity Reciprocal ' +
  'Floor Ceil Round Equal Greater Less Not And Or Where';

/** The operator of the same name, with all attributes written out. */
function activation({ attributes, asInputs }: Activation): Lowering {
  return (emit, node, inputs) => {
    const given = attributesOf(node, attributes);
    if (!asInputs) return emit.add(node.op, inputs, given);
    return emit.add(node.op, [...inputs, ...Object.values(given).map((value) => emit.scalar(Number(value)))]);
  };
}

/** Operators without attributes that ONNX has under the same name, activations and Cast. */
export const elementwise: LoweringTable = {
  ...Object.fromEntries(names.split(' ').map((name) => [name, standard])),
  ...Object.fromEntries([...activations].map(([name, entry]) => [name, activation(entry)])),

  Mod: (emit, node, inputs) => emit.add('Mod', inputs, { fmod: intAttribute(node, 'fmod', 0) }),

  Cast: (emit, node, inputs) =>
    emit.add('Cast', inputs, { to: dataTypeCode(stringAttribute(node, 'to') as DType) }),
};
