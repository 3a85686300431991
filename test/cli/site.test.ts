import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { filesBelow, lca, lcaProcess, temporaryFolder } from '../support/cli.js';
import { completeRun, smallManifest } from '../support/run-folder.js';

it('lca export site writes the page with runs, their pyramids, and nothing that links lead to', async () => {
  const folder = temporaryFolder();
  const [run, out] = [join(folder, 'run'), join(folder, 'site')];
  await completeRun(run, smallManifest(20));
  symlinkSync('/etc/passwd', join(run, 'ledger.zarr/passwd'));
  // The page lies beside the built program.
  const { code, stderr } = await lcaProcess(['export', 'site', run, '--out', out]);
  expect(code, stderr).toBe(0);
  expect(JSON.parse(readFileSync(join(out, 'runs.json'), 'utf8'))).toEqual({
    runs: [{ name: 'run', path: 'runs/0' }],
  });
  expect(readFileSync(join(out, 'index.html'), 'utf8')).toContain('<script type="module"');
  const files = filesBelow(out).map((path) => path.slice(out.length + 1));
  expect(files).toContain('runs/0/journal');
  expect(files).toContain('runs/0/pyramid/train/sums/16');
  expect(files).toContain('runs/0/ledger.zarr/allocation/train/c/19/0');
  expect(files.some((path) => path.includes('passwd'))).toBe(false);
  expect(existsSync(join(run, 'pyramid'))).toBe(false);

  const again = await lcaProcess(['export', 'site', run, '--out', out]);
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('exists')]);
  const nowhere = await lca(['export', 'site', run]);
  expect([nowhere.code, nowhere.stderr]).toEqual([2, expect.stringContaining('--out <folder>')]);
});

it('lca view refuses a folder without a run, and one that is not there', async () => {
  const folder = temporaryFolder();
  const without = await lca(['view', folder]);
  expect([without.code, without.stderr]).toEqual([2, expect.stringContaining('holds no manifest.json')]);
  const nowhere = await lca(['view', join(folder, 'nowhere')]);
  expect([nowhere.code, nowhere.stderr]).toEqual([2, expect.stringContaining('is no folder')]);
});
