import { activationAttribute } from '../../graph/activations.js';
import { stringAttribute } from '../../graph/attributes.js';
import type { Node } from '../../graph/types.js';
import type { Lowering, LoweringTable } from './lowering.js';

/** An activation that ONNX has under the same name, with float attributes of the same names. */
function standard(...attributes: readonly string[]): Lowering {
  return (emit, node, inputs) =>
    emit.add(
      node.op,
      inputs,
      Object.fromEntries(attributes.map((name) => [name, activationAttribute(node, name)])),
    );
}

export function isTanhGelu(node: Node): boolean {
  return stringAttribute(node, 'approximate', 'none') === 'tanh';
}

/** Activations, element by element. */
export const activations: LoweringTable = {
  Relu: standard(),
  LeakyRelu: standard('alpha'),
  Elu: standard('alpha'),
  Selu: standard('alpha', 'gamma'),
  HardSwish: standard(),
  HardSigmoid: standard('alpha', 'beta'),
  Gelu: (emit, node, inputs) => emit.add('Gelu', inputs, { approximate: isTanhGelu(node) ? 'tanh' : 'none' }),
  Clip: (emit, node, [x]) => {
    const bounds = ['min', 'max'].map((name) => emit.scalar(activationAttribute(node, name)));
    return emit.add('Clip', [x!, ...bounds]);
  },
};
