import { expect, it } from 'vitest';
import { differentiate } from '../autodiff/index.js';
import { GraphBuilder } from './builder.js';
import { describeGraph } from './describe.js';
import { attachLoss } from './loss.js';

it('describes a layer and its gradient: two products, no gradient of the data', () => {
  const builder = new GraphBuilder('net');
  const x = builder.input('x', 'float32', [8, 3]);
  const options = { layer: 'fc1', neuronAxis: 0, initializer: { kind: 'zeros' } } as const;
  const weight = builder.parameter('fc1.weight', [2, 3], options);
  const bias = builder.parameter('fc1.bias', [2], options);
  const logits = builder.apply('Gemm', [x, weight, bias], { transB: 1 }, 'fc1');
  const graph = attachLoss(builder.build([logits]), { loss: 'softmaxCrossEntropy' });
  expect(describeGraph(differentiate(graph))).toBe(
    [
      'graph net+softmaxCrossEntropy+gradient: 8 parameters, 5 nodes',
      'input x float32 [8, 3]',
      'input labels int32 [8]',
      'parameter fc1.weight float32 [2, 3]',
      'parameter fc1.bias float32 [2]',
      'constant loss/grad float32 []',
      'Gemm(x, fc1.weight, fc1.bias, transB=1) → fc1:0 float32 [8, 2]',
      'SoftmaxCrossEntropyLoss(fc1:0, labels, reduction="sum", label_smoothing=0) → SoftmaxCrossEntropyLoss:0 float32 []',
      'SoftmaxCrossEntropyLossGrad(loss/grad, fc1:0, labels, reduction="sum", label_smoothing=0) → SoftmaxCrossEntropyLoss/SoftmaxCrossEntropyLossGrad:0 float32 [8, 2]',
      'Gemm(SoftmaxCrossEntropyLoss/SoftmaxCrossEntropyLossGrad:0, x, transA=1, transB=0) → fc1/grad_b:0 float32 [2, 3]',
      'ReduceSum(SoftmaxCrossEntropyLoss/SoftmaxCrossEntropyLossGrad:0, axes=[0], keepdims=0) → fc1/ReduceSum:0 float32 [2]',
      'outputs SoftmaxCrossEntropyLoss:0, fc1/grad_b:0, fc1/ReduceSum:0',
    ].join('\n'),
  );
});
