import type { Rules } from '../backward.js';

/** Each has a whole gradient operator of dy and x with the same attributes. */
const names = ['LeakyRelu', 'Elu', 'Selu', 'HardSwish', 'HardSigmoid', 'Gelu', 'Clip'];

export const activations: Rules = {
  Relu: (step) => [step.apply('ReluGrad', [step.dy, step.output(0)])],
  ...Object.fromEntries(
    names.map((name) => [
      name,
      (step) => [step.apply(`${name}Grad`, [step.dy, step.input(0)], step.node.attributes)],
    ]),
  ),
};
