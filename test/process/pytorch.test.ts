import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { ended, lca, lcaProcess, temporaryFolder } from '../support/cli.js';
import { exportedNumbers } from '../support/export.js';
import { relativeDeviation } from '../support/golden.js';
import { npyNumbers } from '../support/npz.js';
import { pythonPackage, pythonWith, scriptsOf } from '../support/python.js';

const python = pythonWith('torch', 'numpy');
if (python === null) console.log('skipped: no Python with torch and numpy');

const folder = temporaryFolder();
const env = { PYTHONPATH: pythonPackage };
const steps = 8;
/** The training script and the objective process of the documentation. */
const [training, objective] = scriptsOf('RECORDER.md') as [string, string];

/** Runs a script in another process, in a folder that it may write to. */
function runPython(code: string, cwd: string) {
  return ended(spawn(python!, ['-c', code], { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })); // prettier-ignore
}

const fixed = ['--allow-imbalance', '--quiet'];
const files = [
  '--model',
  join(folder, 'model.onnx'),
  '--data',
  join(folder, 'data.npz'),
  '--engine',
  'reference',
];

function measure(run: string, ...flags: string[]) {
  return lcaProcess(['measure', '--out', join(folder, run), ...fixed, ...flags], env);
}

describe.skipIf(python === null)('a PyTorch training, recorded', () => {
  beforeAll(async () => {
    expect(training.match(/# \+$/gm)!.length).toBeLessThanOrEqual(10);
    const { code, stderr } = await runPython(training, folder);
    expect(code, stderr).toBe(0);
    await writeFile(join(folder, 'objective.py'), objective);
  });

  it('is measured by its export, with what AdamW’s steps were made of', async () => {
    const { code, stderr } = await measure('exported', ...files, '--trajectory', join(folder, 'recording'), '--components'); // prettier-ignore
    expect(code, stderr).toBe(0);
    const run = join(folder, 'exported');
    const rows = await exportedNumbers(run, 'theta');
    expect([...rows]).toEqual([...npyNumbers(await readFile(join(folder, 'recording/theta.npy')))]);
    for (const component of ['gradient', 'momentum', 'weightDecay']) {
      const sums = await exportedNumbers(run, 'allocation', '--entity', 'layer', '--component', component);
      expect(Math.max(...sums.map(Math.abs))).toBeGreaterThan(0);
    }
  });

  it('gives the same ledger by its own code as an objective process, as many processes share the work', async () => {
    const command = `cd ${folder} && ${python} objective.py`;
    const flags = ['--process', command, '--trajectory', join(folder, 'recording'), '--processes', '2'];
    const { code, stderr } = await measure('served', ...flags);
    expect(code, stderr).toBe(0);
    const [served, exported] = [await exportedNumbers(join(folder, 'served'), 'allocation'), await exportedNumbers(join(folder, 'exported'), 'allocation')]; // prettier-ignore
    expect(relativeDeviation(served, exported)).toBeLessThan(1e-12);
  });

  it('is measured while it is recorded, with the numbers of one that is over', async () => {
    const place = join(folder, 'followed');
    await mkdir(place);
    const slowly = runPython(training.replace('optimizer.step()', 'optimizer.step(); __import__("time").sleep(0.2)'), place); // prettier-ignore
    const recording = join(place, 'recording');
    while (!existsSync(join(recording, 'iteration.npy'))) await setTimeout(20);
    const { code, stderr } = await measure('follows', ...files, '--trajectory', recording, '--follow', '--components'); // prettier-ignore
    expect(code, stderr).toBe(0);
    expect((await slowly).code).toBe(0);
    const [followed, exported] = [await exportedNumbers(join(folder, 'follows'), 'allocation'), await exportedNumbers(join(folder, 'exported'), 'allocation')]; // prettier-ignore
    expect([...followed]).toEqual([...exported]);
    const verified = await lca(['verify', join(folder, 'follows'), '--quiet']);
    expect(verified.code, verified.stdout).toBe(0);
  });

  it('that ended before its steps is said to have when it is followed; what there is stays measured', async () => {
    const cut = join(folder, 'cut');
    await mkdir(cut);
    for (const name of ['theta.npy', 'iteration.npy', 'update/gradient.npy', 'update/momentum.npy', 'update/weightDecay.npy']) {
      await mkdir(join(cut, 'update'), { recursive: true });
      await writeFile(join(cut, name), await readFile(join(folder, 'recording', name)));
    } // prettier-ignore
    const description = await readFile(join(folder, 'recording/recording.json'), 'utf8');
    await writeFile(join(cut, 'recording.json'), description.replace(`"steps": ${steps}`, '"steps": 20'));
    await writeFile(join(cut, 'closed.json'), '{}');
    const { code, stderr } = await measure('early', ...files, '--trajectory', cut, '--follow');
    expect(code).toBe(2);
    expect(stderr).toContain(`a recording that ended with ${steps + 1} rows`);
    // Torn behind its last row, as a kill leaves it.
    await appendFile(join(cut, 'theta.npy'), 'torn');
    const whole = await measure('torn', ...files, '--trajectory', cut);
    expect(whole.code, whole.stderr).toBe(0);
  });

  it('of another version of the recorder is refused', async () => {
    const description = await readFile(join(folder, 'recording/recording.json'), 'utf8');
    const other = join(folder, 'other');
    await mkdir(other);
    await writeFile(join(other, 'recording.json'), description.replace('"version": 1', '"version": 7'));
    const { code, stderr } = await measure('other-run', ...files, '--trajectory', other);
    expect(code).toBe(2);
    expect(stderr).toContain('recording.json');
  });
});
