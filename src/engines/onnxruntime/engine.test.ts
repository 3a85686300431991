import { describe, expect, it } from 'vitest';
import { differentiate } from '../../autodiff/index.js';
import { EngineError } from '../../errors.js';
import { GraphBuilder } from '../../graph/builder.js';
import { attachLoss } from '../../graph/loss.js';
import type { Attributes, Graph, Shape } from '../../graph/types.js';
import { parameterCount } from '../../graph/types.js';
import { randomFrom } from '../../../test/support/samples.js';
import { referenceEngine } from '../reference/index.js';
import type { Engine, Feeds } from '../types.js';
import { onnxruntimeEngine } from './index.js';
import { lowerToOnnx } from './lower.js';

const options = { layer: 'layer', neuronAxis: 0, initializer: { kind: 'zeros' } } as const;
const engine = onnxruntimeEngine();

/** 12 pixels → 8 → 5 classes, with bytes as input. */
function perceptron(examples: number): Graph {
  const builder = new GraphBuilder('perceptron');
  const pixels = builder.input('x', 'uint8', [examples, 12]);
  const dense = (x: typeof pixels, name: string, shape: Shape) => {
    const weight = builder.parameter(`${name}.weight`, shape, options);
    const bias = builder.parameter(`${name}.bias`, [shape[0]!], options);
    return builder.apply('Gemm', [x, weight, bias], { transB: 1 });
  };
  const x = builder.apply('Div', [builder.apply('Cast', [pixels], { to: 'float32' }), builder.scalar(255)]);
  const hidden = builder.apply('Relu', [dense(x, 'one', [8, 12])]);
  const forward = builder.build([dense(hidden, 'two', [5, 8])]);
  return differentiate(attachLoss(forward, { loss: 'softmaxCrossEntropy' }));
}

function numbers(count: number, seed: number): Float64Array {
  const random = randomFrom(seed);
  return Float64Array.from({ length: count }, () => Math.fround(random() - 0.5));
}

function chunk(examples: number, shared = false): { x: Uint8Array; labels: Int32Array } {
  const random = randomFrom(examples);
  const buffer = (bytes: number) => (shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes));
  const x = new Uint8Array(buffer(12 * examples)).map(() => random() * 256);
  const feeds = { x: new Uint8Array(buffer(x.length)), labels: new Int32Array(buffer(4 * examples)) };
  feeds.x.set(x);
  feeds.labels.set(feeds.labels.map(() => Math.floor(random() * 5)));
  return feeds;
}

async function gradientOf(which: Engine, graph: Graph, theta: Float64Array, feeds: Feeds) {
  const program = await which.compile(graph);
  program.load(theta);
  const gradient = new Float64Array(theta.length);
  const loss = await program.run(feeds, gradient);
  await program.dispose();
  return { loss, gradient };
}

const graph = perceptron(40);
const theta = numbers(parameterCount(graph.parameters), 7);

