import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { strToU8, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { DataError } from '../errors.js';
import { readPickle } from './pickle/pickle.js';
import { memorySource } from './source.js';
import { legacyTorchStart, readTorch } from './torch.js';

const golden = join(import.meta.dirname, '../../test/golden/reading');
const opened = (path: string) => readTorch(memorySource(readFileSync(join(golden, path)), path));
const pickle = (...bytes: (number | string)[]) =>
  Uint8Array.from(bytes.flatMap((part) => (typeof part === 'number' ? [part] : [...strToU8(part, true)])));
const archive = (table: Uint8Array) =>
  memorySource(
    zipSync({ 'archive/data.pkl': table, 'archive/data/0': new Uint8Array(8) }, { level: 0 }),
    'f',
  );

const text = (value: string) => ['X', value.length, 0, 0, 0, value];
/** A call that makes a tensor of one number, up to its last two arguments. */
const tensor =
  'ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x01tQK\0(K\x01t(K\x01t';

describe('readTorch', () => {
  it('reads nested dictionaries of what PyTorch saved, parameters and plain tensors', async () => {
    const { tensors } = await opened('lightning/checkpoints/epoch=1-step=10.ckpt');
    expect([...tensors.keys()]).toEqual([
      'state_dict.model.0.weight', 'state_dict.model.0.bias', 'state_dict.model.2.weight', 'state_dict.model.2.bias',
      'optimizer_states.0.state.0.momentum_buffer',
    ]); // prettier-ignore
    const weight = tensors.get('state_dict.model.0.weight')!;
    expect([weight.dtype, weight.shape]).toEqual(['float32', [6, 5]]);
    expect((await weight.read()).data).toHaveLength(30);
  });

  const fixtureOf = (name: string) =>
    readTorch(memorySource(readFileSync(join(import.meta.dirname, 'fixtures', name)), name));
  const rows = Float32Array.of(0.5, -1.5, 3, 2, 65280, 0.25);

  it('reads arrays of numpy beside tensors in the order of their axes, and names what it does not read', async () => {
    const { tensors } = await fixtureOf('numpy-beside.pt');
    const dataOf = async (name: string) => (await tensors.get(`net.${name}`)!.read()).data;
    for (const name of ['plain', 'fortran', 'half', 'tensor']) expect(await dataOf(name)).toEqual(rows);
    expect(await dataOf('big')).toEqual(Float64Array.from(rows));
    expect(tensors.get('net.turned')!.shape).toEqual([3, 2]);
    expect(await dataOf('turned')).toEqual(Float32Array.of(0.5, 2, -1.5, 65280, 3, 0.25));
    expect(await dataOf('whole')).toEqual(BigInt64Array.of(1n, -2n));
    expect(await dataOf('none')).toHaveLength(0);
    for (const [name, type] of [['masked', '_mareconstruct'], ['words', 'U1'], ['quantised', '_rebuild_qtensor'], ['sparse', '_rebuild_sparse_tensor']] as const) {
      expect(tensors.get(`net.${name}`)).toMatchObject({ dtype: null, storedType: expect.stringContaining(type) as string });
      await expect(tensors.get(`net.${name}`)!.read()).rejects.toThrow(/a plain tensor or array/);
    }
    expect(tensors.has('history')).toBe(false);
  }); // prettier-ignore

  it.each([['numpy-2.pt', 'net.w'], ['numpy-4.pt', 'net.w'], ['numpy-5.pt', 'net.w'], ['numpy-legacy.pt', 'w']])('reads %s, which holds arrays of numpy alone', async (name, path) => {
    const { tensors } = await fixtureOf(name);
    expect([...tensors.keys()]).toEqual([path]);
    expect(await tensors.get(path)!.read()).toEqual({ dtype: 'float32', shape: [2, 3], data: rows });
  }); // prettier-ignore

  it('reads the form before PyTorch 1.6 to the same numbers', async () => {
    const folder = 'torch-legacy/checkpoints';
    const first = readdirSync(join(golden, folder)).sort()[0]!;
    const old = await (await opened(`${folder}/${first}`)).tensors.get('0.weight')!.read();
    const recent = await opened('trainer/checkpoints/checkpoint-0/pytorch_model.bin');
    expect(old).toEqual(await recent.tensors.get('0.weight')!.read());
  });

  it('reads a dictionary that stands under two names under both', async () => {
    const held = ['}q\x01X\x01\0\0\0w', tensor, 0x89, '}tRs'];
    const table = pickle(0x80, 2, '}(X\x04\0\0\0best', ...held, 'X\x05\0\0\0modelh\x01u.');
    const { tensors } = await readTorch(archive(table));
    expect([...tensors.keys()]).toEqual(['best.w', 'model.w']);
  });

  it('reads the numbers beside tensors, and those in meta', async () => {
    const counts = [
      ...text('epoch'),
      'K\x03',
      ...text('done'),
      0x88,
      ...text('meta'),
      '}',
      ...text('iter'),
      'K\x07s',
    ];
    const table = pickle(0x80, 2, '}(', ...text('w'), tensor, 0x89, '}tR', ...counts, 'u.');
    const { numbers } = await readTorch(archive(table));
    expect(Object.fromEntries(numbers)).toEqual({ iter: 7, epoch: 3 });
  });

  it('reads tensors behind long lists, below many dictionaries, under keys that are no text, in tuples and of other classes', async () => {
    const reduced = [tensor, 0x89, '}tR'];
    const typed = [
      'ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_tensor_v2\nctorch._tensor\nTensor\n',
      tensor.slice(tensor.indexOf('2\n(') + 2), 0x89, '}tNtR',
    ]; // prettier-ignore
    const table = pickle(
      0x80, 2, '}(',
      ...text('first'), ...reduced,
      ...text('history'), '](', 'K\x01'.repeat(1_100_000), 'e',
      ...text('model'), '}', ...text('w'), ...reduced, 's',
      ...text('deep'), ']'.repeat(60), ...reduced, 'a'.repeat(60),
      '(K\x02', ...text('k'), 't', ...reduced,
      ...text('named'), 'cmine\nPoint\n(', ...reduced, 't', 0x81,
      ...text('old'), 'ccollections\nOrderedDict\n(](](', ...text('v'), ...reduced, 'eetR',
      ...text('typed'), ...typed, 'u.',
    ); // prettier-ignore
    const { tensors } = await readTorch(archive(table));
    expect([...tensors.keys()]).toEqual([
      'first', 'model.w', `deep${'.0'.repeat(60)}`, '2.k', 'named.0', 'old.v', 'typed',
    ]); // prettier-ignore
    expect((await tensors.get('typed')!.read()).data).toHaveLength(1);
  });

  it('reads storages behind those of parameters and of types that are not read, in the form before PyTorch 1.6', async () => {
    const of = (type: string, key: string) =>
      tensor.replace('FloatStorage', type).replace('X\x01\0\0\x000', `X\x01\0\0\0${key}`);
    const parameter = [
      'ctorch._utils\n_rebuild_parameter\n(',
      of('DoubleStorage', '0'),
      0x89,
      '}tR',
      0x89,
      '}tR',
    ];
    const legacy = (type: string) =>
      pickle(
        0x80, 2, 0x8a, 0x0a, ...legacyTorchStart.slice(4), '.', 0x80, 2, 'M', 0xe9, 3, '.', 0x80, 2, '}.',
        0x80, 2, '}(', ...text('p'), ...parameter, ...text('c'), of(type, '1'), 0x89, '}tR', ...text('w'), of('FloatStorage', '2'), 0x89, '}tRu.',
        0x80, 2, '](', ...text('0'), ...text('1'), ...text('2'), 'e.',
        1, 0, 0, 0, 0, 0, 0, 0, ...new Uint8Array(8), 1, 0, 0, 0, 0, 0, 0, 0, ...new Uint8Array(8),
        1, 0, 0, 0, 0, 0, 0, 0, ...new Uint8Array(Float32Array.of(5).buffer),
      ); // prettier-ignore
    const { tensors } = await readTorch(memorySource(legacy('ComplexFloatStorage'), 'f'));
    expect((await tensors.get('w')!.read()).data).toEqual(Float32Array.of(5));
    await expect(readTorch(memorySource(legacy('StrangeStorage'), 'f'))).rejects.toThrow(
      /numbers of type StrangeStorage/,
    );
  });

  it('reads views by their strides', async () => {
    const rebuild = 'ctorch._utils\n_rebuild_tensor_v2\n';
    const storage = '(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x06tQ';
    const table = pickle(
      0x80,
      2,
      '}X\x01\0\0\0w',
      `${rebuild}(${storage}K\0(K\x03K\x02t(K\x01K\x03t`,
      0x89,
      '}tRs.',
    );
    const numbers = Float32Array.of(1, 2, 3, 4, 5, 6);
    const zip = zipSync({ 'a/data.pkl': table, 'a/data/0': new Uint8Array(numbers.buffer) }, { level: 0 });
    const { tensors } = await readTorch(memorySource(zip, 'f'));
    expect(await tensors.get('w')!.read()).toEqual({
      dtype: 'float32',
      shape: [3, 2],
      data: Float32Array.of(1, 4, 2, 5, 3, 6),
    });
  });

  it('runs nothing: calls and classes stay names', () => {
    const { value } = readPickle(pickle('cos\nsystem\n(X\x04\0\0\0exittR.'), 'f');
    expect(value).toMatchObject({ made: { name: 'os.system' }, args: ['exit'] });
  });

  it.each([
    ['a call in place of tensors', pickle('cos\nsystem\n(X\x04\0\0\0exittR.'), /object of class os\.system/],
    ['no tensors', pickle('}.'), /no tensors/],
    ['an unknown opcode', pickle(0x80, 2, 'i.'), /opcode 0x69/],
    ['an end too early', pickle('X\xff\xff\xff\x7f'), /end too early/],
    ['nothing on its stack', pickle('.'), /nothing to take/],
    ['no mark', pickle('t.'), /no mark/],
    ['a reference to nothing', pickle('h\x07.'), /reference to nothing/],
    ['a list that holds itself', pickle(']q\0h\0a.'), /no tensors/],
    [
      'tensors that lie too deep',
      pickle(']'.repeat(300), tensor, 0x89, '}tR', 'a'.repeat(300), '.'),
      /more than 256/,
    ],
    [
      'tensors in very many places',
      pickle('('.repeat(25), ']', tensor, 0x89, '}tRa', '2l'.repeat(25), '.'),
      /places/,
    ],
    [
      'two tensors of one path',
      pickle('}(X\x01\0\0\x001', tensor, 0x89, '}tRK\x01', tensor, 0x89, '}tRu.'),
      /two tensors called 1/,
    ],
    [
      'numbers that are to be negated',
      pickle('}', ...text('w'), tensor, 0x89, '}}', ...text('neg'), 0x88, 'stRs.'),
      /changed \(neg\)/,
    ],
    ['opcodes without end', pickle('('.repeat(2 ** 22 + 1)), /more than 4194304 steps/],
  ])('refuses %s', async (_, table, message) => {
    await expect(readTorch(archive(table))).rejects.toThrow(message);
    await expect(readTorch(archive(table))).rejects.toThrow(DataError);
  });

  it('refuses tensors that lie outside their storage, or claim to be huge', async () => {
    const tensor = (offset: string, shape: string, stride: string) =>
      pickle(
        `}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x02tQ${offset}(${shape}t(${stride}t`,
        0x89,
        '}tRs.',
      );
    const read = async (table: Uint8Array) => (await readTorch(archive(table))).tensors.get('w')!.read();
    await expect(read(tensor('K\x07', 'K\x02', 'K\x01'))).rejects.toThrow(/storage 0 of 8 bytes/);
    await expect(read(tensor('K\0', 'J\xff\xff\xff\x7fJ\xff\xff\xff\x7f', 'K\0K\0'))).rejects.toThrow(
      /claims a float32 array/,
    );
    await expect(read(tensor('K\0', 'J\xff\xff\xff\x0f', 'K\0'))).rejects.toThrow(
      /claimed where 4 are stored/,
    );
  });
});
