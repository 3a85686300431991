import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeModel } from '../../src/onnx/protobuf/encode.js';
import { ModelSchema, StringEntrySchema } from '../../src/onnx/protobuf/onnx_pb.js';
import { tensorBytes } from '../../src/onnx/protobuf/dtypes.js';
import { exportedNumbers } from '../support/export.js';
import { lca, temporaryFolder } from '../support/cli.js';
import { npyFile, npzFile } from '../support/npz.js';
import { size, tensors, writeRecordedRun } from '../support/recorded.js';
import { encodeSafetensors } from '../support/safetensors.js';

const folder = temporaryFolder();
const file = (name: string) => join(folder, name);
const rows = 4;
const { theta, x, y } = writeRecordedRun(folder, rows);
const row = (t: number) => theta.subarray(t * size, (t + 1) * size);
let made = 0;

/** Measures the recorded run with some of its files replaced. */
async function measure(change: Readonly<Record<string, string>> = {}, ...more: string[]): Promise<string> {
  const out = file(`run-${made++}`);
  const given = {
    model: file('model.onnx'),
    trajectory: file('trajectory.safetensors'),
    data: file('data.npz'),
    ...change,
  };
  const flags = Object.entries(given).flatMap(([name, value]) => [`--${name}`, value]);
  const { code, stderr } = await lca([
    'measure',
    ...flags,
    '--chunk',
    '100',
    '--engine',
    'onnxruntime',
    '--workers',
    '1',
    '--quiet',
    ...more,
    '--out',
    out,
  ]);
  expect(code, stderr).toBe(0);
  return out;
}

async function exported(run: string, what: string): Promise<number[]> {
  return [...(await exportedNumbers(run, what))];
}

let expected: number[];
beforeAll(async () => {
  expected = await exported(await measure(), 'allocation');
  expect(expected).toHaveLength((rows - 1) * size);
});

/** Parts of θ_t by tensor. */
function parts(t: number): Record<string, { data: Float32Array; shape: readonly number[] }> {
  let at = 0;
  return Object.fromEntries(
    tensors.map(({ name, shape }) => {
      const length = shape.reduce((product: number, extent) => product * extent, 1);
      return [name, { shape, data: row(t).slice(at, (at += length)) }];
    }),
  );
}

describe('trajectories', () => {
  it('as a folder with one safetensors file per checkpoint', async () => {
    mkdirSync(file('checkpoints'));
    for (let t = 0; t < rows; t++)
      writeFileSync(file(`checkpoints/step-${t}.safetensors`), encodeSafetensors(parts(t)));
    expect(await exported(await measure({ trajectory: file('checkpoints') }), 'allocation')).toEqual(
      expected,
    );
  });

  it('in HDF5 as the paper’s authors store them', async () => {
    const { File, ready } = await import('h5wasm/node');
    await ready;
    const hdf5 = new File(file('weights'), 'w');
    hdf5.create_dataset({ name: 'all_weights', data: theta, shape: [rows, size] });
    hdf5.create_attribute('var_names', tensors.map(({ name }) => name).join(';'));
    hdf5.create_attribute(
      'var_shapes',
      tensors.map(({ shape }) => `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`).join(';'),
    );
    hdf5.close();
    expect(await exported(await measure({ trajectory: file('weights') }), 'allocation')).toEqual(expected);
  });

  it('with gaps of many steps, refined until the ledger balances', async () => {
    const far = Float32Array.from([
      ...row(0),
      ...row(0).map((value, k) => value + 40 * (row(3)[k]! - value)),
    ]);
    const trajectory = file('gaps.npz');
    writeFileSync(
      trajectory,
      npzFile({
        theta: { data: far, shape: [2, size] },
        iteration: { data: BigInt64Array.of(0n, 500n), shape: [2] },
      }),
    );
    const run = await measure({ trajectory }, '--tolerance', '1e-4', '--max-subintervals', '256');
    const [residual] = await exported(run, 'residual');
    expect(Math.abs(residual!)).toBeLessThan(1e-4);
    const { stdout } = await lca(['export', run, '--what', 'subintervals']);
    expect(Number(/\n0,0,500,(\d+)/.exec(stdout)![1])).toBeGreaterThan(2);
    expect(readFileSync(join(run, 'manifest.json'), 'utf8')).toMatch(/"iteration": \[\s*0,\s*500\s*\]/);
  });
});

