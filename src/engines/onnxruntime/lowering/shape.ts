import { axisAttribute, intsAttribute, numberAttribute } from '../../../graph/attributes.js';
import { dataTypeCode } from '../../../graph/onnx/dtypes.js';
import { aroundAxis } from '../../../graph/shapes.js';
import { sizeOf } from '../../../graph/types.js';
import type { Lowering, LoweringTable } from './lowering.js';

/** A result whose shape alone differs from the input's. */
const reshaped: Lowering = (emit, node, [x]) => emit.add('Reshape', [x!, emit.ints(node.outputs[0]!.shape)]);

/** Operators whose static argument ONNX passes as an int64 input. */
function withInts(attribute: string): Lowering {
  return (emit, node, [x]) => emit.add(node.op, [x!, emit.ints(intsAttribute(node, attribute))]);
}

/** Operators that change the shape, the order or the number of copies of elements, join them, or look them up. */
export const shapes: LoweringTable = {
  Reshape: reshaped,
  Flatten: reshaped,
  Squeeze: reshaped,
  Unsqueeze: reshaped,
  Expand: withInts('shape'),
  Tile: withInts('repeats'),

  Transpose: (emit, node, inputs) => {
    const reversed = [...node.inputs[0]!.shape.keys()].reverse();
    return emit.add('Transpose', inputs, { perm: intsAttribute(node, 'perm', reversed) });
  },

  Concat: (emit, node, inputs) =>
    emit.add('Concat', inputs, { axis: axisAttribute(node, node.inputs[0]!.shape.length, 0) }),

  Split: (emit, node, [x]) => {
    const axis = axisAttribute(node, node.inputs[0]!.shape.length, 0);
    const extents = emit.ints(intsAttribute(node, 'split'));
    return emit.addMany('Split', [x!, extents], { axis }, node.outputs.length);
  },

  Slice: (emit, node, [x]) => {
    const starts = intsAttribute(node, 'starts');
    const axes = intsAttribute(node, 'axes', [...starts.keys()]);
    const ones = new Array<number>(starts.length).fill(1);
    const lists = [starts, intsAttribute(node, 'ends'), axes, intsAttribute(node, 'steps', ones)];
    return emit.add('Slice', [x!, ...lists.map((list) => emit.ints(list))]);
  },

  Pad: (emit, node, [x]) => {
    const value = emit.constant(node.inputs[0]!.dtype, [], [numberAttribute(node, 'value', 0)]);
    return emit.add('Pad', [x!, emit.ints(intsAttribute(node, 'pads')), value], { mode: 'constant' });
  },

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

  Gather: (emit, node, inputs) =>
    emit.add('Gather', inputs, { axis: axisAttribute(node, node.inputs[0]!.shape.length, 0) }),
};
