import { intAttribute, intsAttribute } from '../../graph/attributes.js';
import type { Node } from '../../graph/types.js';
import type { Convolution } from '../../graph/windows.js';
import { convolutionOf, poolingOf } from '../../graph/windows.js';
import type { EmittedAttributes } from './emitter.js';
import type { LoweringTable } from './lowering.js';

/** ONNX's attributes of a convolution. */
export function convolutionAttributes(c: Convolution): EmittedAttributes {
  return {
    strides: c.strides,
    dilations: c.dilations,
    pads: [...c.padsBegin, ...c.padsEnd],
    group: c.group,
  };
}

function transposeAttributes(node: Node): EmittedAttributes {
  const c = convolutionOf(node);
  const none = new Array<number>(c.kernel.length).fill(0);
  return { ...convolutionAttributes(c), output_padding: intsAttribute(node, 'output_padding', none) };
}

function poolingAttributes(node: Node): EmittedAttributes {
  const p = poolingOf(node);
  return {
    kernel_shape: p.kernel,
    strides: p.strides,
    dilations: p.dilations,
    pads: [...p.padsBegin, ...p.padsEnd],
    ceil_mode: intAttribute(node, 'ceil_mode', 0),
  };
}

/** Convolution and pooling. */
export const windowed: LoweringTable = {
  Conv: (emit, node, inputs) => emit.add('Conv', inputs, convolutionAttributes(convolutionOf(node))),
  ConvTranspose: (emit, node, inputs) => emit.add('ConvTranspose', inputs, transposeAttributes(node)),
  MaxPool: (emit, node, inputs) => emit.add('MaxPool', inputs, poolingAttributes(node)),
  AveragePool: (emit, node, inputs) =>
    emit.add('AveragePool', inputs, {
      ...poolingAttributes(node),
      count_include_pad: intAttribute(node, 'count_include_pad', 0),
    }),
  GlobalAveragePool: (emit, _node, inputs) => emit.add('GlobalAveragePool', inputs),
};
