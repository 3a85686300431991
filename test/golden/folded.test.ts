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

/** Half a unit in the last place of what an engine stores, of the largest allocation, a few times over. */
const bounds: Readonly<Record<string, number>> = { reference: 2 ** -50, native: 2 ** -22 };

describe('recurrent layers that PyTorch’s exporter folded', () => {
  const both = ['folded-lstm', 'folded-bidirectional', 'folded-gru'].flatMap((name) =>
    Object.keys(bounds).map((engine) => [name, engine] as const),
  );

  it.each(both)('%s has the allocations of the unfolded export, by the %s engine', async (name, engine) => {
    const [folded, unfolded] = [await measured(name, 'model', engine), await measured(name, 'unfolded', engine)]; // prettier-ignore
    expect(folded.allocation.map(({ name: own, shape }) => [own, shape])).toEqual(
      unfolded.allocation.map(({ name: own, shape }) => [own, shape]),
    );
    const largest = Math.max(...unfolded.allocation.flatMap(({ rows }) => rows.flat()).map(Math.abs));
    folded.allocation.forEach(({ name: own, rows }, k) => {
      const others = unfolded.allocation[k]!.rows.flat();
      const worst = Math.max(...rows.flat().map((value, at) => Math.abs(value - others[at]!)));
      expect(worst / largest, own).toBeLessThanOrEqual(bounds[engine]!);
    });
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
