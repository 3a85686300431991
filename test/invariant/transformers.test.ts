import { describe, expect, it } from 'vitest';
import { differentiate } from '../../src/autodiff/index.js';
import { NativeEngine } from '../../src/engines/native/index.js';
import { lowerToSteps } from '../../src/engines/native/lower/index.js';
import { targetNamed } from '../../src/engines/native/toolchain/target.js';
import { referenceEngine } from '../../src/engines/reference/index.js';
import type { Engine, Feeds } from '../../src/engines/types.js';
import { GraphBuilder } from '../../src/graph/builder.js';
import { attachLoss } from '../../src/graph/loss.js';
import type { Graph, Value } from '../../src/graph/types.js';
import { parameterCount, sizeOf } from '../../src/graph/types.js';
import { languageModel, visionModel } from '../../src/models/transformers.js';
import { randomFrom } from '../support/samples.js';

const native = new NativeEngine();
const absence = await native.available();
if (!absence.ok) console.log(`skipped on native: ${absence.reason}`);

const size = { width: 8, layers: 1, heads: 2, tokens: 5, kinds: 7 };
const models = [
  languageModel('gpt', false, size),
  languageModel('llama', true, size),
  visionModel('vit', size),
];

/** Random numbers for a graph's inputs, whole ones below `kinds`. */
function feedsOf(graph: Graph, kinds: number): Feeds {
  const random = randomFrom(1);
  const entries = graph.inputs.map(({ name, dtype, shape }) => {
    const drawn = Array.from({ length: sizeOf(shape) }, () => random());
    if (dtype === 'float32') return [name, Float32Array.from(drawn)] as const;
    const whole = drawn.map((u) => Math.floor(u * kinds));
    return [name, dtype === 'int32' ? Int32Array.from(whole) : Uint8Array.from(whole)] as const;
  });
  return Object.fromEntries<Feeds[string]>(entries);
}

async function evaluate(engine: Engine, graph: Graph, feeds: Feeds): Promise<Float64Array> {
  const random = randomFrom(2);
  const program = await engine.compile(graph);
  program.load(Float64Array.from({ length: parameterCount(graph.parameters) }, () => random() - 0.5));
  const gradient = new Float64Array(parameterCount(graph.parameters));
  const loss = await program.run(feeds, gradient);
  await program.dispose();
  return Float64Array.of(loss, ...gradient);
}

/** Largest difference of loss and gradient between the native engine and the reference engine, of the largest number. */
async function deviation(graph: Graph, feeds: Feeds): Promise<number> {
  const expected = await evaluate(referenceEngine, graph, feeds);
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const actual = await evaluate(native, graph, feeds);
  const differences = actual.map((value, k) => Math.abs(value - expected[k]!));
  return differences.reduce((most, value) => Math.max(most, value), 0) / largest;
}

const gradientOf = (model: (typeof models)[number], examples: number): Graph => {
  const transform = { dtype: 'uint8', divisor: 1, mean: [], std: [] } as const;
  const forward = model.build({ examples, training: false, transform });
  const classAxis = model.outputShape?.length ?? 1;
  return differentiate(attachLoss(forward, { loss: 'softmaxCrossEntropy', classAxis }));
};

const parameter = (builder: GraphBuilder, name: string, shape: readonly number[]): Value =>
  builder.parameter(name, shape, { layer: name, neuronAxis: null, initializer: { kind: 'ones' } });

/** Attention as a library writes it that keeps tokens before examples, and heads with examples on one axis. */
function tokensFirst(examples: number): Graph {
  const [tokens, width, heads] = [5, 8, 2];
  const builder = new GraphBuilder('tokens-first');
  const x = builder.input('x', 'float32', [examples, tokens, width]);
  const turned = builder.apply('Transpose', [x], { perm: [1, 0, 2] });
  const parts = ['q', 'k', 'v'].map((name) => {
    const y = builder.apply('MatMul', [turned, parameter(builder, name, [width, width])]);
    const shifted = builder.apply('Add', [y, parameter(builder, `${name}.bias`, [width])]);
    const split = builder.apply('Reshape', [shifted], { shape: [tokens, examples * heads, width / heads] });
    return builder.apply('Transpose', [split], { perm: [1, 0, 2] });
  });
  const [q, k, v] = parts as [Value, Value, Value];
  const scores = builder.apply('MatMul', [q, builder.apply('Transpose', [k], { perm: [0, 2, 1] })]);
  const found = builder.apply('MatMul', [builder.apply('Softmax', [scores], { axis: -1 }), v]);
  const joined = builder.apply('Reshape', [builder.apply('Transpose', [found], { perm: [1, 0, 2] })], {
    shape: [tokens * examples, width],
  });
  const y = builder.apply('Gemm', [joined, parameter(builder, 'out', [3, width])], { transB: 1 });
  const last = builder.apply('Slice', [builder.apply('Reshape', [y], { shape: [tokens, examples, 3] })], {
    starts: [1],
    ends: [tokens],
    axes: [0],
  });
  const logits = builder.apply('ReduceMean', [last], { axes: [0], keepdims: 0 });
  return differentiate(attachLoss(builder.build([logits]), { loss: 'softmaxCrossEntropy' }));
}