describe('a program', () => {
  it('agrees with the reference engine, from ordinary and from shared memory alike', async () => {
    const expected = await gradientOf(referenceEngine, graph, theta, chunk(40));
    const plain = await gradientOf(engine, graph, theta, chunk(40));
    expect(plain.loss).toBeCloseTo(expected.loss, 4);
    plain.gradient.forEach((value, k) => expect(value).toBeCloseTo(expected.gradient[k]!, 5));
    expect(await gradientOf(engine, graph, theta, chunk(40, true))).toEqual(plain);
  });

  it('adds to the gradient it is given, and gives the same bits each time', async () => {
    const program = await engine.compile(graph);
    program.load(theta);
    const once = new Float64Array(theta.length);
    const loss = await program.run(chunk(40), once);
    const thrice = once.slice();
    expect(await program.run(chunk(40), thrice)).toBe(loss);
    expect(await program.run(chunk(40), thrice)).toBe(loss);
    expect(thrice).toEqual(once.map((part) => part + part + part));
    await program.dispose();
  });

  it('gives the same loss where no gradient is wanted, after another θ too', async () => {
    const program = await engine.compile(graph);
    for (const seed of [1, 2]) {
      program.load(numbers(theta.length, seed));
      const loss = await program.run(chunk(40), new Float64Array(theta.length));
      expect(await program.run(chunk(40))).toBe(loss);
    }
    await program.dispose();
  });

  it('never writes to what it is fed', async () => {
    const feeds = chunk(40);
    await gradientOf(engine, graph, theta, feeds);
    expect(feeds).toEqual(chunk(40));
  });

  it('sums losses in float64', async () => {
    const builder = new GraphBuilder('sum');
    const x = builder.parameter('x', [300_000], options);
    const mean = builder.apply('ReduceMean', [x], { keepdims: 0 });
    const sum = builder.apply('ReduceSum', [x], { keepdims: 0 });
    const loss = builder.apply('Add', [sum, builder.apply('Mul', [mean, builder.scalar(1 / 3)])]);
    const program = await engine.compile(builder.build([loss]));
    program.load(new Float64Array(300_000).fill(0.1));
    const each = Math.fround(0.1);
    expect((await program.run({})) / (each * (300_000 + 1 / 3))).toBeCloseTo(1, 12);
  });
});

type Convolving = readonly [
  kind: string,
  channels: readonly [depth: number, rows: number],
  kernel: readonly number[],
  attributes: Attributes,
  extent: number,
];

describe('lowering', () => {
  it('keeps outputs apart that are the same tensor, an input or a constant', async () => {
    const builder = new GraphBuilder('outputs');
    const [a, b, c] = ['a', 'b', 'c'].map((name) => builder.parameter(name, [2], options));
    const loss = builder.apply('ReduceSum', [builder.apply('Mul', [a!, b!])], { keepdims: 0 });
    const program = await engine.compile(builder.build([loss, b!, a!, builder.constant([5, 6])]));
    program.load(Float64Array.of(1, 2, 3, 4, 9, 9));
    const gradient = new Float64Array(6);
    expect(await program.run({}, gradient)).toBe(11);
    expect([...gradient]).toEqual([3, 4, 1, 2, 5, 6]);
    expect(c).toBeDefined();
  });

  it('computes what a gradient shares with its forward operator once', () => {
    const { model } = lowerToOnnx(graph);
    expect(model.nodes.filter((node) => node.op === 'Exp').length).toBe(1);
    expect(model.nodes.filter((node) => node.op === 'Gemm').length).toBe(5);
  });

  const convolutions: readonly Convolving[] = [
    ['many channels', [24, 20], [3, 3], {}, 9],
    ['dilated windows', [9, 8], [3, 2], { dilations: [2, 3] }, 9],
    ['few positions', [20, 24], [3, 3], {}, 5],
    ['a stride that leaves a rest', [20, 7], [2, 3], { strides: [3, 2] }, 9],
    ['few channels', [3, 8], [3, 3], {}, 9],
    ['groups of many channels', [40, 6], [3, 2], { group: 2 }, 9],
    ['one tap', [20, 30], [1, 1], { pads: [0, 0, 0, 0] }, 9],
  ];
  it.each(convolutions)('of a convolution with %s is right', async (...given) => {
    const [, [depth, rows], kernel, attributes, extent] = given;
    const builder = new GraphBuilder('conv');
    const x = builder.parameter('x', [2, depth, extent, extent - 1], options);
    const w = builder.parameter('w', [rows, depth / Number(attributes.group ?? 1), ...kernel], options);
    const y = builder.apply('Conv', [x, w], { pads: [1, 0, 0, 1], ...attributes });
    const loss = builder.apply('ReduceSum', [builder.apply('Mul', [y, y])], { keepdims: 0 });
    const whole = differentiate(builder.build([loss]));
    const at = numbers(parameterCount(whole.parameters), 3);
    const expected = await gradientOf(referenceEngine, whole, at, {});
    const actual = await gradientOf(engine, whole, at, {});
    const scale = Math.max(...expected.gradient.map(Math.abs));
    const errors = expected.gradient.map((value, k) => Math.abs(value - actual.gradient[k]!) / scale);
    expect(Math.max(...errors)).toBeLessThan(1e-5);
  });
});

