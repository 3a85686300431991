import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeOnnx } from '../../src/onnx/index.js';
import { checkConfig } from '../../src/experiment/config/file.js';
import { openExperiment } from '../../src/experiment/experiment.js';
import { openRun } from '../../src/store/open.js';
import { exportedNumbers } from '../support/export.js';
import { lca, temporaryFolder } from '../support/cli.js';
import { relativeDeviation } from '../support/golden.js';
import { npyFile, npzFile } from '../support/npz.js';
import { encodeSafetensors } from '../support/safetensors.js';

const folder = temporaryFolder();
const own = join(folder, 'own');
const file = (name: string) => join(folder, name);
const small = { subset: 100, iterations: 3, batchSize: 20, chunk: 40, engine: 'onnxruntime' } as const;
const experiment = await openExperiment(checkConfig(small, 'the test'));
const { train } = experiment.dataset.splits;
const size = experiment.layout.size;
const theta = new Float32Array(4 * size);

/** The same run as `own`, as files that another framework could have written. */
beforeAll(async () => {
  const flags = [
    '--subset',
    '100',
    '--iterations',
    '3',
    '--batch-size',
    '20',
    '--chunk',
    '40',
    '--engine',
    'onnxruntime',
  ];
  const { code, stderr } = await lca([
    'run',
    ...flags,
    '--measure',
    'train',
    '--tolerance',
    'none',
    '--out',
    own,
    '--workers',
    '1',
    '--quiet',
  ]);
  expect(code, stderr).toBe(0);
  const run = await openRun(own);
  for (let row = 0; row < 4; row++) theta.set(await run.theta(row), row * size);
  const scaled = { dtype: 'uint8', divisor: 255, mean: [], std: [] } as const;
  const float = { ...scaled, dtype: 'float32', divisor: 1 } as const;
  const graph = experiment.model.build({ examples: 1, training: false, transform: float });
  writeFileSync(file('fc.onnx'), writeOnnx(graph, theta.subarray(0, size)));
  const x = { data: train.inputs, shape: [100, 1, 28, 28] };
  writeFileSync(file('data.npz'), npzFile({ x, y: { data: train.labels, shape: [100] } }));
  const stacked = { theta: { data: theta, shape: [4, size] } };
  writeFileSync(file('stacked.safetensors'), encodeSafetensors(stacked));
  writeFileSync(file('stacked.npz'), npzFile(stacked));
  writeFileSync(file('named.safetensors'), encodeSafetensors(namedTensors()));
});

/** One array [4, …shape] a tensor. */
function namedTensors(): Record<string, { data: Float32Array; shape: readonly number[] }> {
  const tensors = experiment.layout.tensors.map(({ name, shape, offset, size: length }) => {
    const data = new Float32Array(4 * length);
    for (let row = 0; row < 4; row++)
      data.set(theta.subarray(row * size + offset, row * size + offset + length), row * length);
    return [name, { data, shape: [4, ...shape] }] as const;
  });
  return Object.fromEntries(tensors);
}

function measure(change: Readonly<Record<string, string>> = {}, ...more: string[]) {
  const given = {
    model: file('fc.onnx'),
    trajectory: file('stacked.safetensors'),
    data: file('data.npz'),
    ...change,
  };
  const flags = Object.entries(given).flatMap(([name, value]) => [`--${name}`, value]);
  return lca([
    'measure',
    ...flags,
    '--chunk',
    '40',
    '--tolerance',
    'none',
    '--engine',
    'onnxruntime',
    '--workers',
    '1',
    '--quiet',
    ...more,
  ]);
}

const allocation = (run: string) => exportedNumbers(run, 'allocation');

describe('a run recorded elsewhere', () => {
  it.each(['stacked.safetensors', 'stacked.npz', 'named.safetensors'])(
    '%s gives the allocations of the run itself',
    async (name) => {
      const out = file(`run-${name}`);
      const { code, stderr } = await measure({ trajectory: file(name) }, '--out', out);
      expect(code, stderr).toBe(0);
      expect(relativeDeviation(await allocation(out), await allocation(own))).toBeLessThan(1e-6);
      expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain(name);
      const { config } = (await openRun(out)).manifest;
      expect(Object.keys(config)).not.toContain('optimizer');
      expect(Object.keys((await openRun(own)).manifest.config)).toContain('optimizer');
    },
  );

  it('needs its trajectory no more once all rows are copied', async () => {
    const out = file('resumed');
    const gone = file('gone.npz');
    writeFileSync(gone, readFileSync(file('stacked.npz')));
    const { code } = await measure({ trajectory: gone }, '--out', out);
    expect(code).toBe(0);
    writeFileSync(gone, 'something else');
    const again = await lca(['resume', out, '--quiet']);
    expect(again.code, again.stderr).toBe(0);
    const verified = await lca(['verify', out, '--sample', '2', '--quiet']);
    expect(verified.stdout).toMatch(/2 segments recomputed[^]*sound/);
  });

  it('is trained on from an ONNX file too', async () => {
    const out = file('trained');
    const flags = [
      '--model',
      file('fc.onnx'),
      '--data',
      file('data.npz'),
      '--iterations',
      '2',
      '--batch-size',
      '20',
      '--engine',
      'onnxruntime',
    ];
    const { code, stderr } = await lca(['run', ...flags, '--out', out, '--quiet']);
    expect(code, stderr).toBe(0);
    expect(await (await openRun(out)).theta(0)).toEqual(theta.slice(0, size));
  });
});

