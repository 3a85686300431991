import { axisAttribute, intsAttribute, numberAttribute } from '../../graph/attributes.js';
import type { Lowering, LoweringTable } from './lowering.js';

/** A result whose shape alone differs from the input's. Its first extent is left open: it often is the batch. */
const reshaped: Lowering = (emit, node, [x]) => {
  const { shape } = node.outputs[0]!;
  const target = shape.includes(0) ? shape : shape.map((extent, axis) => (axis === 0 ? -1 : extent));
  return emit.add('Reshape', [x!, emit.ints(target)]);
};

/** Extents that stay are written as 1, which keeps whatever the input has. */
const expanded: Lowering = (emit, node, [x]) => {
  const from = node.inputs[0]!.shape;
  const { shape } = node.outputs[0]!;
  const target = shape.map((extent, axis) =>
    from[axis - shape.length + from.length] === extent ? 1 : extent,
  );
  return emit.add('Expand', [x!, emit.ints(target)]);
};

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
  Expand: expanded,
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

  Gather: (emit, node, inputs) =>
    emit.add('Gather', inputs, { axis: axisAttribute(node, node.inputs[0]!.shape.length, 0) }),
};
