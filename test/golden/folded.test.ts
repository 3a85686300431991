import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openRun } from '../../src/store/open.js';
import { lca, temporaryFolder } from '../support/cli.js';

const out = temporaryFolder();
const cases = join(import.meta.dirname, 'reading');

/** A measured run's allocations [T][size] by parameter, and what was decided about its files. */
async function measured(name: string, model: string, engine: string) {
  const run = join(out, `${name}-${model}-${engine}`);
  const at = (file: string): string => join(cases, name, file);
  const files = ['--model', at(`${model}.onnx`), '--trajectory', at('checkpoints'), '--data', at('data.npz')];
  const { code, stderr } = await lca(['measure', ...files, '--engine', engine, '--tolerance', 'none', '--allow-imbalance', '--workers', '1', '--out', run, '--quiet']); // prettier-ignore
  expect(code, stderr).toBe(0);
  const { manifest } = await openRun(run);
  const rows: number[][] = [];
  for await (const row of (await openRun(run)).array('allocation/train').rows()) rows.push([...row]);
  const allocation = manifest.parameters.map(({ name: own, shape, offset, size }) => ({
    name: own,
    shape,
    rows: rows.map((row) => row.slice(offset, offset + size)),
  }));
  return { run, allocation, readings: manifest.readings };
}

describe('recurrent layers that PyTorch’s exporter folded', () => {
  const both = ['folded-lstm', 'folded-bidirectional', 'folded-gru'].flatMap((name) =>
    ['reference', 'native'].map((engine) => [name, engine] as const),
  );

  it.each(both)('%s has the allocations of the unfolded export, by the %s engine', async (name, engine) => {
    const [folded, unfolded] = [await measured(name, 'model', engine), await measured(name, 'unfolded', engine)]; // prettier-ignore
    // The same nodes compute the same of the same parameters: to the bit.
    expect(folded.allocation).toEqual(unfolded.allocation);
    expect(Math.max(...folded.allocation.flatMap(({ rows }) => rows.flat()).map(Math.abs))).toBeGreaterThan(
      1e-4,
    );
  });

  it('are verified from what the run keeps, and what was decided stands there', async () => {
    const { run, readings } = await measured('folded-two', 'model', 'reference');
    const { code, stderr } = await lca(['verify', run, '--sample', '2']);
    expect(code, stderr).toBe(0);
    const folded = readings.filter(({ about }) => about.includes('which the exporter folded'));
    expect(folded).toHaveLength(3);
    expect(folded[1]).toMatchObject({
      about: 'weights of /a/LSTM, which the exporter folded',
      decision: expect.stringContaining('are made of body.a.weight_ih_l0, body.a.weight_hh_l0') as string,
      evidence: 'in PyTorch’s order their numbers are those of row 1',
    });
  });

  it('say so where the file is of no row, and shapes and order alone tell them', async () => {
    const { readings } = await measured('folded-lstm-order', 'model', 'reference');
    const folded = readings.filter(({ about }) => about.includes('which the exporter folded'));
    expect(folded.map(({ evidence }) => evidence)).toEqual(
      Array<string>(3).fill('no other assignment of recorded layers fits the shapes and the order of the layers in the network'), // prettier-ignore
    );
  });
});
