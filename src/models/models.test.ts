import { describe, expect, it } from 'vitest';
import type { InputTransform } from '../data/types.js';
import { referenceEngine } from '../engines/reference/index.js';
import { GraphBuilder } from '../graph/builder.js';
import { attachLoss } from '../graph/loss.js';
import { parameterCount } from '../graph/types.js';
import { key, uniform } from '../num/random.js';
import { dropoutMasks } from './dropout.js';
import { initialise } from './initialise.js';
import { Layers } from './layers.js';
import { modelNamed, modelNames } from './registry.js';

const bytes: InputTransform = { dtype: 'uint8', divisor: 255, mean: [], std: [] };
const build = (name: string, examples = 2, training = false) =>
  modelNamed(name).model.build({ examples, training, transform: bytes });

/** Kernels and biases of a chain of dense layers. */
function denseCount(widths: readonly number[]): number {
  return widths.slice(1).reduce((total, width, i) => total + width * (widths[i]! + 1), 0);
}

describe('built-in networks', () => {
  it.each([
    // The paper's counts (S8).
    ['fc', 84_060],
    ['lenet', 808_970],
    ['resnet20', 273_066],
    ['allcnn', 1_371_658],
    // Derived from the layer widths.
    ['fc3', denseCount([3072, 455, 67, 10])],
    ['fc4', denseCount([3072, 734, 175, 42, 10])],
    ['fc5', denseCount([3072, 977, 311, 99, 31, 10])],
    ['resnet20-mnist', 273_066 - 2 * 9 * 16],
    ['tiny-gpt', 76 * 64 + 64 * 64 + 4 * (12 * 64 * 64 + 9 * 64 + 4 * 64) + 2 * 64 + 65 * 76],
    ['vgg', 896 + 18_496 + 73_856 + 147_584 + 295_168 + 590_080 + denseCount([1024, 512, 512, 10])],
  ])('%s has %d parameters', (name, count) => {
    expect(parameterCount(build(name).parameters)).toBe(count);
    expect(parameterCount(build(name, 3, true).parameters)).toBe(count);
  });

  it.each(modelNames)('%s names its tensors by layer, and maps examples to logits', (name) => {
    const { model, chunk } = modelNamed(name);
    const graph = build(name, 5);
    expect(graph.outputs.map(({ shape }) => shape)).toEqual([[5, ...(model.outputShape ?? [model.outputs])]]);
    expect(graph.inputs.map(({ name: input, shape }) => [input, shape])).toEqual([
      ['x', [5, ...model.inputShape]],
    ]);
    for (const { value, layer } of graph.parameters) {
      expect(value.name).toMatch(new RegExp(`^${layer.replace('.', '\\.')}\\.(weight|bias|scale)$`));
    }
    const ofPaper = model.inputShape[0] === 1 ? [55_000, 5000] : [45_000, 5000];
    const splits = model.readsWholeNumbers ? [] : ofPaper;
    expect(splits.filter((count) => count % chunk !== 0)).toEqual([]);
  });

  it('are asked for by name', () => {
    expect(() => modelNamed('resnet')).toThrow(/model "resnet"\n.*resnet20/);
  });

  it.each(['lenet', 'allcnn', 'vgg'])('%s takes its dropout masks as inputs, in training only', (name) => {
    const { model } = modelNamed(name);
    const masks = build(name, 4, true).inputs.filter(({ name: input }) => input !== 'x');
    expect(masks.map(({ name: input }) => input).sort()).toEqual(Object.keys(model.dropout!).sort());
    expect(masks.every(({ dtype, shape }) => dtype === 'float32' && shape[0] === 4)).toBe(true);
  });

  it('loses nothing when all masks are one', async () => {
    const { model } = modelNamed('lenet');
    const parameters = build('lenet').parameters;
    const theta = Float64Array.from(initialise(parameters, key(1)));
    const x = Uint8Array.from(uniform(key(2), 2 * 784), (u) => 256 * u);
    const feeds = { x, labels: Int32Array.of(3, 7) };
    const loss = async (training: boolean, masks: Record<string, Float32Array>) => {
      const graph = attachLoss(build('lenet', 2, training), { loss: 'softmaxCrossEntropy' });
      const program = await referenceEngine.compile(graph);
      program.load(theta);
      return program.run({ ...feeds, ...masks });
    };
    const training = build('lenet', 2, true);
    const drawn = dropoutMasks(model, training.inputs, key(3), 0);
    const ones = Object.fromEntries(Object.entries(drawn).map(([name, mask]) => [name, mask.map(() => 1)]));
    expect(await loss(true, ones)).toBe(await loss(false, {}));
    expect(await loss(true, drawn)).not.toBe(await loss(false, {}));
  });
});

describe('input transform', () => {
  it('casts, divides, subtracts the mean and divides by the deviation, per channel', async () => {
    const transform: InputTransform = { dtype: 'uint8', divisor: 5, mean: [1, 2, 3], std: [1, 2, 4] };
    const builder = new GraphBuilder('scaled');
    const layers = new Layers(builder, {});
    const scaled = builder.build([layers.flatten(layers.input(1, [3, 32, 32], transform))]);
    const program = await referenceEngine.compile(attachLoss(scaled, { loss: 'squaredError' }));
    const x = Uint8Array.from({ length: 3072 }, (_, i) => i % 251);
    const expected = [...x].map((pixel, i) => (pixel / 5 - [1, 2, 3][i >> 10]!) / [1, 2, 4][i >> 10]!);
    const meanSquare = await program.run({ x, labels: new Float32Array(3072) });
    expect(meanSquare).toBeCloseTo(expected.reduce((sum, value) => sum + value * value, 0) / 3072, 10);
  });
});
