import type { Rules } from '../backward.js';

export const losses: Rules = {
  SoftmaxCrossEntropyLoss: (step) => [
    step.apply('SoftmaxCrossEntropyLossGrad', [step.dy, ...step.node.inputs], step.node.attributes),
  ],
};
