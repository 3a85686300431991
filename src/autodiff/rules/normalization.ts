import { numberAttribute } from '../../graph/attributes.js';
import type { Value } from '../../graph/types.js';
import type { Backward, GradientRule, GradientRules } from '../backward.js';

/** The whole gradient operator, fed with the statistics that the forward node returned. */
function whole(op: string): GradientRule {
  return (step) => {
    const inputs = [step.dy, step.input(0), step.input(1), step.output(1), step.output(2)];
    return step.all(op, inputs, step.node.attributes);
  };
}

/** y = scale · (x - mean) / √(var + ε) + bias, with mean and var given: every gradient is a sum over a channel. */
function withGivenStatistics(step: Backward): Value[] {
  const { dy } = step;
  const [x, scale, mean, variance] = [step.input(0), step.input(1), step.input(3), step.input(4)];
  const others = [...x.shape.keys()].filter((axis) => axis !== 1);
  const alongChannels = (value: Value): Value =>
    step.reshape(
      value,
      x.shape.map((extent, axis) => (axis === 1 ? extent : 1)),
    );
  const epsilon = step.scalar(numberAttribute(step.node, 'epsilon', 1e-5));
  const invStd = step.apply('Reciprocal', [step.apply('Sqrt', [step.apply('Add', [variance, epsilon])])]);
  const factor = step.apply('Mul', [scale, invStd]);
  const centred = step.apply('Sub', [x, alongChannels(mean)]);
  const dbias = step.sum(dy, others);
  const dscale = step.apply('Mul', [step.sum(step.apply('Mul', [dy, centred]), others), invStd]);
  const slope = step.apply('Mul', [step.apply('Mul', [factor, invStd]), step.scalar(-0.5)]);
  return [
    step.apply('Mul', [dy, alongChannels(factor)]),
    dscale,
    dbias,
    step.apply('Neg', [step.apply('Mul', [dbias, factor])]),
    step.apply('Mul', [dscale, slope]),
  ];
}

/** Normalisations, by their whole gradient operators. */
export const normalizations: GradientRules = {
  BatchNormalization: withGivenStatistics,
  BatchNormTraining: whole('BatchNormGrad'),
  LayerNormalization: whole('LayerNormGrad'),
  InstanceNormalization: whole('InstanceNormGrad'),
  GroupNormalization: whole('GroupNormGrad'),
};
