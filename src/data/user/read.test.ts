import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataError, UsageError } from '../../errors.js';
import { loadDataset } from '../load.js';
import { narrowed } from '../shared.js';
import { readUserDataset } from './read.js';

const fixture = join(import.meta.dirname, 'fixtures', 'data.npz');
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lossledger-'));
});
afterAll(() => rm(folder, { recursive: true }));

type Numbers =
  Float32Array | Float64Array | Int32Array | Uint8Array | BigInt64Array | Int16Array | Uint16Array;
const descriptors = new Map<string, string>([
  ['Float32Array', '<f4'],
  ['Float64Array', '<f8'],
  ['Int32Array', '<i4'],
  ['Uint8Array', '|u1'],
  ['BigInt64Array', '<i8'],
  ['Int16Array', '<i2'],
  ['Uint16Array', '<u2'],
]);

/** An `.npy` file, as numpy's format document describes it. */
function npy(shape: readonly number[], data: Numbers): Uint8Array {
  const extents = shape.length === 1 ? `${shape[0]!},` : shape.join(', ');
  const descr = descriptors.get(data.constructor.name)!;
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${extents}), }`.padEnd(117) + '\n';
  const header = Buffer.concat([
    Buffer.from('\x93NUMPY\x01\x00', 'latin1'),
    Buffer.of(text.length, 0),
    Buffer.from(text),
  ]);
  return Buffer.concat([header, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]);
}

let made = 0;
/** A folder of `.npy` files. */
async function arrays(contents: Readonly<Record<string, Uint8Array>>): Promise<string> {
  const path = join(folder, `arrays-${made++}`);
  await mkdir(path);
  for (const [name, bytes] of Object.entries(contents)) await writeFile(join(path, `${name}.npy`), bytes);
  return path;
}

const x = npy([2, 3], Float32Array.of(1, 2, 3, 4, 5, 6));
const y = npy([2], Int32Array.of(1, 0));

describe('readUserDataset', () => {
  it('reads what numpy wrote, in order, all of it for training', async () => {
    const { splits, transform, files } = await loadDataset(fixture, { seed: 1 });
    expect(splits.train.shape).toEqual([2, 2]);
    expect(splits.train.inputs).toEqual(Float32Array.from({ length: 24 }, (_, i) => i / 8));
    expect(splits.train.inputs.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(splits.train.labels).toEqual(Int32Array.of(0, 1, 2, 0, 1, 2));
    expect(splits['validation']).toBeUndefined();
    expect([...splits['test']!.inputs]).toEqual([1, 1.125, 1.25, 1.375, 1.5, 1.625, 1.75, 1.875]);
    expect(transform).toEqual({ dtype: 'float32', divisor: 1, mean: [], std: [] });
    const hex = expect.stringMatching(/^[0-9a-f]{64}$/) as string;
    expect(files).toEqual([{ name: 'data.npz', sha256: hex, content: hex }]);
  });

  it('takes any pair x_NAME and y_NAME as a set of that name, and x_train for x', async () => {
    const { pool, sets } = await readUserDataset(
      await arrays({ x_train: x, y_train: y, x_rare: x, y_rare: y }),
    );
    expect([pool.count, Object.keys(sets)]).toEqual([2, ['rare']]);
  });

  it.each([
    ['booleans', true, [0, 1], 1, undefined],
    ['bytes up to 1', false, [0, 1], 1, undefined],
    ['bytes beyond', false, [0, 128], 255, undefined],
    ['bytes that few pixels are', false, [0, 16], 255, true],
  ])('scales %s by what they are, and says so', async (_, bool, values, divisor, warning) => {
    const bytes = npy([2, 1], Uint8Array.from(values));
    const stored = Buffer.from(
      Buffer.from(bytes)
        .toString('latin1')
        .replace('|u1', bool ? '|b1' : '|u1'),
      'latin1',
    );
    const { transform, readings } = await readUserDataset(await arrays({ x: stored, y }));
    expect(transform.divisor).toBe(divisor);
    expect(readings).toEqual([expect.objectContaining({ about: 'scaling of inputs' })]);
    expect(readings[0]!.warning).toBe(warning);
  });

  it.each([
    ['whole floats', Float32Array.of(0, 254), 1],
    ['whole doubles', Float64Array.of(0, 255), 1],
    ['integers', Int32Array.of(0, 128), 1],
    ['small ones', Float32Array.of(0, 100), 0],
    ['fractions', Float32Array.of(0.5, 254), 0],
    ['larger ones', Int32Array.of(0, 256), 0],
    ['negative ones', Int32Array.of(-1, 255), 0],
  ])('leaves %s as they are, and warns of those that look like pixels', async (_, values, warnings) => {
    const { transform, readings } = await readUserDataset(await arrays({ x: npy([2, 1], values), y }));
    expect(transform.divisor).toBe(1);
    expect(readings.filter(({ warning }) => warning)).toHaveLength(warnings);
    if (warnings > 0) expect(readings[0]!.decision).toMatch(/--divisor 255, if not, --divisor 1/);
  });

  it.each([
    ['uint16 in one axis', [2, 1], Uint16Array.of(0, 65535), 65535],
    ['uint16 of 12 bits', [2, 1], Uint16Array.of(9, 3000), 4095],
    ['wider ones of several axes', [2, 1, 1], Int32Array.of(0, 40000), 65535],
    ['fractions of images', [2, 1, 1, 1], Float32Array.of(0, 254.5), 255],
    ['uint16 up to a byte', [2, 1], Uint16Array.of(0, 255), 255],
  ] as const)('warns of %s, as of images of more bits', async (_, shape, values, divisor) => {
    const { readings } = await readUserDataset(await arrays({ x: npy(shape, values), y }));
    expect(readings).toEqual([expect.objectContaining({ about: 'scaling of inputs', warning: true })]);
    expect(readings[0]!.decision).toContain(`divided them by ${divisor}, say --divisor ${divisor}, if not,`);
  });

  it.each([
    ['whole numbers', Int32Array.of(3, 250_000), '250000'],
    ['negative ones', Float32Array.of(0.5, -70_000.5), '-70000.5'],
    ['numbers that stand for missing ones', Float64Array.of(0.5, 1e20), '100000000000000000000'],
  ])('warns of %s beyond 16 bits in a table', async (_, values, largest) => {
    const { transform, readings } = await readUserDataset(
      await arrays({ x: npy([2, 1], values), y }),
    );
    expect(transform.divisor).toBe(1);
    expect(readings[0]).toMatchObject({ warning: true, evidence: expect.stringContaining(`they reach ${largest},`) as string });
  }); // prettier-ignore

  it('warns of sets that reach much further than training does, or less far', async () => {
    const [scaled, raw] = [Float32Array.of(0, 1), Float32Array.of(0.5, 255)].map((values) => npy([2, 1], values));
    const about = async (train: Uint8Array, test: Uint8Array) =>
      (await readUserDataset(await arrays({ x: train, y, x_test: test, y_test: y }))).readings;
    expect(await about(scaled!, raw!)).toEqual([
      expect.objectContaining({ about: 'range of inputs', evidence: expect.stringMatching(/they reach 255, those of training 1:/) as string, warning: true }),
    ]);
    expect(await about(raw!, scaled!)).toHaveLength(1);
    expect(await about(scaled!, scaled!)).toEqual([]);
  }); // prettier-ignore

  it('reads columns first', async () => {
    const columns = npy([2, 3], Float32Array.of(1, 4, 2, 5, 3, 6));
    const stored = Buffer.from(
      Buffer.from(columns)
        .toString('latin1')
        .replace("False, 'shape': (2, 3), }", "True, 'shape': (2, 3), } "),
      'latin1',
    );
    const { pool } = await readUserDataset(await arrays({ x: stored, y }));
    expect([...pool.inputs]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('draws a validation set and a subset where asked', async () => {
    const { splits } = await loadDataset(fixture, { seed: 1, validation: 3, subset: 2 });
    expect([splits.train.count, splits['validation']!.count]).toEqual([2, 2]);
  });

  it('reads .npy files in a folder or side by side', async () => {
    const path = await arrays({ x, y, '._x': Buffer.from('of macOS') });
    const inFolder = await readUserDataset(path);
    expect(inFolder.pool.inputs).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
    const pair = await readUserDataset(`${join(path, 'x.npy')},${join(path, 'y.npy')}`);
    expect(pair.pool).toEqual(inFolder.pool);
  });

  it('reads IDX files side by side', async () => {
    const images = join(folder, 'images.idx');
    const labels = join(folder, 'labels.idx');
    await writeFile(images, Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 9, 8, 7, 6));
    await writeFile(labels, Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 5, 1));
    const { pool, transform } = await readUserDataset(`${images},${labels}`);
    expect(pool).toEqual({
      count: 2,
      shape: [1, 2],
      inputs: Uint8Array.of(9, 8, 7, 6),
      labels: Int32Array.of(5, 1),
    });
    expect(transform.divisor).toBe(255);
  });

  it.each([2, 3])('reads a Zarr v%d group', async (version) => {
    const path = join(folder, `data-v${version}.zarr`);
    const chunks: Record<string, Uint8Array> = {
      x: new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6).buffer),
      y: new Uint8Array(BigInt64Array.of(1n, 0n).buffer),
    };
    const shapes: Record<string, number[]> = { x: [2, 3], y: [2] };
    for (const name of ['x', 'y']) {
      const shape = shapes[name]!;
      const metadata = version === 2
        ? { zarr_format: 2, shape, chunks: shape, dtype: name === 'x' ? '<f4' : '<i8', compressor: null, fill_value: 0, order: 'C', filters: null }
        : {
            zarr_format: 3, node_type: 'array', shape, data_type: name === 'x' ? 'float32' : 'int64',
            chunk_grid: { name: 'regular', configuration: { chunk_shape: shape } },
            chunk_key_encoding: { name: 'default', configuration: { separator: '/' } },
            codecs: [{ name: 'bytes', configuration: { endian: 'little' } }], fill_value: 0, attributes: {},
          }; // prettier-ignore
      const chunk =
        version === 2
          ? join(path, name, shape.map(() => 0).join('.'))
          : join(path, name, 'c', ...shape.map(() => '0'));
      await mkdir(join(chunk, '..'), { recursive: true });
      await writeFile(join(path, name, version === 2 ? '.zarray' : 'zarr.json'), JSON.stringify(metadata));
      await writeFile(chunk, chunks[name]!);
    }
    const group =
      version === 2
        ? ['.zgroup', { zarr_format: 2 }]
        : ['zarr.json', { zarr_format: 3, node_type: 'group', attributes: {} }];
    await writeFile(join(path, group[0] as string), JSON.stringify(group[1]));
    const { pool } = await readUserDataset(path);
    expect(pool).toEqual({
      count: 2,
      shape: [3],
      inputs: Float32Array.of(1, 2, 3, 4, 5, 6),
      labels: Int32Array.of(1, 0),
    });

    const metadataPath = join(path, 'x', version === 2 ? '.zarray' : 'zarr.json');
    const other = join(folder, `hostile-v${version}.zarr`);
    await cp(path, other, { recursive: true });
    const hostile = version === 2
      ? { zarr_format: 2, shape: [20_000, 10_000], chunks: [20_000, 10_000], dtype: '<f4', compressor: null, fill_value: 0, order: 'C', filters: null }
      : 'not json'; // prettier-ignore
    await writeFile(
      metadataPath.replace(path, other),
      typeof hostile === 'string' ? hostile : JSON.stringify(hostile),
    );
    await expect(readUserDataset(other)).rejects.toThrow(
      version === 2 ? /800000000 bytes claimed/ : /not readable as a Zarr array/,
    );
    await expect(readUserDataset(other)).rejects.toThrow(DataError);
  });

  it('converts wider and narrower numbers, and takes floats as regression targets', async () => {
    const { pool, labelShape } = await readUserDataset(
      await arrays({ x: npy([2, 1], Int16Array.of(-3, 4)), y: npy([2, 2], Float64Array.of(0.5, 1, 1.5, 2)) }),
    );
    expect(pool.inputs).toEqual(Int32Array.of(-3, 4));
    expect(pool.labels).toEqual(Float64Array.of(0.5, 1, 1.5, 2));
    expect(labelShape).toEqual([2]);
  });

  it('keeps float64, and rounds it for engines that compute in float32', async () => {
    const third = Float64Array.of(1 / 3, 2 / 3);
    const path = await arrays({ x: npy([2, 1], third), y: npy([2, 1], third) });
    const wide = await loadDataset(path, { seed: 1 });
    expect([wide.splits.train.inputs, wide.splits.train.labels]).toEqual([third, third]);
    expect(wide.transform.dtype).toBe('float32');
    const { inputs, labels } = narrowed(wide).splits.train;
    expect([inputs, labels]).toEqual([Float32Array.from(third), Float32Array.from(third)]);
    expect(inputs.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  it.each([
    ['no y', { x }, /add y/],
    ['no x', { y }, /add x/],
    ['two training sets', { x, y, x_train: x, y_train: y }, /rename x_train/],
    ['capital letters', { X: x, Y: y }, /rename X, Y/],
    ['half a part', { x, y, x_test: x }, /add y_test/],
    ['fewer labels', { x, y: npy([1], Int32Array.of(1)) }, /x \[2, 3\] and y \[1\]/],
    ['no examples', { x: npy([0, 3], new Float32Array(0)), y: npy([0], new Int32Array(0)) }, /at least one/],
    ['NaN', { x: npy([2, 1], Float32Array.of(1, NaN)), y }, /element 1 is NaN/],
    ['numbers beyond float32', { x: npy([2, 1], Float64Array.of(1, 1e300)), y }, /element 1 is 1e\+300/],
    [
      'numbers beyond int32',
      { x: npy([2, 1], BigInt64Array.of(1n, 2n ** 40n)), y },
      /element 1 is 1099511627776/,
    ],
    [
      'another shape of test examples',
      { x, y, x_test: npy([2, 2], Float32Array.of(1, 2, 3, 4)), y_test: y },
      /as the training set/,
    ],
    ['a damaged file', { x: x.subarray(0, -1), y }, /151 bytes\n.*152 bytes/],
  ])('refuses %s', async (_, contents, message) => {
    const path = await arrays(contents);
    await expect(readUserDataset(path)).rejects.toThrow(DataError);
    await expect(readUserDataset(path)).rejects.toThrow(message);
  });

  it('refuses paths that are no data', async () => {
    await expect(readUserDataset(join(folder, 'gone.npz'))).rejects.toThrow(/which does not exist/);
    await expect(readUserDataset(import.meta.filename)).rejects.toThrow(UsageError);
    await expect(loadDataset('minst', { seed: 1 })).rejects.toThrow(/mnist, fashion-mnist, cifar10/);
  });
});
