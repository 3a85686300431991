import { describe, expect, it } from 'vitest';
import { lowerToSteps } from '../../src/engines/native/lower/index.js';
import { targetNamed } from '../../src/engines/native/toolchain/target.js';
import type { Node } from '../../src/graph/types.js';
import { sizeOf } from '../../src/graph/types.js';
import { gradientGraph, multiplyAddsOf } from './profile.js';

/** Products of one example: each output of a layer is a sum over its inputs and taps. */
function forwardProducts({ inputs, outputs }: Node): number {
  const [weight, output] = [inputs[1]!.shape, outputs[0]!.shape];
  return (sizeOf(weight) / output[1]!) * sizeOf(output.slice(1));
}

describe('multiply-adds of a gradient', () => {
  it.each(['fc', 'lenet', 'resnet20', 'allcnn', 'vgg'])(
    '%s: as many for each weight gradient and each input gradient as for the forward pass',
    (network) => {
      const graph = gradientGraph(network, 16);
      const forward = graph.nodes
        .filter(({ op, inputs }) => op === 'Conv' || (op === 'Gemm' && inputs.length === 3))
        .map(forwardProducts);
      const total = forward.reduce((sum, products) => sum + products, 0);
      const { steps } = lowerToSteps(graph, targetNamed('avx512'));
      // The first layer needs no gradient of its input.
      expect(multiplyAddsOf(steps)).toBe(3 * total - forward[0]!);
    },
  );
});