describe('models', () => {
  it('with external data beside them', async () => {
    const model = fromBinary(ModelSchema, readFileSync(file('model.onnx')));
    const stored: Uint8Array[] = [];
    let offset = 0;
    for (const tensor of model.graph!.initializer) {
      const entries = {
        location: 'weights.bin',
        offset: String(offset),
        length: String(tensor.rawData.length),
      };
      tensor.externalData = Object.entries(entries).map(([key, value]) =>
        create(StringEntrySchema, { key, value }),
      );
      tensor.dataLocation = 1;
      stored.push(tensor.rawData);
      offset += tensor.rawData.length;
      tensor.rawData = new Uint8Array(0);
    }
    mkdirSync(file('external'));
    writeFileSync(file('external/model.onnx'), toBinary(ModelSchema, model));
    const missing = await lca(['inspect', file('external/model.onnx')]);
    expect(missing.stdout + missing.stderr).toMatch(/weights\.bin/);
    expect(missing.code).toBe(2);
    writeFileSync(file('external/weights.bin'), Buffer.concat(stored));
    const run = await measure({ model: file('external/model.onnx') });
    expect(await exported(run, 'allocation')).toEqual(expected);
    expect(readFileSync(join(run, 'model.data/weights.bin'))).toEqual(Buffer.concat(stored));
  });

  it('of tokens: an embedding reads int64 ids', async () => {
    const [words, width] = [7, 3];
    const table = {
      name: 'embedding.weight',
      dtype: 'float32',
      shape: [words, width],
      bytes: tensorBytes('float32', new Float32Array(words * width)),
    } as const;
    const axes = { axes: [1], keepdims: 0 };
    const model = encodeModel({
      name: 'bag',
      opset: 17,
      initializers: [table],
      inputs: [{ name: 'ids', dtype: 'int64', shape: ['batch', 4] }],
      outputs: [{ name: 'logits', dtype: 'float32', shape: ['batch', width] }],
      nodes: [
        {
          op: 'Gather',
          name: 'g',
          inputs: ['embedding.weight', 'ids'],
          outputs: ['rows'],
          attributes: { axis: 0 },
        },
        { op: 'ReduceMean', name: 'm', inputs: ['rows'], outputs: ['logits'], attributes: axes },
      ],
    });
    writeFileSync(file('bag.onnx'), model);
    const ids = BigInt64Array.from({ length: 40 }, (_, k) => BigInt((k * k) % words));
    writeFileSync(
      file('tokens.npz'),
      npzFile({
        x: { data: ids, shape: [10, 4] },
        y: { data: Int32Array.from({ length: 10 }, (_, n) => n % width), shape: [10] },
      }),
    );
    const walk = Float32Array.from({ length: 3 * words * width }, (_, k) => Math.sin(k) / 4);
    writeFileSync(file('walk.npy'), npyFile(walk, [3, words * width]));
    const run = await measure({
      model: file('bag.onnx'),
      trajectory: file('walk.npy'),
      data: file('tokens.npz'),
    });
    for (const residual of await exported(run, 'residual')) expect(Math.abs(residual)).toBeLessThan(1e-4);
  });
});

