import { differentiate } from '../../src/autodiff/index.js';
import type { Feeds } from '../../src/engines/types.js';
import { GraphBuilder } from '../../src/graph/builder.js';
import { attachLoss } from '../../src/graph/loss.js';
import type { Graph } from '../../src/graph/types.js';

/** A dense layer with Relu on three examples, whose names start with `prefix`. */
export function smallNetwork(prefix = ''): { graph: Graph; theta: Float64Array; feeds: Feeds } {
  const builder = new GraphBuilder(`${prefix}network`);
  const x = builder.input(`${prefix}x`, 'float32', [3, 4]);
  const options = { layer: `${prefix}layer`, neuronAxis: 0, initializer: { kind: 'zeros' } } as const;
  const weight = builder.parameter(`${prefix}weight`, [2, 4], options);
  const hidden = builder.add('Gemm', [x, weight], { transB: 1 }, `${prefix}gemm`);
  const logits = builder.add('Relu', hidden, {}, `${prefix}relu`)[0]!;
  const graph = differentiate(attachLoss(builder.build([logits]), { loss: 'softmaxCrossEntropy' }));
  return {
    graph,
    theta: Float64Array.from({ length: 8 }, (_, k) => 0.25 * (k - 3)),
    feeds: {
      [`${prefix}x`]: Float32Array.from({ length: 12 }, (_, k) => Math.sin(k)),
      labels: Int32Array.of(0, 1, 1),
    },
  };
}
