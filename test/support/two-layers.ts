import { differentiate } from '../../src/autodiff/index.js';
import { GraphBuilder } from '../../src/graph/builder.js';
import { attachLoss } from '../../src/graph/loss.js';
import type { Graph, Value } from '../../src/graph/types.js';

interface Sizes {
  readonly examples: number;
  readonly width: number;
  readonly hidden: number;
  readonly classes: number;
}

/** Two dense layers, `in` and `out`, with a ReLU between them, and a softmax cross-entropy; with its gradient. */
export function twoLayers({ examples, width, hidden, classes }: Sizes): Graph {
  const builder = new GraphBuilder('tiny');
  const x = builder.input('x', 'float32', [examples, width]);
  const dense = (layer: string, input: Value, from: number, to: number) => {
    const options = { layer, neuronAxis: 0, initializer: { kind: 'zeros' } } as const;
    const weight = builder.parameter(`${layer}.weight`, [to, from], options);
    return builder.apply('Gemm', [input, weight, builder.parameter(`${layer}.bias`, [to], options)], { transB: 1 }, layer); // prettier-ignore
  };
  const logits = dense('out', builder.apply('Relu', [dense('in', x, width, hidden)]), hidden, classes);
  return differentiate(attachLoss(builder.build([logits]), { loss: 'softmaxCrossEntropy' }));
}