describe('data', () => {
  it('as two .npy files', async () => {
    writeFileSync(file('x.npy'), npyFile(x, [400, 60]));
    writeFileSync(file('y.npy'), npyFile(y, [400]));
    expect(
      await exported(await measure({ data: `${file('x.npy')},${file('y.npy')}` }), 'allocation'),
    ).toEqual(expected);
  });

  it('in float64 are rounded for an engine that computes in float32', async () => {
    writeFileSync(
      file('wide.npz'),
      npzFile({ x: { data: Float64Array.from(x), shape: [400, 60] }, y: { data: y, shape: [400] } }),
    );
    expect(await exported(await measure({ data: file('wide.npz') }), 'allocation')).toEqual(expected);
  });

  it('as IDX', async () => {
    const bytes = new DataView(new ArrayBuffer(12 + 4 * x.length));
    [0x0d02, 400, 60].forEach((value, k) => {
      bytes.setUint32(4 * k, value);
    });
    x.forEach((value, k) => {
      bytes.setFloat32(12 + 4 * k, value);
    });
    writeFileSync(file('x-idx'), new Uint8Array(bytes.buffer));
    writeFileSync(file('y-idx'), Uint8Array.from([0, 0, 8, 1, 0, 0, 1, 144, ...y]));
    expect(
      await exported(await measure({ data: `${file('x-idx')},${file('y-idx')}` }), 'allocation'),
    ).toEqual(expected);
  });

  it('as a Zarr group', async () => {
    for (const [name, data, shape, type] of [
      ['x', x, [400, 60], 'float32'],
      ['y', y, [400], 'int32'],
    ] as const) {
      const chunk = file(`data.zarr/${name}/c/${shape.map(() => 0).join('/')}`);
      mkdirSync(join(chunk, '..'), { recursive: true });
      writeFileSync(chunk, new Uint8Array(data.buffer));
      writeFileSync(
        file(`data.zarr/${name}/zarr.json`),
        JSON.stringify({
          zarr_format: 3,
          node_type: 'array',
          shape,
          data_type: type,
          fill_value: 0,
          attributes: {},
          chunk_grid: { name: 'regular', configuration: { chunk_shape: shape } },
          chunk_key_encoding: { name: 'default', configuration: { separator: '/' } },
          codecs: [{ name: 'bytes', configuration: { endian: 'little' } }],
        }),
      );
    }
    writeFileSync(
      file('data.zarr/zarr.json'),
      JSON.stringify({ zarr_format: 3, node_type: 'group', attributes: {} }),
    );
    expect(await exported(await measure({ data: file('data.zarr') }), 'allocation')).toEqual(expected);
  });
});

describe('the loss', () => {
  it('with class weights and label smoothing, as PyTorch takes it', async () => {
    const weights = ['--class-weights', '1,2,0.5,1,3', '--label-smoothing', '0.1'];
    const plain = await exported(await measure({}, ...weights), 'loss');
    const weighted = await exported(await measure({}, ...weights, '--reduction', 'weightedMean'), 'loss');
    const mean = y.reduce((sum, label) => sum + [1, 2, 0.5, 1, 3][label]!, 0) / y.length;
    plain.forEach((value, t) => {
      expect(weighted[t]! * mean).toBeCloseTo(value, 12);
    });
    const refused = await lca([
      'measure',
      '--model',
      file('model.onnx'),
      '--trajectory',
      file('trajectory.safetensors'),
      '--data',
      file('data.npz'),
      '--reduction',
      'weightedMean',
      '--out',
      file('none'),
    ]);
    expect(refused.stderr).toMatch(/weightedMean without classWeights/);
    expect(refused.code).toBe(2);
  });

  it.each(['squaredError', 'sigmoidCrossEntropy'])('%s', async (loss) => {
    const data = file(`${loss}.npz`);
    const targets = Float32Array.from({ length: 2000 }, (_, k) => (k % 3 === 0 ? 1 : 0));
    writeFileSync(data, npzFile({ x: { data: x, shape: [400, 60] }, y: { data: targets, shape: [400, 5] } }));
    for (const residual of await exported(await measure({ data }, '--loss', loss), 'residual')) {
      expect(Math.abs(residual)).toBeLessThan(1e-4);
    }
  });
});

describe('lca measure --dry-run', () => {
  it('states time, memory and bytes, and makes nothing', async () => {
    const flags = ['--model', file('model.onnx'), '--trajectory', file('trajectory.safetensors'), '--data', file('data.npz')];
    const { code, stdout } = await lca(['measure', ...flags, '--dry-run', '--json', '--out', file('dry')]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ segments: rows - 1, memory: { worker: expect.any(Number) as number } });
    expect((await lca(['measure', ...flags, '--dry-run', '--out', file('dry')])).stdout).toMatch(/memory: .* a worker, and shared sums/);
  });
}); // prettier-ignore
