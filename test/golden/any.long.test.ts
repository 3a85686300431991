import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { engineNamed } from '../../src/engines/registry.js';
import { decodeModel } from '../../src/onnx/protobuf/decode.js';
import { openRun } from '../../src/store/open.js';
import { lcaProcess, temporaryFolder } from '../support/cli.js';
import { exportedNumbers } from '../support/export.js';
import { golden } from '../support/golden.js';

const folder = resolve(import.meta.dirname, '../../../shared/golden/any');
const isHere = existsSync(folder);
if (!isHere) console.log(`skipped: no ${folder}`);
const out = temporaryFolder();

/** Flags that a case needs beside its files, and the engines that know all of its operators. */
const cases = [
  { name: 'lora', flags: ['--rest', 'frozen'], engines: ['reference', 'onnxruntime', 'native'] },
  { name: 'autoencoder', flags: ['--loss', 'squaredError'], engines: ['reference', 'onnxruntime', 'native'] },
  {
    name: 'siamese',
    flags: ['--loss', 'sigmoidCrossEntropy'],
    engines: ['reference', 'onnxruntime', 'native'],
  },
  {
    name: 'gpt_loss_in_graph',
    flags: ['--loss', 'output'],
    engines: ['reference', 'onnxruntime', 'native'],
  },
  { name: 'pinn_folded', flags: ['--loss', 'squaredError'], engines: ['reference', 'onnxruntime', 'native'] },
] as const;

const bounds: Readonly<Record<string, number>> = { reference: 1e-8, onnxruntime: 1e-5, native: 1e-5 };

/** Rows of θ [T, K] in a run's order, put in the order of the case. */
async function inOrderOf(run: string, rows: ArrayLike<number>, names: readonly string[]): Promise<number[]> {
  const { parameters } = (await openRun(run)).manifest;
  const size = parameters.reduce((total, tensor) => total + tensor.size, 0);
  expect(parameters.map(({ name }) => name).sort()).toEqual([...names].sort());
  const tensors = names.map((name) => parameters.find((tensor) => tensor.name === name)!);
  const values = Array.from(rows);
  return Array.from({ length: values.length / size }, (_, t) =>
    tensors.flatMap(({ offset, size: own }) => values.slice(t * size + offset, t * size + offset + own)),
  ).flat();
}

describe.skipIf(!isHere)('models as people export them today, from the command line', () => {
  const each = cases.flatMap(({ engines, ...rest }) => engines.map((engine) => ({ ...rest, engine })));
  it.for(each)('$name on $engine', async ({ name, flags, engine }, { skip }) => {
    const availability = await (await engineNamed(engine)).available();
    if (!availability.ok) skip(availability.reason);
    const { definition, tensors } = golden('mlp', join(folder, name));
    const run = join(out, `${name}-${engine}`);
    const files = ['model', 'trajectory', 'data'].flatMap((kind) => [`--${kind}`, join(folder, name, `${kind}.${kind === 'model' ? 'onnx' : 'npz'}`)]); // prettier-ignore
    const fixed = ['--tolerance', 'none', '--subintervals', '2', '--allow-imbalance', '--quiet'];
    const { code, stderr } = await lcaProcess(['measure', ...files, ...flags, ...fixed, '--engine', engine, '--out', run]); // prettier-ignore
    expect(code, stderr).toBe(0);
    const losses = await exportedNumbers(run, 'loss', '--objective', 'train');
    expect(losses).toHaveLength(definition.steps + 1);
    losses.forEach((loss, t) => {
      expect(Math.abs(loss / tensors['loss']![t]! - 1)).toBeLessThan(bounds[engine]!);
    });
    const names = definition.params.map((parameter) => parameter.name);
    const allocation = await inOrderOf(run, await exportedNumbers(run, 'allocation'), names);
    const expected = tensors['lca_simpson2']!;
    const largest = Array.from(expected).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(allocation).toHaveLength(expected.length);
    const worst = allocation.reduce((most, value, k) => Math.max(most, Math.abs(value - expected[k]!)), 0);
    expect(worst / largest).toBeLessThan(bounds[engine]!);
  });

  it('refuses a copy of a weight that cannot be told from others, instead of holding it still', async () => {
    const bytes = readFileSync(join(folder, 'pinn_folded', 'model.onnx'));
    const model = join(out, 'untied.onnx');
    writeFileSync(model, withoutCopies(bytes));
    const files = ['trajectory', 'data'].flatMap((kind) => [`--${kind}`, join(folder, 'pinn_folded', `${kind}.npz`)]); // prettier-ignore
    const { code, stderr } = await lcaProcess(['measure', '--model', model, ...files, '--loss', 'squaredError', '--out', join(out, 'untied')]); // prettier-ignore
    expect(code, stderr).toBe(2);
    expect(stderr).toMatch(/onnx::/);
  });
});

/** The model with all numbers of its anonymous tensors changed a little, so that they are copies of nothing. */
function withoutCopies(bytes: Buffer): Uint8Array {
  const changed = Uint8Array.from(bytes);
  const { initializer } = decodeModel(changed).graph!;
  for (const { name, rawData } of initializer) {
    // Tensors are views of the bytes; the second byte of a float32 number holds middle bits of its fraction.
    if (name.startsWith('onnx::')) for (let at = 1; at < rawData.length; at += 4) rawData[at]! ^= 1;
  }
  return changed;
}
