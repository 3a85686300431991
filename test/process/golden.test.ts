import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeModel } from '../../src/onnx/protobuf/decode.js';
import { openRun } from '../../src/store/open.js';
import { lcaProcess, temporaryFolder } from '../support/cli.js';
import { exportedNumbers } from '../support/export.js';
import { golden, relativeDeviation } from '../support/golden.js';
import { npzFile } from '../support/npz.js';
import { pythonPackage, pythonWith } from '../support/python.js';

const folder = resolve(import.meta.dirname, '../../../shared/golden/any');
const python = existsSync(folder) ? pythonWith('torch', 'numpy') : null;
if (python === null) console.log(`skipped: no ${folder}, or no Python with torch`);
const out = temporaryFolder();

/** The numbers of a model that are not recorded, as an archive. */
function baseOf(name: string): string {
  const { initializer } = decodeModel(readFileSync(join(folder, name, 'model.onnx'))).graph!;
  const arrays = initializer.filter((tensor) => tensor.name.includes('.base.')).map(({ name: own, dims, rawData }) => {
    const data = new Float32Array(Uint8Array.from(rawData).buffer);
    return [own, { data, shape: dims.map(Number) }] as const;
  }); // prettier-ignore
  const path = join(out, `${name}-base.npz`);
  writeFileSync(path, npzFile(Object.fromEntries(arrays)));
  return path;
}

describe.skipIf(python === null)(
  'models as their own PyTorch code, in float64 by an objective process',
  () => {
    it.each(['lora', 'autoencoder', 'siamese', 'gpt_loss_in_graph', 'pinn_folded'])('%s', async (name) => {
      const { definition, tensors } = golden('mlp', join(folder, name));
      const run = join(out, name);
      const script = resolve(import.meta.dirname, 'golden.py');
      const base = name === 'lora' ? ` ${baseOf(name)}` : '';
      const command = `${python} ${script} ${name} ${join(folder, name)}${base}`;
      const { code, stderr } = await lcaProcess(
      ['measure', '--process', command, '--trajectory', join(folder, name, 'trajectory.npz'), '--tolerance', 'none', '--subintervals', '2', '--allow-imbalance', '--out', run],
      { PYTHONPATH: pythonPackage },
    ); // prettier-ignore
      expect(code, stderr).toBe(0);
      const losses = await exportedNumbers(run, 'loss', '--objective', 'train');
      expect(relativeDeviation(losses, tensors['loss']!)).toBeLessThan(1e-12);
      const { parameters } = (await openRun(run)).manifest;
      expect(parameters.map((tensor) => tensor.name)).toEqual(inOrder(parameters, definition.params));
      const allocation = inGoldenOrder(
        [...(await exportedNumbers(run, 'allocation'))],
        parameters,
        definition.params,
      );
      expect(relativeDeviation(allocation, tensors['lca_simpson2']!)).toBeLessThan(1e-9);
    });
  },
);

interface Named {
  readonly name: string;
}

/** The names of a run's parameters, all of which the case must have. */
function inOrder(parameters: readonly Named[], expected: readonly Named[]): string[] {
  const names = new Set(expected.map(({ name }) => name));
  const known = parameters.filter(({ name }) => names.has(name)).map(({ name }) => name);
  return known.length === names.size ? known : [];
}

/** Rows [T, K] of a run in the order of the case. */
function inGoldenOrder(
  rows: readonly number[],
  parameters: readonly (Named & { readonly offset: number; readonly size: number })[],
  expected: readonly Named[],
): number[] {
  const size = parameters.reduce((total, tensor) => total + tensor.size, 0);
  const tensors = expected.map(({ name }) => parameters.find((tensor) => tensor.name === name)!);
  return Array.from({ length: rows.length / size }, (_, t) =>
    tensors.flatMap(({ offset, size: own }) => rows.slice(t * size + offset, t * size + offset + own)),
  ).flat();
}
