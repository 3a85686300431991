import { describe, expect, it } from 'vitest';
import { writeFileSync } from 'node:fs';
import { npzFile } from '../../../test/support/npz.js';
import {
  moving,
  net,
  newPath,
  numbers,
  read,
  recorded,
  recording,
  renamed,
  row1,
  still,
} from '../../../test/support/recorded-net.js';
import { type KnownTensor } from '../../../test/support/recording.js';
import { UsageError } from '../../errors.js';
import { sizeOf } from '../../formats/array.js';

describe('names of recorded tensors', () => {
  it.each([
    ['as they are', (name: string) => name, /^$/],
    ['of a wrapper', (name: string) => `module.${name}`, /without the names of wrappers|prefix module\./],
    [
      'of a wrapper inside',
      (name: string) => name.replace('.', '._orig_mod.'),
      /without the names of wrappers/,
    ],
    ['under another module', (name: string) => `net.encoder.${name}`, /without the prefix net\.encoder\./],
    [
      'in TensorFlow’s words',
      (name: string) => `${name.replace('.weight', '/kernel').replace('.bias', '/bias')}:0`,
      /TensorFlow’s words/,
    ],
  ])('are found %s', async (_, rename, said) => {
    const result = await read(recording(renamed(rename)), net, { layout: 'model' });
    expect(result.row).toEqual(row1);
    expect(result.said).toMatch(said);
  });

  it('are the model’s own where an optimiser might use them, too', async () => {
    const own = net.map(({ name, shape }) => ({ name: name.replace('b.weight', 'slots'), shape }));
    const path = recording({
      ...renamed((name) => `model.${name.replace('b.weight', 'slots')}`),
      'optimizer.fp32.slots': moving(9, [2, 3]),
    });
    const { row, said } = await read(path, own);
    expect(row).toEqual(row1);
    expect(said).toMatch(/passed over: optimizer\.fp32\.slots \(state of an optimiser\)/);
  });

  it('may be those that an optimiser keeps, where they are given', async () => {
    const path = recording({
      ...renamed((name) => `model.${name}`, { ...recorded, 'a.bias': moving(7, [3]) }),
      ...renamed((name) => `optimizer.fp32.${name}`),
    });
    expect((await read(path, net, { names: ['optimizer.fp32.*=*'], ignore: ['model.*'] })).row).toEqual(row1);
  });

  it('are refused where two prefixes fit', async () => {
    const path = recording({ ...renamed((name) => `model.${name}`), ...renamed((name) => `ema.${name}`) });
    await expect(read(path)).rejects.toThrow(
      /prefix model\. or without the prefix ema\.[^]*--names 'model\.\*=\*' --ignore 'ema\.\*'/,
    );
    expect((await read(path, net, { names: ['model.*=*'], ignore: ['ema.*'] })).row).toEqual(row1);
  });

  it('are found by the model file’s values where they say nothing', async () => {
    const known = net.map((tensor, k) => ({ ...tensor, data: numbers(k + 1, 2, sizeOf(tensor.shape)) }));
    const path = recording(renamed((name) => `x${name.length}${name[0]!}`));
    const { row, said } = await read(path, known, { layout: 'model' });
    expect(row).toEqual(row1);
    expect(said).toMatch(/x8a is a\.weight of the model/);
    await expect(read(path)).rejects.toThrow(/which move and which the model does not have/);
  });

  it('are those that are given, or refused where these match nothing', async () => {
    const path = recording(renamed((name) => `x${name.length}${name[0]!}`));
    const names = ['x8a=a.weight', 'x6a=a.bias', 'x8b=b.weight'];
    expect((await read(path, net, { names, layout: 'model' })).row).toEqual(row1);
    await expect(read(path, net, { names: ['y=a.weight'] })).rejects.toThrow(UsageError);
  });
});

