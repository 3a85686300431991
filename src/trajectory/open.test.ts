import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { strToU8, zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeSafetensors } from '../../test/support/safetensors.js';
import { DataError } from '../errors.js';
import { openTrajectory } from '../../test/support/recording.js';
import type { RecordingOptions, TensorShape } from './types.js';

const fixtures = join(import.meta.dirname, 'fixtures');

/** The model of fixtures/make-fixtures.py; row t, element k of θ is t + k / 64. */
const layout: readonly TensorShape[] = [
  { name: 'a.weight', shape: [3, 2] },
  { name: 'a.bias', shape: [3] },
  { name: 'b.weight', shape: [2, 3, 1, 2] },
];
const size = 21;
const theta = (t: number) => Float32Array.from({ length: size }, (_, k) => t + k / 64);
const stack = (rows: number) =>
  Float32Array.from({ length: rows * size }, (_, i) => Math.floor(i / size) + (i % size) / 64);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lossledger-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function written(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

/** Tensors of one checkpoint, by name. */
function checkpoint(values: Float32Array, shapes = layout) {
  let at = 0;
  return Object.fromEntries(
    shapes.map(({ name, shape }) => {
      const count = shape.reduce((product, extent) => product * extent, 1);
      return [name, { shape, data: values.slice(at, (at += count)) }];
    }),
  );
}

async function readAll(path: string, options: RecordingOptions = {}) {
  const trajectory = await openTrajectory(path, layout, options);
  const rows = [];
  for (let t = 0; t < trajectory.rows; t++) rows.push(await trajectory.row(t));
  await trajectory.close();
  return { iteration: [...trajectory.iteration], rows };
}

describe('openTrajectory', () => {
  it.each([
    ['theta.npy', [0, 1, 2, 3]],
    ['theta-big-endian.npy', [0, 1, 2, 3]],
    ['theta.npz', [0, 5, 10, 250]],
    ['theta-compressed.npz', [0, 1, 2, 3]],
    ['tensors.npz', [0, 1, 2, 3]],
    ['weights.h5', [0, 1, 2, 3]],
    ['weights-tensorflow.h5', [0, 1, 2, 3]],
  ])('reads what numpy and h5py wrote: %s', async (file, iteration) => {
    expect(await readAll(join(fixtures, file))).toEqual({ iteration, rows: [0, 1, 2, 3].map(theta) });
  });

  it('reads the archives of Keras, one a step', async () => {
    const names = [
      'layers/dense/vars/0=a.weight',
      'layers/dense/vars/1=a.bias',
      'layers/conv2d/vars/0=b.weight',
    ];
    const all = await readAll(join(fixtures, 'keras'), { names });
    expect(all).toEqual({ iteration: [0, 1, 2, 3], rows: [0, 1, 2, 3].map(theta) });
    const bytes = await readFile(join(fixtures, 'keras/step-1.keras'));
    bytes[bytes.indexOf(Buffer.from(theta(1).buffer.slice(24, 36)))]! ^= 1;
    const changed = join(folder, 'keras');
    await mkdir(changed);
    await writeFile(join(changed, 'step-0.keras'), await readFile(join(fixtures, 'keras/step-0.keras')));
    await writeFile(join(changed, 'step-1.keras'), bytes);
    await expect(readAll(changed, { names })).rejects.toThrow(/model\.weights\.h5\): a wrong checksum/);
  });

  it('reads rows in any order', async () => {
    for (const file of ['theta.npy', 'theta-compressed.npz', 'tensors.npz', 'weights.h5']) {
      const trajectory = await openTrajectory(join(fixtures, file), layout);
      for (const t of [3, 1, 1, 2, 0, 3]) expect(await trajectory.row(t)).toEqual(theta(t));
      await trajectory.close();
    }
  });

  it('reads stacked safetensors, passing over other tensors', async () => {
    const bytes = encodeSafetensors({
      loss: { shape: [3], data: Float64Array.of(3, 2, 1) },
      theta: { shape: [3, size], data: stack(3) },
      iteration: { shape: [3], data: BigInt64Array.of(0n, 100n, 200n) },
    });
    const expected = { iteration: [0, 100, 200], rows: [0, 1, 2].map(theta) };
    expect(await readAll(await written('stacked.safetensors', bytes))).toEqual(expected);
  });

  it('reads one safetensors file per checkpoint, by the number in its name, whatever the order of tensors', async () => {
    const path = join(folder, 'checkpoints');
    await mkdir(path);
    for (const [row, iteration] of [0, 9, 100].entries()) {
      const tensors = Object.entries(checkpoint(theta(row))).reverse();
      const buffers = { 'bn.running_mean': { shape: [1], data: Float32Array.of(1) } };
      const bytes = encodeSafetensors({ ...Object.fromEntries(tensors), ...buffers });
      await writeFile(join(path, `model-v2-step-${iteration}.safetensors`), bytes);
    }
    await writeFile(join(path, 'notes.txt'), 'ignored');
    await writeFile(join(path, '._model-v2-step-9.safetensors'), 'of macOS');
    expect(await readAll(path)).toEqual({ iteration: [0, 9, 100], rows: [0, 1, 2].map(theta) });
  });

  it('reads checkpoints whose optimiser has no state before its first step, and those that differ in what is ignored', async () => {
    const path = join(folder, 'with-state');
    await mkdir(path);
    const one = { shape: [1], data: Float32Array.of(1) };
    for (const row of [0, 1]) {
      const state = row === 0 ? {} : { 'optimizer.state.0.exp_avg': one, 'best.a': one };
      const bytes = encodeSafetensors({ ...checkpoint(theta(row)), ...state });
      await writeFile(join(path, `step-${row}.safetensors`), bytes);
    }
    expect((await readAll(path, { ignore: ['best.*'] })).rows).toEqual([theta(0), theta(1)]);
    await expect(readAll(path)).rejects.toThrow(
      /tensors best\.a \[1\], which the first checkpoint does not have[^]*--ignore/,
    );
  });
});

