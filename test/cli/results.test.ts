import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fingerprint, lca, lcaProcess, temporaryFolder } from '../support/cli.js';

describe('lca export', () => {
  it('says how much of an unfinished run is there', async () => {
    const run = join(temporaryFolder(), 'trained');
    const size = ['--iterations', '2', '--subset', '500', '--quiet'];
    expect(
      (await lca(['train', 'mnist-fc-sgd', ...size, '--engine', 'onnxruntime', '--out', run])).code,
    ).toBe(0);
    const unfinished = await lca(['export', run, '--what', 'loss']);
    expect(unfinished).toMatchObject({ code: 0, stdout: 'row,loss/train\n' });
    expect(unfinished.stderr).toMatch(/0 of 3 rows/);

    // Any segments may be measured first, and are there for export and verify.
    const one = await lca(['measure', run, '--segments', '1:2', '--quiet']);
    expect(one).toMatchObject({ code: 0, stdout: '' });
    expect(one.stderr).toMatch(/1 of 2 segments are measured/);
    const second = await lca(['export', run, '--what', 'total', '--segments', '1:2']);
    expect(second.stdout).toMatch(/^segment,total\/train\n1,-?\d.*\n$/);
    expect((await lca(['export', run, '--what', 'total'])).stderr).toMatch(
      /0 of 2 rows are there without a gap; --segments has those of 1 segment/,
    );
    expect((await lca(['report', run, '--quiet'])).stdout).toMatch(
      /The first segment has not been measured yet\s+1 of 2 segments/,
    );
    // A count over the run has its one row at once, which is not of the whole run.
    const counts = ['export', run, '--what', 'sign_changes', '--entity', 'parameter', '--format', 'json'];
    expect((await lca(counts)).stderr).toMatch(
      /unfinished: the count is of the segments before.*at most 1 of 2/,
    );
    const checked = await lca(['verify', run, '--segments', '1:2', '--quiet']);
    expect(checked.stdout + String(checked.code)).toMatch(/1 segment recomputed.*\nThe run is sound\.\n0$/s);
    expect((await lca(['measure', run, '--segments', '1:3', '--quiet'])).stderr).toMatch(
      /from 0 to before 2/,
    );

    expect((await lca(['resume', run, '--quiet'])).code).toBe(0);
    expect((await lca(['export', run, '--what', 'total'])).stdout).toContain(second.stdout.split('\n')[1]);
    const finished = await lca(['export', run, '--what', 'loss']);
    expect(finished.stdout.split('\n')).toHaveLength(5);
    expect(finished.stderr).not.toMatch(/unfinished/);
    expect((await lca(counts)).stderr).not.toMatch(/unfinished/);

    // Two at once to one name do not mix: the file is wholly the one or the other.
    const target = join(dirname(run), 'both.csv');
    const both = ['layer_sums', 'loss'];
    const texts = await Promise.all(
      both.map(async (what) => (await lca(['export', run, '--what', what])).stdout),
    );
    for (let round = 0; round < 2; round++) {
      const results = await Promise.all(
        both.map((what) => lcaProcess(['export', run, '--what', what, '--out', target])),
      );
      expect(results.map(({ code }) => code)).toEqual([0, 0]);
      expect(texts).toContain(readFileSync(target, 'utf8'));
    }
    expect(readdirSync(dirname(run)).sort()).toEqual(['both.csv', 'trained']);
  });
});

describe('lca figures', () => {
  it('writes every figure as SVG and PNG, light and dark', async () => {
    const folder = temporaryFolder();
    const [run, figures] = [join(folder, 'run'), join(folder, 'figures')];
    const size = ['--iterations', '2', '--subset', '500', '--quiet', '--engine', 'onnxruntime'];
    expect((await lca(['run', 'mnist-fc-sgd', ...size, '--out', run])).code).toBe(0);
    expect((await lca(['figures', run, '--out', figures, '--quiet'])).code).toBe(0);
    const names = readdirSync(figures).sort();
    expect(names).toEqual(
      expect.arrayContaining(['loss.png', 'loss.svg', 'layer-totals.png', 'layer-totals-dark.svg']),
    );
    for (const name of names) {
      const start = readFileSync(join(figures, name)).subarray(0, 4).toString('latin1');
      expect(start, name).toBe(name.endsWith('.png') ? '\x89PNG' : '<svg');
    }
  });
});

describe('a result', () => {
  const folder = temporaryFolder();
  const run = join(folder, 'run');
  const size = ['--iterations', '2', '--subset', '200', '--batch-size', '50', '--chunk', '100', '--quiet', '--engine', 'onnxruntime']; // prettier-ignore

  it('is never written over, or among, what a run holds', async () => {
    expect((await lca(['run', 'mnist-fc-sgd', ...size, '--out', run])).code).toBe(0);
    const before = fingerprint(run);
    for (const [command, path] of [
      [['export', run, '--what', 'total'], 'manifest.json'],
      [['export', run, '--what', 'total'], 'ledger.zarr/total/train/c/0'],
      [['report', run, '--quiet'], 'journal'],
      [['animate', run, '--quiet'], 'ledger.zarr/frames'],
      [['animate', run, '--quiet'], 'pending/run.gif'],
      [['figures', run, '--quiet'], 'ledger.zarr/figures'],
      [['compare', run, run], 'plan'],
      [['fork', run, '--at', '1', '--freeze', 'fc3.*'], 'ledger.zarr/fork'],
      [['analyze', run, '--quiet', '--only', 'layers'], 'ledger.zarr'],
    ] as const) {
      const { code, stderr } = await lca([...command, '--out', join(run, path)]);
      expect(stderr, path).toMatch(/belongs to the run [^]*choose another path/);
      expect(code).toBe(2);
    }
    expect(fingerprint(run)).toEqual(before);
    // Beside what it holds, there is room.
    expect((await lca(['export', run, '--what', 'total', '--out', join(run, 'total.csv')])).code).toBe(0);
  });

  it('of an animation that replaces another one says so', async () => {
    const animated = () =>
      lca(['animate', run, '--size', '640x480', '--out', join(run, 'run.gif'), '--quiet']);
    expect((await animated()).stderr).toMatch(/written to \S+run\.gif\n$/);
    expect((await animated()).stderr).toMatch(/run\.gif, in place of the file that was there\n$/);
  });

  it('of a fork asks for a run that is measured, before the fork is made', async () => {
    const trained = join(folder, 'trained');
    expect((await lca(['train', 'mnist-fc-sgd', ...size, '--out', trained])).code).toBe(0);
    const { code, stderr } = await lca(['fork', trained, '--at', '1', '--freeze', 'fc3.*', '--out', join(folder, 'fork'), '--quiet']); // prettier-ignore
    expect(stderr).toMatch(
      /--at 1 of \S+, of which 0 of \d+ segments are measured without a gap[^]*lca resume/,
    );
    expect(code).toBe(2);
    expect(readdirSync(folder).sort()).toEqual(['run', 'trained']);
  });
});
