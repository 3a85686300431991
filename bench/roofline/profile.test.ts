import { describe, expect, it } from 'vitest';
import { generateModule } from '../../src/engines/native/emit/module.js';
import { lowerToSteps } from '../../src/engines/native/lower/index.js';
import { targetNamed } from '../../src/engines/native/toolchain/target.js';
import type { Node } from '../../src/graph/types.js';
import { sizeOf } from '../../src/graph/types.js';
import { gradientGraph, multiplyAddsOf } from './profile.js';
import { isDense } from './table.js';

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

describe('steps of a profile', () => {
  it('are those of a run with a gradient, each once, though the loss alone has a path of its own', () => {
    const target = targetNamed('avx512');
    const lowered = lowerToSteps(gradientGraph('gpt', 64), target);
    const { calls } = generateModule(lowered, target, true);
    const all = [...lowered.loadSteps, ...lowered.steps, ...lowered.gradientSteps];
    expect(new Set(calls)).toEqual(new Set(all));
    expect(calls).toHaveLength(all.length);
    expect(calls.filter(isDense)).toHaveLength(75);
    expect(multiplyAddsOf(calls)).toBe(41_680_896);
  });
});
