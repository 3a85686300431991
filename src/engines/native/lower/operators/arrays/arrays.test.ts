import { describe, expect, it } from 'vitest';
import { differentiate } from '../../../../../autodiff/index.js';
import { GraphBuilder } from '../../../../../graph/builder.js';
import { attachLoss } from '../../../../../graph/loss.js';
import type { Graph, Value } from '../../../../../graph/types.js';
import { parameterCount } from '../../../../../graph/types.js';
import { referenceEngine } from '../../../../reference/index.js';
import type { Engine, Feeds } from '../../../../types.js';
import { NativeEngine } from '../../../index.js';

const width = 6;
const outputs = 5;

type Parameter = (...shape: number[]) => Value;
type Weights = (builder: GraphBuilder, parameter: Parameter) => Value;
/** Outputs [N, outputs] of x [N, width]. */
type Network = (builder: GraphBuilder, parameter: Parameter, x: Value) => Value;

const dense: Record<string, Weights> = {
  'a product of low rank': (b, p) => b.apply('MatMul', [p(width, 2), p(2, outputs)]),
  'a chain of products with a function between': (b, p) =>
    b.apply('MatMul', [b.apply('Tanh', [b.apply('MatMul', [p(width, 3), p(3, 4)])]), p(4, outputs)]),
  'a stack of products': (b, p) =>
    b.apply('ReduceSum', [b.apply('MatMul', [p(3, width, 2), p(2, outputs)])], { axes: [0], keepdims: 0 }),
  'Gemm with all attributes': (b, p) =>
    b.apply('Gemm', [p(2, width), p(outputs, 2), p(outputs)], { transA: 1, transB: 1, alpha: 0.5, beta: -2 }),
  'a sum of products by an equation': (b, p) =>
    b.apply('Einsum', [p(3, width, 2), p(2, 3, outputs)], { equation: 'kir,rko->io' }),
  'a matrix with the scale of a product with a vector': (b, p) =>
    b.apply('Mul', [p(width, outputs), b.apply('Reshape', [b.apply('MatMul', [p(width, 3), p(3)]), ], { shape: [width, 1] })]),
  'a norm by rows': (b, p) => {
    const weight = p(width, outputs);
    const squares = b.apply('ReduceSum', [b.apply('Mul', [weight, weight])], { axes: [1], keepdims: 1 });
    return b.apply('Mul', [b.apply('Div', [weight, b.apply('Sqrt', [squares])]), p(width, 1)]);
  },
  'a mean of matrices': (b, p) => b.apply('ReduceMean', [p(3, width, outputs)], { axes: [0], keepdims: 0 }),
  'a transposed array as a matrix': (b, p) =>
    b.apply('Reshape', [b.apply('Transpose', [p(3, outputs, 2)], { perm: [0, 2, 1] })], { shape: [width, outputs] }),
  'a padded and cut matrix': (b, p) => b.apply('Pad', [p(width + 1, 3)], { pads: [-1, 1, 0, 1], value: 0.5 }),
}; // prettier-ignore

/** Products of examples with stacks of parameters. */
const stacked: Record<string, Network> = {
  'a row of each matrix of a stack': (b, p, x) => {
    const hidden = b.apply('Tanh', [b.apply('MatMul', [x, p(3, width, 4)])]);
    return b.apply('ReduceSum', [b.apply('MatMul', [hidden, p(3, 4, outputs)])], { axes: [0], keepdims: 0 });
  },
  'equations with the examples second': (b, p, x) => {
    const hidden = b.apply('Tanh', [b.apply('Einsum', [x, p(4, width)], { equation: 'nd,kd->kn' })]);
    const sums = b.apply('Einsum', [hidden], { equation: 'kn->n' });
    const all = b.apply('Einsum', [hidden, p(4, outputs)], { equation: 'kn,kc->nc' });
    return b.apply('Add', [all, b.apply('Unsqueeze', [sums], { axes: [1] })]);
  },
};

const networks: Record<string, Network> = {
  ...Object.fromEntries(
    Object.entries(dense).map(([name, weights]) => [
      name,
      (b: GraphBuilder, p: Parameter, x: Value) => b.apply('MatMul', [x, weights(b, p)]),
    ]),
  ),
  ...stacked,
};

function graphOf(network: Network, examples: number): Graph {
  const builder = new GraphBuilder('weights');
  const x = builder.input('x', 'float32', [examples, width]);
  let count = 0;
  const parameter = (...shape: number[]): Value =>
    builder.parameter(`w${count}`, shape, {
      layer: `w${count++}`,
      neuronAxis: 0,
      initializer: { kind: 'zeros' },
    });
  const output = network(builder, parameter, x);
  return differentiate(attachLoss(builder.build([output]), { loss: 'softmaxCrossEntropy' }));
}

async function evaluate(engine: Engine, graph: Graph, feeds: Feeds): Promise<[number, Float64Array]> {
  const count = parameterCount(graph.parameters);
  const program = await engine.compile(graph);
  program.load(Float64Array.from({ length: count }, (_, k) => Math.sin(1 + 3 * k)));
  const gradient = new Float64Array(count);
  const loss = await program.run(feeds, gradient);
  await program.dispose();
  return [loss, gradient];
}

const native = new NativeEngine();
const absence = await native.available();

describe.skipIf(!absence.ok).each(Object.entries(networks))('%s', (_, network) => {
  it.each([1, 2, 3, outputs, width, 19])(
    'have the gradient of the reference for %i examples',
    async (examples) => {
      const graph = graphOf(network, examples);
      const feeds = {
        x: Float32Array.from({ length: examples * width }, (__, k) => Math.cos(2 * k)),
        labels: Int32Array.from({ length: examples }, (__, k) => k % outputs),
      };
      const [loss, gradient] = await evaluate(native, graph, feeds);
      const [expected, right] = await evaluate(referenceEngine, graph, feeds);
      expect(Math.abs(loss / expected - 1)).toBeLessThan(2e-6);
      const largest = right.reduce((most, component) => Math.max(most, Math.abs(component)), 0);
      for (const [k, component] of right.entries())
        expect(Math.abs(component - gradient[k]!) / largest).toBeLessThan(2e-6);
    },
  );
});
