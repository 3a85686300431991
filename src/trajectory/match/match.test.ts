import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { npyFile, npzFile } from '../../../test/support/npz.js';
import { openTrajectory, type KnownTensor } from '../../../test/support/recording.js';
import { DataError, UsageError } from '../../errors.js';
import { sizeOf } from '../../formats/array.js';
import type { RecordingOptions } from '../types.js';

const folder = mkdtempSync(join(tmpdir(), 'lossledger-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
let made = 0;

/** Numbers that tell tensors, rows and places apart. */
const numbers = (tensor: number, row: number, size: number, turned = false, columns = 1): Float32Array => {
  const rows = size / columns;
  return Float32Array.from({ length: size }, (_, i) => {
    const k = turned ? (i % rows) * columns + Math.floor(i / rows) : i;
    return 100 * tensor + row + k / 64;
  });
};

interface Recorded {
  readonly shape: readonly number[];
  readonly rows: readonly Float32Array[];
}

/** A recording of arrays by name, three rows each. */
function recording(tensors: Readonly<Record<string, Recorded>>): string {
  const path = join(folder, `${made++}.npz`);
  const arrays = Object.entries(tensors).map(([name, { shape, rows }]) => {
    const data = Float32Array.from(rows.flatMap((row) => [...row]));
    return [name, { data, shape: [rows.length, ...shape] }] as const;
  });
  writeFileSync(path, npzFile(Object.fromEntries(arrays)));
  return path;
}

const moving = (tensor: number, shape: readonly number[]): Recorded => ({
  shape,
  rows: [0, 1, 2].map((row) => numbers(tensor, row, sizeOf(shape))),
});
const still = (tensor: number, shape: readonly number[]): Recorded => ({
  shape,
  rows: [0, 0, 0].map((row) => numbers(tensor, row, sizeOf(shape))),
});

const net: readonly KnownTensor[] = [
  { name: 'a.weight', shape: [3, 2] },
  { name: 'a.bias', shape: [3] },
  { name: 'b.weight', shape: [2, 3] },
];
const recorded = { 'a.weight': moving(1, [3, 2]), 'a.bias': moving(2, [3]), 'b.weight': moving(3, [2, 3]) };
const row1 = [...numbers(1, 1, 6), ...numbers(2, 1, 3), ...numbers(3, 1, 6)];

function renamed(rename: (name: string) => string, tensors: Readonly<Record<string, Recorded>> = recorded) {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [rename(name), tensor]));
}

async function read(
  path: string,
  tensors = net,
  options: RecordingOptions & { declared?: string | null } = {},
) {
  const trajectory = await openTrajectory(path, tensors, options);
  const row = [...(await trajectory.row(1))];
  await trajectory.close();
  const said = trajectory.readings
    .map(({ about, decision, evidence }) => `${about}: ${decision} (${evidence})`)
    .join('\n');
  return { row, said, names: trajectory.names };
}

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

describe('θ without names', () => {
  const theta = (tensors: readonly KnownTensor[], order: readonly number[]) => {
    const path = join(folder, `${made++}.npy`);
    const rows = [0, 1, 2].flatMap((row) =>
      order.flatMap((k) => [...numbers(k, row, sizeOf(tensors[k]!.shape))]),
    );
    writeFileSync(path, npyFile(Float32Array.from(rows), [3, rows.length / 3]));
    return path;
  };
  const valued = (row: number) =>
    net.map((tensor, k) => ({ ...tensor, data: numbers(k, row, sizeOf(tensor.shape)) }));

  it('is ordered by the model file’s values, in whatever order that file lists them', async () => {
    const { row, said } = await read(theta(net, [2, 0, 1]), valued(2), { declared: null });
    expect(row).toEqual([0, 1, 2].flatMap((k) => [...numbers(k, 1, sizeOf(net[k]!.shape))]));
    expect(said).toMatch(
      /order of θ: b\.weight, a\.weight, a\.bias \(the numbers in the model’s file are those of row 2/,
    );
  });

  it('is refused where nothing shows its order, and read by names that are given', async () => {
    const path = theta(net, [0, 1, 2]);
    await expect(read(path, net, { declared: null })).rejects.toThrow(
      /nothing that shows the order[^]*--names/,
    );
    await expect(read(path, valued(9), { declared: null })).rejects.toThrow(DataError);
    const names = ['a.weight', 'a.bias', 'b.weight'];
    expect((await read(path, net, { declared: null, names })).said).toMatch(/names, as given/);
    await expect(read(path, net, { declared: null, names: names.slice(1) })).rejects.toThrow(
      /15 numbers a row where the names given have 9/,
    );
  });

  it('follows the numbers of a sequential network, and an exporter that keeps the order', async () => {
    const sequence = [
      { name: '2.weight', shape: [2, 2] },
      { name: '0.bias', shape: [3] },
      { name: '0.weight', shape: [3, 1] },
    ];
    const { row, said } = await read(theta(sequence, [2, 1, 0]), sequence, { declared: null });
    expect(row).toEqual([0, 1, 2].flatMap((k) => [...numbers(k, 1, sizeOf(sequence[k]!.shape))]));
    expect(said).toMatch(/0\.weight, 0\.bias, 2\.weight \(the names of a sequential network\)/);
    expect((await read(theta(net, [0, 1, 2]), net, { declared: 'exporter X' })).said).toMatch(
      /exporter X keeps the order/,
    );
  });

  it('is refused where equal tensors leave two orders open and no exporter tells', async () => {
    const twins: readonly KnownTensor[] = ['q', 'p'].map((name) => ({
      name,
      shape: [2],
      data: new Float32Array(2),
    }));
    const path = join(folder, `${made++}.npy`);
    writeFileSync(path, npyFile(Float32Array.of(0, 0, 0, 0, 1, 2, 3, 4), [2, 4]));
    await expect(read(path, twins, { declared: null })).rejects.toThrow(
      /parameter 1 may be q or p: their numbers are the same/,
    );
    expect((await read(path, twins, { declared: 'exporter X' })).said).toMatch(
      /of equal ones exporter X keeps the order of declaration/,
    );
  });
});
