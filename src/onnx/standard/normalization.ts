import { axisAttribute, intAttribute, numberAttribute } from '../../graph/attributes.js';
import type { Node } from '../../graph/types.js';
import type { LoweringTable } from './lowering.js';

/**
 * What a normalisation adds to the variance; ONNX's default is 1e-5. Throws GraphError where the attribute is no number.
 */
export function epsilonOf(node: Node): number {
  return numberAttribute(node, 'epsilon', 1e-5);
}

/** Normalisations; where ONNX does not give the statistics that a gradient needs, only y. */
export const normalizations: LoweringTable = {
  BatchNormalization: (emit, node, inputs) =>
    emit.add('BatchNormalization', inputs, { epsilon: epsilonOf(node) }),

  /** ONNX wants running statistics to update; they do not enter y. */
  BatchNormTraining: (emit, node, [x, scale, bias]) => {
    const channels = node.inputs[1]!.shape;
    const mean = emit.constant('float32', channels, new Float32Array(channels[0]!));
    const variance = emit.constant('float32', channels, new Float32Array(channels[0]!).fill(1));
    const attributes = { epsilon: epsilonOf(node), training_mode: 1 };
    return emit.addMany('BatchNormalization', [x!, scale!, bias!, mean, variance], attributes, 3).slice(0, 1);
  },

  LayerNormalization: (emit, node, inputs) => {
    const axis = axisAttribute(node, node.inputs[0]!.shape.length, -1);
    return emit.addMany('LayerNormalization', inputs, { axis, epsilon: epsilonOf(node) }, 3);
  },

  InstanceNormalization: (emit, node, inputs) =>
    emit.add('InstanceNormalization', inputs, { epsilon: epsilonOf(node) }),

  GroupNormalization: (emit, node, inputs) =>
    emit.add('GroupNormalization', inputs, {
      num_groups: intAttribute(node, 'num_groups'),
      epsilon: epsilonOf(node),
    }),
};
