import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lca, temporaryFolder } from '../support/cli.js';
import { npzFile } from '../support/npz.js';

const folder = temporaryFolder();
const random = (seed: number) => () => (seed = (seed * 16807) % 2147483647) / 2147483647;

/** Images of 784 floats with classes 0 to 9. */
function examples(count: number, seed: number, suffix = '') {
  const next = random(seed);
  return {
    [`x${suffix}`]: { data: Float32Array.from({ length: count * 784 }, next), shape: [count, 1, 28, 28] },
    [`y${suffix}`]: { data: Int32Array.from({ length: count }, (_, k) => k % 10), shape: [count] },
  };
}

function save(name: string, arrays: Parameters<typeof npzFile>[0]): string {
  const path = join(folder, name);
  writeFileSync(path, npzFile(arrays));
  return path;
}

const data = save('data.npz', { ...examples(60, 7), ...examples(20, 8, '_test') });
const same = save('same.npz', examples(20, 8));
const settings = ['--model', 'fc', '--iterations', '2', '--batch-size', '20', '--quiet', '--allow-imbalance', '--workers', '1']; // prettier-ignore

/** Numbers of an exported quantity, row by row, without the row's number. */
async function exported(run: string, ...args: string[]): Promise<number[][]> {
  const { stdout, stderr, code } = await lca(['export', run, ...args]);
  expect(stderr + String(code)).toMatch(/0$/);
  return stdout
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',').slice(1).map(Number));
}

describe('objectives of the user’s own', () => {
  it('are read as the data are: the same examples in a file of their own have the same numbers', async () => {
    const run = join(folder, 'run');
    const measured = await lca(['run', '--data', data, '--measure', `train,test,mine=${same}`, '--out', run, ...settings]); // prettier-ignore
    expect(measured.stderr + String(measured.code)).toMatch(/0$/);
    for (const what of ['loss', 'layer_sums', 'allocation']) {
      const own = await exported(run, '--what', what, '--objective', 'mine');
      expect(own).toEqual(await exported(run, '--what', what, '--objective', 'test'));
    }
    const manifest = JSON.parse(readFileSync(join(run, 'manifest.json'), 'utf8')) as {
      readings: { about: string; decision: string }[];
      definition: { files: { name: string }[]; counts: Record<string, number> };
    };
    const reading = manifest.readings.find(({ about }) => about === 'objective mine');
    expect(reading?.decision).toBe('the 20 training examples of same.npz, scaled as those of data.npz');
    expect(manifest.definition.files.map(({ name }) => name)).toEqual(['data.npz', 'mine=same.npz']);
    expect(manifest.definition.counts['mine']).toBe(20);
  });

  it('are found again where they were moved, and not taken for another file', async () => {
    const run = join(folder, 'moved');
    const away = save('away.npz', examples(20, 9));
    const trained = await lca(['train', '--data', data, '--measure', `train,mine=${away}`, '--out', run, ...settings]); // prettier-ignore
    expect(trained.stderr + String(trained.code)).toMatch(/0$/);
    renameSync(away, join(folder, 'kept.npz'));
    expect((await lca(['resume', run, '--quiet'])).stderr).toMatch(/away\.npz/);
    const other = await lca(['resume', run, '--measure', `mine=${same}`]);
    expect(other.stderr + String(other.code)).toMatch(/mine=away\.npz.*2$/s);
    const stray = await lca(['resume', run, '--measure', `yours=${same}`]);
    expect(stray.stderr).toMatch(/NAME=PLACE with a name among mine/);
    renameSync(join(folder, 'kept.npz'), away);
    const resumed = await lca(['resume', run, '--measure', `mine=${away}`, '--quiet', '--allow-imbalance']);
    expect(resumed.stderr + String(resumed.code)).toMatch(/0$/);
  });

  it('are refused where their numbers would mean something else', async () => {
    const bytes = save('bytes.npz', {
      x: { data: new Uint8Array(784).fill(255), shape: [1, 1, 28, 28] },
      y: { data: Int32Array.of(1), shape: [1] },
    });
    const refused = await lca(['run', '--data', data, '--measure', `train,mine=${bytes}`, '--out', join(folder, 'no'), ...settings]); // prettier-ignore
    expect(refused.stderr + String(refused.code)).toMatch(/bytes as inputs.*floats, as data\.npz has.*2$/s);
    const taken = await lca(['run', '--data', data, '--measure', `train,test=${same}`, '--out', join(folder, 'no'), ...settings]); // prettier-ignore
    expect(taken.stderr).toMatch(/another name than train, test/);
  });
});

describe('overfitting', () => {
  it('is the training allocation less the held-out one, by layer, neuron and parameter', async () => {
    const run = join(folder, 'run');
    const columns = { layer: 'layer_sums', neuron: 'neuron_sums', parameter: 'allocation' };
    for (const [entity, column] of Object.entries(columns)) {
      const train = await exported(run, '--what', column, '--objective', 'train');
      const test = await exported(run, '--what', column, '--objective', 'test');
      const difference = await exported(
        run,
        '--what',
        'overfitting',
        '--objective',
        'test',
        '--entity',
        entity,
      );
      expect(difference).toEqual(train.map((row, t) => row.map((value, k) => value - test[t]![k]!)));
      expect(difference.flat().some((value) => value !== 0)).toBe(true);
    }
  });

  it('needs an objective that is held out', async () => {
    const { stderr, code } = await lca(['export', join(folder, 'run'), '--what', 'overfitting', '--objective', 'train']); // prettier-ignore
    expect(stderr + String(code)).toMatch(/an objective that is held out.*2$/s);
  });
});