describe('a NaN among activations', () => {
  const operators: readonly (readonly [string, Attributes])[] = [
    ['MaxPool', { kernel_shape: [2], strides: [2] }],
    ['MaxPool', { kernel_shape: [3], dilations: [2], pads: [2, 2] }],
    ['ReduceMax', { axes: [2], keepdims: 0 }],
    ['ReduceMax', { axes: [0, 1, 2] }],
    ['Relu', {}],
    ['Clip', { min: -1, max: 1 }],
  ];
  it.each(operators)('is not lost in %s %j, wherever it is', async (op, attributes) => {
    const builder = new GraphBuilder('nan');
    const x = builder.parameter('x', [2, 3, 37], options);
    const y = builder.apply(op, [builder.apply('Sqrt', [x])], attributes);
    const loss = builder.apply('ReduceSum', [builder.apply('Mul', [y, y])], { keepdims: 0 });
    const program = await engine.compile(differentiate(builder.build([loss])));
    const at = Float64Array.from({ length: 222 }, (_, k) => 1 + (k % 7));
    program.load(at);
    expect(await program.run({})).toBeGreaterThan(0);
    for (let k = 0; k < at.length; k += 13) {
      program.load(at.map((value, place) => (place === k ? -1 : value)));
      const gradient = new Float64Array(at.length);
      expect([k, await program.run({}, gradient), await program.run({})]).toEqual([k, NaN, NaN]);
      expect(gradient.some(Number.isNaN)).toBe(true);
    }
    await program.dispose();
  });

  it('does not come of infinite ones', async () => {
    const builder = new GraphBuilder('infinite');
    const x = builder.parameter('x', [1, 1, 4], options);
    const pooled = builder.apply('MaxPool', [builder.apply('Log', [x])], { kernel_shape: [2], strides: [2] });
    const program = await engine.compile(
      builder.build([builder.apply('ReduceSum', [pooled], { keepdims: 0 })]),
    );
    program.load(Float64Array.of(0, 1, Math.E, 0));
    expect(await program.run({})).toBeCloseTo(1, 6);
    await program.dispose();
  });
});

describe('errors', () => {
  it.each([
    ['a missing input', { labels: chunk(40).labels }, /no array for input x/],
    ['a chunk of another size', chunk(39), /Int32Array of 39 elements for input labels/],
    ['another type', { ...chunk(40), x: new Float32Array(480) }, /Float32Array of 480 elements for input x/],
    ['a label outside', { ...chunk(40), labels: new Int32Array(40).fill(5, 3) }, /label 5 of example 3/],
  ])('name %s', async (_, feeds, message) => {
    const program = await engine.compile(graph);
    program.load(theta);
    await expect(program.run(feeds as Feeds)).rejects.toThrow(message);
    await program.dispose();
  });

  it('name a parameter vector of another length', async () => {
    const program = await engine.compile(graph);
    expect(() => program.load(new Float64Array(3))).toThrow(EngineError);
    await program.dispose();
  });
});

describe('availability', () => {
  it('is given on the processor, with a version', async () => {
    expect(await engine.available()).toMatchObject({ ok: true });
    expect(engine.version()).toMatch(/^onnxruntime \d+\.\d+\.\d+$/);
    expect(engine.name).toBe('onnxruntime');
  });

  it.each(['webgpu', 'cuda'] as const)(
    'says why %s is absent, without ending the process',
    async (provider) => {
      const availability = await onnxruntimeEngine(provider).available();
      if (availability.ok) expect(availability.detail).toMatch(/onnxruntime-node/);
      else expect(availability.reason.length).toBeGreaterThan(20);
    },
  );
});
