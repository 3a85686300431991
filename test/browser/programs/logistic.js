import { attachLoss, GraphBuilder } from 'lossledger/graph';

export const examples = 4;

/** Logistic regression on four examples of three numbers, with its loss. */
export function logistic() {
  const builder = new GraphBuilder('logistic');
  const x = builder.input('x', 'float32', [examples, 3]);
  const ofLayer = { layer: 'out', neuronAxis: 0, initializer: { kind: 'zeros' } };
  const weight = builder.parameter('out.weight', [2, 3], ofLayer);
  const bias = builder.parameter('out.bias', [2], ofLayer);
  const logits = builder.apply('Gemm', [x, weight, bias], { transB: 1 });
  return attachLoss(builder.build([logits]), { loss: 'softmaxCrossEntropy' });
}