describe('tensors that look like constants by their use', () => {
  it('are trained where they move or are others than in the model file, and are no buffers of layers', async () => {
    const known = (name: string, tensor: number): KnownTensor => ({ name, shape: [3], verdict: 'constant', data: numbers(tensor, 0, 3) }); // prettier-ignore
    const tensors = [
      ...net,
      known('table', 9),
      known('other', 5),
      known('mask', 6),
      known('bn.running_mean', 7),
    ];
    const path = recording({
      ...recorded,
      table: moving(4, [3]),
      other: still(8, [3]),
      mask: still(6, [3]),
      'bn.running_mean': moving(7, [3]),
    });
    const { row, names } = await read(path, tensors);
    expect(names).toEqual(['a.weight', 'a.bias', 'b.weight', 'table', 'other']);
    expect(row).toEqual([...row1, ...numbers(4, 1, 3), ...numbers(8, 0, 3)]);
  });
});

describe('tensors beside the parameters', () => {
  it('are passed over where they are explained, and each is named', async () => {
    const beside = {
      'a.running_mean': moving(4, [3]),
      'opt.exp_avg': moving(5, [3, 2]),
      table: still(6, [4]),
      tied: recorded['b.weight'],
      loss: moving(7, []),
    };
    const { row, said } = await read(recording({ ...recorded, ...beside }));
    expect(row).toEqual(row1);
    for (const name of Object.keys(beside)) expect(said).toContain(name);
    expect(said).toMatch(/tied: the same numbers as b\.weight/);
  });

  it('are refused where one moves and nothing explains it', async () => {
    const path = recording({ ...recorded, 'c.weight': moving(9, [2]) });
    await expect(read(path)).rejects.toThrow(/c\.weight, which move[^]*--ignore 'c\.weight'/);
    expect((await read(path, net, { ignore: ['c.*'] })).said).toMatch(/c\.weight \(as given\)/);
    const ema = Object.keys(recorded).map((name, k) => [`ema.net.${name}`, moving(20 + k, [5])] as const);
    const several = recording({ ...recorded, ...Object.fromEntries(ema) });
    await expect(read(several)).rejects.toThrow(/--ignore 'ema\.net\.\*'/);
    const suffixed = recording({ ...recorded, 'a.weight_ema': moving(9, [2]), 'a.bias_ema': moving(8, [2]) });
    await expect(read(suffixed)).rejects.toThrow(/--ignore 'a\.weight_ema,a\.bias_ema'/);
  });
});

describe('parameters without a record', () => {
  const partly = Object.fromEntries(Object.entries(recorded).filter(([name]) => name !== 'a.weight'));
  const known = net.map((tensor, k) => ({ ...tensor, data: numbers(k + 1, 2, sizeOf(tensor.shape)) }));

  it('are refused where they are part of a layer, or made up by an exporter', async () => {
    await expect(read(recording(partly), known)).rejects.toThrow(
      /no record of the model's a\.weight \[3, 2\][^]*--frozen 'a\.weight'/,
    );
    const folded = [
      ...known,
      { name: 'onnx::MatMul_7', shape: [4], anonymous: true, data: numbers(8, 0, 4) },
    ];
    await expect(read(recording(recorded), folded)).rejects.toThrow(/onnx::MatMul_7[^]*made up/);
  });

  it('are held where the user says so, by name or all', async () => {
    const frozen = await read(recording(partly), known, { frozen: ['a.w*'] });
    expect(frozen.names).toEqual(['a.bias', 'b.weight']);
    expect(frozen.said).toMatch(/held constant: a\.weight/);
    expect((await read(recording(partly), known, { rest: 'frozen' })).names).toEqual(['a.bias', 'b.weight']);
    await expect(read(recording(recorded), known, { frozen: ['a.w*'] })).rejects.toThrow(
      /fits no parameter that is not recorded/,
    );
  });

  it('are not held where their record is of whole numbers or of other rows, unless it is passed over', async () => {
    const short = recording({ ...partly, 'module.a.weight': { ...recorded['a.weight'], rows: recorded['a.weight'].rows.slice(1) } });
    const path = newPath('npz');
    const arrays = Object.entries(partly).map(([name, { shape, rows }]) => [name, { data: Float32Array.from(rows.flatMap((row) => [...row])), shape: [3, ...shape] }] as const);
    writeFileSync(path, npzFile({ ...Object.fromEntries(arrays), 'a.weight': { data: new Int32Array(18), shape: [3, 3, 2] } }));
    for (const options of [{}, { rest: 'frozen' as const }, { frozen: ['a.weight'] }]) {
      await expect(read(short, known, options)).rejects.toThrow(/module\.a\.weight\): an array \[2, 3, 2\], in a file of 3 rows[^]*a\.weight of the model/);
      await expect(read(path, known, options)).rejects.toThrow(/a\.weight\): numbers of type \S+\n[^]*--ignore 'a\.weight'/);
    }
    const passed = await read(short, known, { rest: 'frozen', ignore: ['module.*'] });
    expect(passed.names).toEqual(['a.bias', 'b.weight']);
  }); // prettier-ignore

  it('are held where whole layers lack in a file of this recording, and refused in any other', async () => {
    const head = { 'b.weight': recorded['b.weight'] };
    const result = await read(recording(head), known);
    expect([result.names, result.said]).toEqual([
      ['b.weight'],
      expect.stringMatching(/held constant: a\.weight, a\.bias/),
    ]);
    const strange = known.map((tensor) => ({ ...tensor, data: tensor.data.map((value) => value + 7) }));
    await expect(read(recording(head), strange)).rejects.toThrow(/no record of the model's a\.weight/);
  });
});

