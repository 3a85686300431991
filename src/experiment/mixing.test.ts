import { describe, expect, it } from 'vitest';
import type { Dataset } from '../data/types.js';
import { GraphBuilder } from '../graph/builder.js';
import { countedNode } from '../graph/mixing/constants.js';
import { mixingOf } from '../graph/mixing/index.js';
import type { Value } from '../graph/types.js';
import { modelNamed, modelNames } from '../models/registry.js';
import type { Model } from '../models/types.js';
import { normal, key } from '../num/random.js';
import { chunkMixing, chunkReadings, mixesExamples } from './mixing.js';

type Write = (builder: GraphBuilder, x: Value, examples: number) => Value;

/** A network of four numbers an example, which a matrix of zeros, as many start with, takes to four others before `write`. */
function modelOf(write: Write): Model {
  return {
    name: 'small',
    inputShape: [4],
    outputs: 4,
    build: ({ examples }) => {
      const builder = new GraphBuilder('small');
      const x = builder.input('x', 'float32', [examples, 4]);
      const w = builder.parameter('w', [4, 4], { initializer: { kind: 'zeros' }, layer: 'w', neuronAxis: null });
      return builder.build([write(builder, builder.apply('MatMul', [x, w]), examples)]);
    },
  };
} // prettier-ignore

/** So many examples of four numbers. */
function dataset(count: number): Dataset {
  const inputs = Float32Array.from(normal(key(1), count * 4));
  const train = { inputs, labels: new Int32Array(count), count, shape: [4] };
  return { name: 'made', splits: { train }, transform: { dtype: 'float32', divisor: 1, mean: [], std: [] } } as unknown as Dataset;
} // prettier-ignore

/** Looks up the number at place 2 of each example in all of them behind each other, as GatherElements is read. */
const lookedUp: Write = (builder, x, examples) => {
  const offsets = Int32Array.from({ length: examples }, (_, k) => 4 * k);
  const zeros = builder.apply('ReduceSum', [builder.apply('Mul', [x, builder.scalar(0)])], { axes: [1], keepdims: 0 }); // prettier-ignore
  const two = builder.apply('Add', [zeros, builder.scalar(2)]);
  const places = builder.apply('Add', [builder.apply('Cast', [two], { to: 'int32' }), builder.constant(offsets, [examples], 'int32')]); // prettier-ignore
  return builder.apply('Gather', [builder.apply('Reshape', [x], { shape: [4 * examples] }), places], { axis: 0 }); // prettier-ignore
};

/** Each example by its products with all, as attention whose axes are another way round. */
const byProducts: Write = (builder, x) => {
  const products = builder.apply('Gemm', [x, x], { transB: 1 });
  return builder.apply('MatMul', [builder.apply('Softmax', [products], { axis: -1 }), x]);
};

describe('examples that are evaluated together', () => {
  it.each(modelNames)('stay apart in the network %s, which its graph shows', (name) => {
    const { model } = modelNamed(name);
    const transform = { dtype: 'float32', divisor: 1, mean: [], std: [] } as const;
    const [graph, other] = [13, 17].map((examples) => model.build({ examples, training: false, transform }));
    expect(mixingOf(graph!, 13)).toBeNull();
    expect(countedNode(graph!, other!)).toBeNull();
  });

  it('stay apart where the graph leaves that open and numbers show it', async () => {
    const graph = modelOf(lookedUp).build({
      examples: 13,
      training: false,
      transform: dataset(13).transform,
    });
    expect(mixingOf(graph, 13)).toMatchObject({ node: { op: 'Gather' }, certain: false });
    expect(await chunkMixing(modelOf(lookedUp), dataset(9))).toEqual({ normalises: false, other: null });
  });

  it('are said to be tried where that takes long', async () => {
    const told = async (patience: number): Promise<string[]> => {
      const heard: string[] = [];
      await chunkMixing(modelOf(lookedUp), dataset(9), { tell: (what) => heard.push(what), patience });
      return heard;
    };
    expect(await told(0)).toEqual([
      expect.stringMatching(
        /^Trying whether examples depend .*, which Gather of node .* leaves open: about \d+ s\.$/,
      ),
    ]);
    expect(await told(Infinity)).toEqual([]);
  });

  it('come together in products of all with all, which is said, with a matrix of zeros before them too', async () => {
    const mixing = await chunkMixing(modelOf(byProducts), dataset(9));
    expect(mixesExamples(mixing, 'running')).toBe(true);
    const [reading, ...none] = chunkReadings(mixing, dataset(9), ['train'], 500);
    expect(reading).toMatchObject({ about: 'chunks', warning: true });
    expect(reading!.decision).toMatch(/depends on the others of its chunk of 500/);
    expect(reading!.evidence).toMatch(/Gemm of node .*batch_first/);
    expect(none).toEqual([]);
  });

  it.each<[string, Write]>([
    ['how many they are', (builder, x, examples) => builder.apply('Div', [x, builder.scalar(examples)])],
    ['their places', (builder, x, examples) => builder.apply('Mul', [x, builder.constant(Float32Array.from({ length: examples }, (_, k) => k), [examples, 1])])],
  ])('depend on each other by %s', async (_, write) => {
    const { other } = await chunkMixing(modelOf(write), dataset(9));
    expect(other).toMatchObject({ node: { op: /their/.test(_) ? 'Mul' : 'Div' }, certain: false });
  }); // prettier-ignore

  it('stay apart with a state that starts alike for each', async () => {
    const states: Write = (builder, x, examples) => builder.apply('Concat', [x, builder.constant(new Float32Array(examples), [examples, 1])], { axis: 1 }); // prettier-ignore
    expect(await chunkMixing(modelOf(states), dataset(9))).toMatchObject({ other: null });
  });

  it('cannot come together where there is one', async () => {
    expect(await chunkMixing(modelOf(byProducts), dataset(1))).toMatchObject({ other: null });
  });
});
