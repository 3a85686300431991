import { describe, expect, it } from 'vitest';
import { differentiate } from '../../../autodiff/index.js';
import { GraphBuilder } from '../../../graph/builder.js';
import type { Graph } from '../../../graph/types.js';
import { lowerToSteps } from './index.js';
import { simplify } from './simplify.js';
import { targetNamed } from '../toolchain/target.js';

/** The sum of u · x sigmoid(x), of the sigmoid besides where that is counted; x is a layer's. */
function gated(order: 'x first' | 'sigmoid first', isCounted = false): Graph {
  const builder = new GraphBuilder('gated');
  const input = builder.input('x', 'float32', [16, 4, 6]);
  const options = { layer: 'gate', neuronAxis: null, initializer: { kind: 'ones' } } as const;
  const weight = builder.parameter('weight', [6, 6], options);
  const x = builder.apply('MatMul', [input, weight]);
  const share = builder.apply('Sigmoid', [x]);
  const active = builder.apply('Mul', order === 'x first' ? [x, share] : [share, x]);
  const total = (value: typeof x) => builder.apply('ReduceSum', [value], { keepdims: 0 });
  const loss = total(builder.apply('Mul', [active, input]));
  return differentiate(builder.build([isCounted ? builder.apply('Add', [loss, total(share)]) : loss]));
}

const operatorsOf = (graph: Graph): string[] => simplify(graph).nodes.map(({ op }) => op);

describe('x sigmoid(x)', () => {
  it.each(['x first', 'sigmoid first'] as const)('is one operator with its slope, %s', (order) => {
    const operators = operatorsOf(gated(order));
    expect(operators.filter((op) => op === 'Silu')).toHaveLength(1);
    expect(operators).not.toContain('Sigmoid');
    expect(operators).not.toContain('SigmoidGrad');
  });

  it('is stored with its slope by the layer that makes x', () => {
    const { steps } = lowerToSteps(gated('x first'), targetNamed('avx512'));
    const layer = steps.find((step) => step.function.label === 'dense_6to6')!;
    const written = layer.arguments.filter(({ object, access }) => access === 'write' && object.kind === 'tensor'); // prettier-ignore
    expect(written).toHaveLength(2);
  });

  it('stays as it is where the sigmoid is wanted besides', () => {
    const operators = operatorsOf(gated('x first', true));
    expect(operators).toContain('SigmoidGrad');
    expect(operators).not.toContain('Silu');
  });
});