/** Arithmetic on parameters and constants before, and on sums over the examples after, they meet any example. */
function withArithmetic(examples: number): Graph {
  const builder = new GraphBuilder('arithmetic');
  const x = builder.input('x', 'float32', [examples, 4]);
  const [scale, shift] = [parameter(builder, 'scale', [4]), parameter(builder, 'shift', [4, 1])];
  const squared = builder.apply('Mul', [scale, builder.apply('Exp', [scale])]);
  const table = builder.apply('Add', [squared, builder.apply('Tanh', [shift])]);
  const product = builder.apply('MatMul', [x, table]);
  const labels = { loss: 'squaredError' } as const;
  return differentiate(attachLoss(builder.build([builder.apply('Sigmoid', [product])]), labels));
}

describe.skipIf(!absence.ok)('transformers on the native engine', () => {
  it.each(models.flatMap((model) => [3, 19].map((examples) => [model.name, model, examples] as const)))(
    '%s agrees with the reference engine',
    async (_, model, examples) => {
      const graph = gradientOf(model, examples);
      expect(await deviation(graph, feedsOf(graph, size.kinds))).toBeLessThan(2e-6);
    },
  );

  it.each([
    ['tokens before examples', tokensFirst(3)],
    ['arithmetic on parameters', withArithmetic(19)],
  ])('%s agree with the reference engine', async (_, graph) => {
    expect(await deviation(graph, feedsOf(graph, 3))).toBeLessThan(2e-6);
  });

  it('labels that count by example are looked up in each example', async () => {
    const forward = models[0]!.build({
      examples: 19,
      training: false,
      transform: { dtype: 'uint8', divisor: 1, mean: [], std: [] },
    });
    const options = { loss: 'softmaxCrossEntropy', classAxis: 2, byExample: true, ignoring: true } as const;
    const graph = differentiate(attachLoss(forward, options));
    expect(await deviation(graph, feedsOf(graph, size.kinds))).toBeLessThan(2e-6);
  });

  it('a whole number that float32 cannot hold makes the loss a NaN', async () => {
    const builder = new GraphBuilder('large');
    const x = builder.input('x', 'int32', [3, 1]);
    const isSmall = builder.apply('Less', [x, builder.scalar(2 ** 25, 'int32')]);
    const number = builder.apply('Cast', [isSmall], { to: 'float32' });
    const y = builder.apply('Mul', [number, parameter(builder, 'p', [1])]);
    const graph = differentiate(builder.build([builder.apply('ReduceSum', [y], { keepdims: 0 })]));
    expect((await evaluate(native, graph, { x: Int32Array.of(1, 2, 3) }))[0]).not.toBeNaN();
    expect((await evaluate(native, graph, { x: Int32Array.of(1, 2, 2 ** 24 + 1) }))[0]).toBeNaN();
  });

  it('an index outside of the table makes the loss a NaN', async () => {
    const graph = gradientOf(models[0]!, 3);
    const feeds = feedsOf(graph, size.kinds);
    const outside = { ...feeds, x: Uint8Array.from(feeds['x'] as Uint8Array).fill(size.kinds, 4, 5) };
    expect((await evaluate(native, graph, outside))[0]).toBeNaN();
  });
});

describe('what a causal mask takes away', () => {
  const labelsOf = (graph: Graph): string[] =>
    lowerToSteps(graph, targetNamed('avx2')).steps.map((step) => step.function.label);
  const productsOf = (graph: Graph): number =>
    lowerToSteps(graph, targetNamed('avx2'))
      .steps.filter((step) => step.function.label.startsWith('product'))
      .reduce((total, step) => total + step.multiplyAdds, 0);

  it('is not computed, in both directions', () => {
    const graph = gradientOf(models[0]!, 16);
    const labels = labelsOf(graph);
    expect(labels).toContain('causal_softmax');
    expect(labels).toContain('causal_softmax_gradient');
    expect(labels).not.toContain('softmax');
    const { tokens, width } = size;
    expect(productsOf(graph)).toBe((6 * tokens * tokens * width) / 2);
  });

  it('is all there is to skip: a vision transformer computes everything', () => {
    expect(labelsOf(gradientOf(models[2]!, 16))).not.toContain('causal_softmax');
  });
});
