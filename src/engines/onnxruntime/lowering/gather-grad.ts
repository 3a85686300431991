import { axisAttribute, intsAttribute } from '../../../graph/attributes.js';
import { dataTypeCode } from '../../../onnx/protobuf/dtypes.js';
import type { LoweringTable } from '../../../onnx/standard/lowering.js';
import { aroundAxis } from '../../../graph/shapes.js';
import { sizeOf } from '../../../graph/types.js';

export const gatherGradients: LoweringTable = {
  /** Sums where indices repeat. */
  GatherGrad: (emit, node, [dy, indices]) => {
    const shape = intsAttribute(node, 'input_shape');
    const [outer, , inner] = aroundAxis(shape, axisAttribute(node, shape.length, 0));
    const count = sizeOf(node.inputs[1]!.shape);
    const zeros = emit.add('Expand', [emit.constant('float32', [1], [0]), emit.ints(shape)]);
    const wide = emit.add('Cast', [indices!], { to: dataTypeCode('int64') });
    const column = emit.add('Reshape', [wide, emit.ints([1, count, 1])]);
    const places = emit.add('Expand', [column, emit.ints([outer, count, inner])]);
    const flat = [zeros, dy!].map((x) => emit.add('Reshape', [x, emit.ints([outer, -1, inner])]));
    const inputs = [flat[0]!, places, flat[1]!];
    const sums = emit.add('ScatterElements', inputs, { axis: 1, reduction: 'add' });
    return emit.add('Reshape', [sums, emit.ints(shape)]);
  },
};