describe('statistics by which the network normalises', () => {
  const means = { name: 'n.mean', shape: [2], verdict: 'constant', data: Float32Array.of(0, 4) } as const;
  const rows = [Float32Array.of(0, 4), Float32Array.of(0, 5), Float32Array.of(2, 4)];

  it('are not trained, and said to differ from the model file’s, where and by how much', async () => {
    const path = recording({ ...recorded, 'n.mean': { shape: [2], rows } });
    const { names, said } = await read(path, [...net, { ...means, statistic: true }]);
    expect(names).not.toContain('n.mean');
    expect(said).toMatch(
      /recording has others: n\.mean \(by 50 % of its largest number at row 2\)[^]*all 3 rows/,
    );
  });

  it('need no word where they are the model file’s in every row, or nothing is normalised by them', async () => {
    const kept = recording({ ...recorded, 'n.mean': { shape: [2], rows: [rows[0]!, rows[0]!, rows[0]!] } });
    expect((await read(kept, [...net, { ...means, statistic: true }])).said).not.toMatch(/statistics/);
    const moved = recording({ ...recorded, 'n.running_mean': { shape: [2], rows } });
    const unused = { ...means, name: 'n.running_mean' };
    expect((await read(moved, [...net, unused])).said).not.toMatch(/statistics/);
  });
});

describe('buffers that layers move by themselves', () => {
  const state = 'vectors of spectral normalisation';
  const vector = { name: 'a.weight_u', shape: [2], verdict: 'unlikely', data: Float32Array.of(0, 4), state } as const;
  const withRows = (...rows: Float32Array[]) =>
    recording({ ...recorded, 'a.weight_u': { shape: [2], rows } });
  const [first, other] = [Float32Array.of(0, 4), Float32Array.of(0, 5)];

  it('are measured with their motion, which is said with how to hold them', async () => {
    const path = withRows(first, other, other);
    const { names, said } = await read(path, [...net, vector]);
    expect(names).toContain('a.weight_u');
    expect(said).toMatch(/buffers: [^:]*: a\.weight_u \(vectors of spectral normalisation\)[^]*--ignore 'a\.weight_u'/);
    const held = await read(path, [...net, vector], { ignore: ['a.weight_u'] });
    expect(held.names).not.toContain('a.weight_u');
    expect(held.said).toMatch(/every row is measured with the model file’s a\.weight_u/);
  });

  it('are constants where they stay', async () => {
    const { names, said } = await read(withRows(first, first, first), [...net, vector]);
    expect(names).not.toContain('a.weight_u');
    expect(said).not.toMatch(/buffers/);
  });
}); // prettier-ignore