describe('what does not fit is refused with exit code 2, and nothing is made', () => {
  async function refused(
    message: RegExp,
    change: Readonly<Record<string, string>>,
    ...more: string[]
  ): Promise<void> {
    const out = file(`refused-${Math.random()}`);
    const { code, stderr } = await measure(change, ...more, '--out', out);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/expected/);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(code).toBe(2);
    expect(existsSync(out)).toBe(false);
  }

  function written(name: string, bytes: Uint8Array): string {
    writeFileSync(file(name), bytes);
    return file(name);
  }

  it('a trajectory of another width', async () => {
    const short = encodeSafetensors({ theta: { data: new Float32Array(200), shape: [2, 100] } });
    await refused(/100[^]*84060/, { trajectory: written('short.safetensors', short) });
  });

  it('a trajectory with NaN, by row, tensor and index', async () => {
    const data = theta.slice();
    data[size + 5] = NaN;
    const trajectory = written('nan.safetensors', encodeSafetensors({ theta: { data, shape: [4, size] } }));
    const out = file('nan');
    const { code, stderr } = await measure({ trajectory }, '--out', out);
    expect(stderr).toMatch(/row 1, tensor fc1\.weight, index 5/);
    expect(code).toBe(2);
  });

  it('data of another shape, both named', async () => {
    const x = { data: new Float32Array(30), shape: [3, 10] };
    const data = written('narrow.npz', npzFile({ x, y: { data: Int32Array.of(0, 1, 2), shape: [3] } }));
    await refused(/\[10\][^]*\[1, 28, 28\]/, { data });
  });

  it('more classes than outputs', async () => {
    const x = { data: new Uint8Array(1568), shape: [2, 1, 28, 28] };
    const data = written('classes.npz', npzFile({ x, y: { data: Int32Array.of(0, 10), shape: [2] } }));
    await refused(/class 10 of example 1/, { data });
  });

  it('regression targets with softmax cross-entropy, and classes with squared error', async () => {
    const x = { data: new Uint8Array(1568), shape: [2, 1, 28, 28] };
    const data = written('targets.npz', npzFile({ x, y: { data: new Float32Array(20), shape: [2, 10] } }));
    await refused(/labels \[N, 10\] that are not one-hot/, { data });
    await refused(/with 1 targets an example/, { loss: 'squaredError' });
  });

  it('a validation set that the data do not have', async () => {
    await refused(/measure validation/, {}, '--measure', 'train,validation');
  });

  it('a model that is cut off, or none', async () => {
    const whole = readFileSync(file('fc.onnx'));
    await refused(/not a readable ONNX model/, { model: written('cut.onnx', whole.subarray(0, 1000)) });
    await refused(/nothing\.onnx/, { model: file('nothing.onnx') });
    await refused(/data\.npy/, { data: written('data.npy', npyFile(new Float32Array(4), [4])) });
  });

  it('half of what is needed', async () => {
    const { code, stderr } = await lca(['measure', '--model', file('fc.onnx')]);
    expect(stderr).toMatch(/--trajectory, --data, --out/);
    expect(code).toBe(2);
    const both = await lca(['measure', own, '--rule', 'left']);
    expect(both.stderr).toMatch(/together with rule/);
    expect(both.code).toBe(2);
  });
});

describe('lca inspect', () => {
  it('lists tensors, operators and what is trained', async () => {
    const { code, stdout } = await lca(['inspect', file('fc.onnx')]);
    expect(stdout).toMatch(/84060 trained[^]*fc1\.weight +float32 +\[100, 784\] +trained[^]*Gemm +3[^]*can be measured/);
    expect(code).toBe(0);
  });

  it('refuses what is no model', async () => {
    const { code, stderr } = await lca(['inspect', file('data.npz')]);
    expect(stderr).toMatch(/not a readable ONNX model/);
    expect(code).toBe(2);
  });
}); // prettier-ignore
