import { describe, expect, it } from 'vitest';
import { DataError } from '../../errors.js';
import { sizeOf, type NdArray } from '../../formats/array.js';
import { namesOfFolded } from './folded.js';
import type { FoldedLayer, ModelTensor, ModelWeights, Recording } from '../types.js';

const rows = 3;
const width = 4;
const hidden = 3;

/** Numbers that no other array, and no other row, has. */
const numbersOf = (name: string, size: number, t: number): Float32Array =>
  Float32Array.from(
    { length: size },
    (_, k) =>
      [...name.replace('tied.', 'a.')].reduce((sum, c) => 1.1 * sum + c.charCodeAt(0), k) +
      (name.startsWith('still.') ? 0 : t / 8),
  );

/** The arrays of an LSTM's layer, or of a GRU's (3 gates), by name. */
function layer(module: string, depth: number, inputs = depth === 0 ? width : hidden, gates = 4) {
  const height = gates * hidden;
  const shapes = {
    weight_ih: [height, inputs],
    weight_hh: [height, hidden],
    bias_ih: [height],
    bias_hh: [height],
  };
  return Object.entries(shapes).map(([kind, shape]) => ({ kind, name: `${module}${kind}_l${depth}`, shape }));
}

type Layer = ReturnType<typeof layer>;

function recording(
  layers: readonly Layer[],
  others: Readonly<Record<string, readonly number[]>> = {},
): Recording {
  const shapes = new Map([
    ...layers.flat().map(({ name, shape }) => [name, shape] as const),
    ...Object.entries(others),
  ]);
  return {
    name: 'checkpoints',
    rows,
    iteration: [0, 1, 2],
    tensors: new Map(
      [...shapes].map(([name, shape]) => [name, { shape, dtype: 'float32', storedType: 'float32' }]),
    ),
    flat: null,
    updates: new Map(),
    read: (name, t) =>
      Promise.resolve({
        dtype: 'float32',
        shape: shapes.get(name)!,
        data: numbersOf(name, sizeOf(shapes.get(name)!), t),
      } as unknown as NdArray),
    close: () => Promise.resolve(),
  };
}

/** A model's layer whose file has the numbers of row `t` of recorded arrays, or none of them, and which `above` feeds. */
const folded = (arrays: Layer, above: number | null, t: number | null = null): FoldedLayer => ({
  node: `/${arrays[0]!.name}/LSTM`,
  stored: ['onnx::LSTM_1', 'onnx::LSTM_2', 'onnx::LSTM_3'],
  arrays: arrays.map(({ kind, name, shape }) => ({
    kind,
    isReverse: false,
    shape,
    data: () => (t === null ? new Float32Array(sizeOf(shape)) : numbersOf(name, sizeOf(shape), t)),
  })),
  above,
});

const head: ModelTensor = {
  name: 'head.weight',
  shape: [2, hidden],
  verdict: 'trained',
  anonymous: false,
  data: () => null,
};
const model = (...layers: FoldedLayer[]): ModelWeights => ({
  tensors: [head],
  declared: null,
  folded: layers,
});
const namesOf = (...layers: readonly Layer[]): string[][] =>
  layers.map((each) => each.map(({ name }) => name));

describe('names of folded recurrent layers', () => {
  const [l0, l1, l2] = [layer('rnn.', 0), layer('rnn.', 1), layer('rnn.', 2)];

  it('follow from the order of layers that feed one another, however the recording lists them', async () => {
    const found = await namesOfFolded(
      recording([l2, l0, l1]),
      model(folded(l0, null), folded(l1, 0), folded(l2, 1)),
    );
    expect(found?.names).toEqual(namesOf(l0, l1, l2));
    expect(found?.readings[2]?.evidence).toMatch(/no other assignment/);
  });

  it('follow from the model file’s numbers where shapes and order leave them open', async () => {
    const [a, c] = [layer('a.', 0), layer('c.', 0)];
    const found = await namesOfFolded(recording([a, c]), model(folded(c, null, 2), folded(a, null, 2)));
    expect(found?.names).toEqual(namesOf(c, a));
    expect(found?.readings[0]?.evidence).toMatch(/those of row 2/);
  });

  it('are refused where several fit', async () => {
    const [a, c] = [layer('a.', 0), layer('c.', 0)];
    const found = namesOfFolded(recording([a, c]), model(folded(a, null), folded(c, 0)));
    await expect(found).rejects.toThrow(DataError);
    await expect(found).rejects.toThrow(
      /a\.\*_l0, c\.\*_l0.*in several ways[\s\S]*do_constant_folding=False/,
    );
  });

  it('follow from the row that tells the most, where a layer that does not move is that of any row', async () => {
    const [still, a, c] = [layer('still.', 0, 7), layer('a.', 0), layer('c.', 0)];
    const weights = model(folded(still, null, 0), folded(c, null, 0), folded(a, null, 0));
    const found = await namesOfFolded(recording([still, a, c]), weights);
    expect(found?.names).toEqual(namesOf(still, c, a));
    expect(found?.readings.map(({ evidence }) => evidence).join()).toMatch(/^(.*those of row 0,?){3}$/);
  });

  it('are of the first of two modules that are one', async () => {
    const [a, c, tied] = [layer('a.', 0), layer('c.', 0, hidden), layer('tied.', 0)];
    const found = await namesOfFolded(recording([a, c, tied]), model(folded(a, null), folded(c, 0)));
    expect(found?.names).toEqual(namesOf(a, c));
  });

  it('may also be told by what is passed over', async () => {
    const [a, c] = [layer('a.', 0), layer('c.', 0)];
    const found = await namesOfFolded(recording([a, c]), model(folded(a, null)), { ignore: ['a.*'] });
    expect(found?.names).toEqual(namesOf(c));
  });

  it.each([
    ['a layer of the module is not in the network', [l0, l1], model(folded(l0, null))],
    [
      'layers do not feed one another as they are numbered',
      [l0, l1],
      model(folded(l0, null), folded(l1, null)),
    ],
    ['one of them is not recorded', [l0], model(folded(l0, null), folded(l1, 0))],
    ['shapes are others', [layer('rnn.', 0, width, 3)], model(folded(l0, null))],
    ['an array is missing', [l0.slice(1)], model(folded(l0, null))],
    [
      'the model has such a name',
      [layer('', 0)],
      { ...model(folded(l0, null)), tensors: [head, { ...head, name: 'bias_hh_l0' }] },
    ],
  ])('are not told where %s', async (_, layers, weights) => {
    expect(await namesOfFolded(recording(layers), weights)).toBeNull();
  });

  it.each([
    ['module.net.', '', {}],
    ['', 'net.', {}],
    ['ema.', '', { names: ['ema.*=*'] }],
    ['_orig_mod.', '', {}],
  ])('are like those of the other tensors where these have the prefix “%s”', async (more, less, options) => {
    const weights = { ...model(folded(l0, null)), tensors: [{ ...head, name: `${less}head.weight` }] };
    const found = await namesOfFolded(
      recording([layer(`${more}rnn.`, 0)], { [`${more}head.weight`]: head.shape }),
      weights,
      options,
    );
    expect(found?.names).toEqual(namesOf(layer(`${less}rnn.`, 0)));
  });
});