describe('openTrajectory refuses', () => {
  const npzOf = (name: string, bytes: Uint8Array) => zipSync({ [name]: bytes });

  async function secondRow(path: string, model: readonly TensorShape[]): Promise<Float32Array> {
    const trajectory = await openTrajectory(path, model);
    return trajectory.row(1).finally(() => trajectory.close());
  }

  async function refused(path: string, message: RegExp, model = layout): Promise<void> {
    const failure = await secondRow(path, model).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(DataError);
    expect((failure as DataError).message).toMatch(message);
  }

  it('a missing file and an unknown format', async () => {
    await refused(join(folder, 'gone.npz'), /no such file/);
    await refused(
      await written('text.bin', strToU8('hello')),
      /neither safetensors, npz, npy, HDF5 nor a PyTorch file/,
    );
    await refused(await written('empty.npy', new Uint8Array(0)), /neither/);
    await refused(await written('empty.safetensors', new Uint8Array(0)), /0 bytes \(truncated\)/);
  });

  it.each(['theta.npy', 'theta.npz', 'tensors.npz', 'weights.h5'])('another model: %s', async (file) => {
    const other = [...layout, { name: 'c.weight', shape: [1] }];
    await refused(
      join(fixtures, file),
      /recorded with|no record of the model's c\.weight|by these names/,
      other,
    );
  });

  it('tensors of the right number and wrong shape or name', async () => {
    const turned = [{ name: 'a.weight', shape: [2, 3] }, ...layout.slice(1)];
    await refused(
      join(fixtures, 'tensors.npz'),
      /a\.weight of shape \[3, 2\]\n.*\[2, 3\], a\.weight/,
      turned,
    );
    await refused(join(fixtures, 'weights.h5'), /a\.weight:0 of shape \[3, 2\]\n.*\[2, 3\]/, turned);
    const renamed = [{ name: 'x', shape: [3, 2] }, ...layout.slice(1)];
    await refused(
      join(fixtures, 'tensors.npz'),
      /a\.weight, which move and which the model does not have/,
      renamed,
    );
  });

  it('numbers that are no floats', async () => {
    const data = BigInt64Array.from(stack(2), (value) => BigInt(Math.floor(value)));
    const bytes = encodeSafetensors({ theta: { shape: [2, size], data } });
    await refused(await written('integers.safetensors', bytes), /type I64\n.*floats/);
  });

  it('NaN, naming row, tensor and place', async () => {
    const data = stack(2);
    data[size + 7] = NaN;
    const bytes = encodeSafetensors({ theta: { shape: [2, size], data } });
    await refused(await written('nan.safetensors', bytes), /row 1, tensor a\.bias, index 1 is NaN/);
  });

  it('a single row, and iterations that do not ascend', async () => {
    const one = encodeSafetensors({ theta: { shape: [1, size], data: stack(1) } });
    await refused(await written('one.safetensors', one), /1 rows/);
    const iteration = { shape: [2], data: BigInt64Array.of(5n, 5n) };
    const same = encodeSafetensors({ theta: { shape: [2, size], data: stack(2) }, iteration });
    await refused(await written('same.safetensors', same), /iterations 5, 5 for 2 rows/);
  });

  it.each(['theta.npy', 'theta.npz', 'tensors.npz', 'weights-tensorflow.h5'])(
    'a truncated %s',
    async (file) => {
      const bytes = await readFile(join(fixtures, file));
      await refused(await written(`cut-${file}`, bytes.subarray(0, bytes.length - 20)), /./);
    },
  );

  it('headers that claim more than the file holds', async () => {
    const whole = encodeSafetensors({ theta: { shape: [2, size], data: stack(2) } });
    await refused(await written('cut.safetensors', whole.subarray(0, -1)), /truncated or inconsistent/);
    const hostile = new Uint8Array(16).fill(0xff);
    await refused(await written('header.safetensors', hostile), /a header of 18446744073709552000 bytes/);
    const npy = await readFile(join(fixtures, 'theta.npy'));
    const huge = Buffer.from(
      npy.toString('latin1').replace('(4, 21), }    ', '(999999999, 21), }').slice(0, npy.length),
      'latin1',
    );
    await refused(await written('huge.npy', huge), /claims a float32 array/);
  });

  it('a zip bomb', async () => {
    const path = await written('bomb.npz', npzOf('theta.npy', new Uint8Array(2 ** 27)));
    await refused(path, /134217728 bytes claimed where \d+ are stored/);
  });

  it('an archive whose contents were changed', async () => {
    const bytes = await readFile(join(fixtures, 'theta.npz'));
    const place = bytes.indexOf(Buffer.from(theta(1).buffer.slice(4, 40)));
    bytes[place] = bytes[place]! ^ 1;
    await refused(await written('changed.npz', bytes), /wrong checksum/);
  });

  it('checkpoints with tensors missing, added or of another shape, and names without numbers', async () => {
    const make = async (name: string, change: (tensors: ReturnType<typeof checkpoint>) => void) => {
      const path = join(folder, name);
      await mkdir(path);
      for (const row of [0, 1]) {
        const tensors = checkpoint(theta(row));
        if (row === 1) change(tensors);
        await writeFile(join(path, `${row}.safetensors`), encodeSafetensors(tensors));
      }
      return path;
    };
    await refused(await make('missing', (tensors) => delete tensors['a.bias']), /no tensor a\.bias/);
    const extra = { shape: [1], data: Float32Array.of(1) };
    await refused(
      await make('extra', (tensors) => (tensors['c'] = extra)),
      /tensors c \[1\], which the first checkpoint does not have/,
    );
    await refused(
      await make('shape', (tensors) => (tensors['a.bias']!.shape = [3, 1])),
      /other shapes than in the first checkpoint: a\.bias \[3, 1\], before \[3\]/,
    );
    const change = (tensors: Record<string, object>) =>
      (tensors['a.bias'] = { shape: [3], data: Float64Array.of(1, 2, 3) });
    await refused(await make('precision', change), /a\.bias of type float64, which is F32 in the first/);
    const shard = async (name: string, files: readonly string[]) => {
      const path = join(folder, name);
      for (const row of [0, 1]) {
        await mkdir(join(path, `checkpoint-${row}`), { recursive: true });
        for (const file of files) {
          const bytes = encodeSafetensors(checkpoint(theta(row)));
          await writeFile(join(path, `checkpoint-${row}`, file), bytes);
        }
      }
      return path;
    };
    const [first, last] = ['model-00001-of-00002.safetensors', 'model-00003-of-00003.safetensors'];
    await refused(await shard('shards-missing', [first]), /expected: all 2 parts of the model/);
    const both = await shard('shards-alike', [first, 'model-00002-of-00002.safetensors']);
    await refused(
      both,
      /00002-of-00002\.safetensors: a\.weight, which .*00001-of-00002\.safetensors has too/,
    );
    await refused(await shard('shards-mixed', [first, last]), /expected: the parts of one model/);
    const unnamed = join(folder, 'unnamed');
    await mkdir(unnamed);
    await writeFile(join(unnamed, 'model.safetensors'), '');
    await refused(unnamed, /1 checkpoints/);
    await mkdir(join(folder, 'none'));
    await refused(join(folder, 'none'), /0 checkpoints/);
  });
});