describe('axes of recorded kernels', () => {
  const square: readonly KnownTensor[] = [{ name: 'l.weight', shape: [3, 3] }];
  const turned = { shape: [3, 3], rows: [0, 1, 2].map((row) => numbers(1, row, 9, true, 3)) };
  const one = [...numbers(1, 1, 9)];

  it('are told by values, words or the user, and refused where nothing tells', async () => {
    const known = [{ ...square[0]!, data: numbers(1, 0, 9) }];
    expect((await read(recording({ 'x.l.k': turned }), known, { names: ['x.l.k=l.weight'] })).row).toEqual(
      one,
    );
    expect((await read(recording({ 'l/kernel:0': turned }), square)).row).toEqual(one);
    const path = recording({ other: turned });
    await expect(read(path, square, { names: ['other=l.weight'] })).rejects.toThrow(
      /order of their axes[^]*--layout/,
    );
    expect((await read(path, square, { names: ['other=l.weight'], layout: 'tensorflow' })).row).toEqual(one);
  });

  it('are the model’s where a name is the model’s own', async () => {
    expect((await read(recording({ 'net.l.weight': moving(1, [3, 3]) }), square)).row).toEqual(one);
  });

  it('contradict each other where one parameter of the file is a row’s and another is not', async () => {
    const two = [
      { ...square[0]!, data: numbers(1, 0, 9) },
      { name: 'm.weight', shape: [2, 2], data: numbers(2, 7, 4) },
    ];
    const path = recording({ 'l.weight': moving(1, [3, 3]), 'm.weight': moving(2, [2, 2]) });
    await expect(read(path, two)).rejects.toThrow(
      /row 0 is the model file's in l\.weight, but not in m\.weight/,
    );
  });
});

describe('a model file of a moment behind the last row', () => {
  const rows = (...last: number[]) => [Float32Array.of(1, 2, 3), Float32Array.of(1.5, 2.5, 3.5), Float32Array.from(last)];
  const path = recording({
    a: { shape: [3], rows: rows(2, 3, 4) },
    b: { shape: [3], rows: rows(2, 3, 4.5) },
    c: { shape: [3], rows: rows(2, 3.25, 4) },
  });
  const file = (b: number[], c: number[]) =>
    [[2, 3, 4], b, c].map((data, k) => ({ name: 'abc'[k]!, shape: [3], data: Float32Array.from(data) }));

  it('is one whose other parameters moved no further than in a step, as clipping does', async () => {
    const { said } = await read(path, file([2, 3, 4.25], [2, 3.25, 3.5]));
    expect(said).toMatch(/model file: row 2 is its in a; b, c moved after that row was recorded/);
  });

  it('is none where they are far away, or are those of another tensor', async () => {
    await expect(read(path, file([2, 3, 4.5], [9, 9.5, 8]))).rejects.toThrow(/row 2 is the model file's in a, b, but not in c/);
    await expect(read(path, file([2, 3.25, 4], [2, 3, 4.5]))).rejects.toThrow(/in a, but not in b, c/);
  });
}); // prettier-ignore

describe('rows that nobody wrote', () => {
  const withRows = (rows: readonly (readonly number[])[]) =>
    read(recording({ w: { shape: [2], rows: rows.map((row) => Float32Array.from(row)) } }), [{ name: 'w', shape: [2] }]);

  it('at the end are refused, each number of them 0', async () => {
    await expect(withRows([[1, 2], [1, 1], [0, 0], [0, -0]])).rejects.toThrow(/zeros alone in the last rows, 2 to 3[^]*first 2 rows/);
    await expect(withRows([[1, 2], [0, 0]])).rejects.toThrow(/zeros alone in the last row, 1/);
  });

  it('are none at the start, where single numbers are 0, or all are', async () => {
    expect((await withRows([[0, 0], [1, 1], [1, 0]])).row).toEqual([1, 1]);
    expect((await withRows([[0, 0], [0, 0]])).said).toMatch(/all rows are the same/);
  });
}); // prettier-ignore
