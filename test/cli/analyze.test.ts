import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createRunFolder } from '../../src/store/open.js';
import { fingerprint, lca, temporaryFolder } from '../support/cli.js';
import { completeRun, finish, smallManifest } from '../support/run-folder.js';

const folder = temporaryFolder();
const [first, second, empty] = ['first', 'second', 'empty'].map((name) => join(folder, name)) as [
  string,
  string,
  string,
];
const mine = smallManifest(8).objectives.toReversed();

beforeAll(async () => {
  for (const path of [first, empty]) {
    const content = smallManifest(8, { objectives: mine });
    const run = await createRunFolder(path, content);
    if (path === first) await finish(run, content);
    await run.close();
  }
  cpSync(first, second, { recursive: true });
});

describe('lca analyze', () => {
  it('prints tables of one run, and leaves the run as it is', async () => {
    const before = fingerprint(first);
    const { code, stdout, stderr } = await lca(['analyze', first]);
    expect({ code, stderr: stderr.split('\n')[0] }).toEqual({ code: 0, stderr: 'analyse first: 100 %' });
    for (const word of ['Noise', 'Tails', 'Oscillation', 'Layers', 'Synchrony', 'Classes', 'Use'])
      expect(stdout).toContain(`${word}: `);
    expect(fingerprint(first)).toEqual(before);
  });

  it('writes records and numbers of figures of the themes that were asked for', async () => {
    const out = join(folder, 'records');
    const { code, stdout } = await lca([
      'analyze',
      first,
      '--only',
      'noise,tails',
      '--json',
      '--quiet',
      '--out',
      out,
    ]);
    expect(code).toBe(0);
    const [{ analyses }] = (JSON.parse(stdout) as { runs: [{ analyses: { noise: unknown } }] }).runs;
    expect(Object.keys(analyses)).not.toContain('synchrony');
    expect(readdirSync(out).sort()).toEqual([
      'alternation.csv',
      'noise.json',
      'share-of-iterations.csv',
      'tails.csv',
      'tails.json',
    ]);
    expect(JSON.parse(readFileSync(join(out, 'noise.json'), 'utf8'))).toMatchObject({
      run: 'first',
      noise: analyses.noise,
    });
  });

  it('compares the layers of several runs', async () => {
    const out = join(folder, 'compared');
    const { code, stdout } = await lca([
      'analyze',
      first,
      second,
      '--only',
      'layers',
      '--quiet',
      '--out',
      out,
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Overview of 2 runs[^]*Layers: means over 2 runs[^]*fc2/);
    expect(readdirSync(out)).toEqual(
      expect.arrayContaining(['1-first', '2-second', 'layers-over-runs.csv', 'layers-over-runs.svg']),
    );
  });

  it('names settings by which runs are no repeats, and refuses losses that cannot be compared', async () => {
    const [faster, squared] = ['faster', 'squared'].map((name) => join(folder, name)) as [string, string];
    const content = smallManifest(8, { objectives: mine });
    await completeRun(faster, { ...content, config: { ...content.config, learningRate: 0.5 } });
    const definition = { ...content.definition, loss: 'squared error' };
    await completeRun(squared, { ...content, definition });
    const analysed = await lca(['analyze', first, faster, '--only', 'layers', '--quiet']);
    expect(analysed.code).toBe(0);
    expect(analysed.stdout.replace(/\s+/g, ' ')).toContain(
      'which they are not: they differ in learningRate.',
    );
    const refused = await lca(['analyze', first, squared, '--quiet']);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('losses of mine cannot be compared (loss softmax cross-entropy | squared error'); // prettier-ignore
    expect((await lca(['analyze', first, squared, '--only', 'tails', '--quiet'])).code).toBe(0);
  });

  it('refuses what is no theme, and what was not measured', async () => {
    const unknown = await lca(['analyze', first, '--only', 'moise']);
    expect(unknown).toMatchObject({ code: 2, stdout: '' });
    expect(unknown.stderr).toMatch(/some of noise, tails/);
    const unmeasured = await lca(['analyze', empty, '--quiet']);
    expect(unmeasured.code).toBe(2);
    expect(unmeasured.stderr).toMatch(/without measured segments/);
  });
});

describe('lca figures', () => {
  it('writes every figure, light and dark, as SVG and PNG', async () => {
    const out = join(folder, 'figures');
    expect((await lca(['figures', first, '--out', out, '--quiet'])).code).toBe(0);
    const names = readdirSync(out);
    for (const name of ['loss', 'tails', 'moments', 'neurons-over-time', 'toy']) {
      for (const ending of ['.svg', '.png', '-dark.svg', '-dark.png']) expect(names).toContain(name + ending);
    }
    for (const name of names) {
      const start = readFileSync(join(out, name)).subarray(0, 4).toString('latin1');
      expect(start, name).toBe(name.endsWith('.png') ? '\x89PNG' : '<svg');
    }
  });
});
