import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { lca, temporaryFolder } from '../support/cli.js';
import { exportedNumbers } from '../support/export.js';
import { npzFile } from '../support/npz.js';

const hasNumpy = ((): boolean => {
  try {
    execFileSync('python3', ['-c', 'import numpy'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();
if (!hasNumpy) console.log('skipped: no python3 with numpy');

const folder = temporaryFolder();
const docs = readFileSync(resolve(import.meta.dirname, '../../docs/OBJECTIVES.md'), 'utf8');
const example = /```python\n([\s\S]*?)```/.exec(docs)![1]!;

/** Examples [8, 3] and targets [8], and θ of four steps: w [4, 3] and b [4, 1]. */
const x = Float32Array.from({ length: 24 }, (_, k) => Math.sin(k * 1.7));
const y = Float32Array.from({ length: 8 }, (_, n) => Math.cos(n * 2.3));
const w = Float32Array.from({ length: 12 }, (_, k) => Math.sin(k) / 4);
const b = Float32Array.of(0.5, 0.4, 0.25, 0.125);

function lossAt(t: number): number {
  const errors = Array.from(y, (target, n) => {
    const own = [0, 1, 2].map((i) => x[n * 3 + i]! * w[t * 3 + i]!);
    return own.reduce((sum, value) => sum + value, b[t]!) - target;
  });
  return errors.reduce((sum, error) => sum + error * error, 0) / 8;
}

function measure(program: string, name: string, ...flags: string[]) {
  const path = join(folder, `${name}.py`);
  writeFileSync(path, program);
  const command = `python3 ${path} ${join(folder, 'data.npz')}`;
  return lca(['measure', '--process', command, '--trajectory', join(folder, 'trajectory.npz'), '--out', join(folder, name), '--tolerance', 'none', '--allow-imbalance', ...flags]); // prettier-ignore
}

describe.skipIf(!hasNumpy)('an objective process', () => {
  beforeAll(() => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, 'data.npz'),
      npzFile({ x: { data: x, shape: [8, 3] }, y: { data: y, shape: [8] } }),
    );
    const trajectory = { w: { data: w, shape: [4, 3] }, b: { data: b, shape: [4, 1] } };
    writeFileSync(join(folder, 'trajectory.npz'), npzFile(trajectory));
  });

  it('in numpy, as the documentation has it, is measured by part, balances and is verified', async () => {
    const { code, stderr } = await measure(example, 'example');
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('agree to the bit');
    const run = join(folder, 'example');
    const losses = await exportedNumbers(run, 'loss', '--objective', 'train');
    losses.forEach((loss, t) => { expect(loss).toBeCloseTo(lossAt(t), 12); }); // prettier-ignore
    const allocation = await exportedNumbers(run, 'allocation', '--objective', 'train');
    for (let t = 0; t < 3; t++) {
      // The loss is a square, of which Simpson's rule misses nothing.
      const sum = [...allocation.slice(4 * t, 4 * t + 4)].reduce((total, value) => total + value, 0);
      expect(sum).toBeCloseTo(lossAt(t + 1) - lossAt(t), 12);
    }
    const parts = await exportedNumbers(run, 'part_loss', '--objective', 'train', '--part', 'below 0');
    expect(parts[0]).toBeGreaterThan(0);
    expect(parts[0]).toBeLessThan(losses[0]!);
    const verified = await lca(['verify', run, '--quiet']);
    expect(verified.code, verified.stderr).toBe(0);
  });

  it('that differs at one θ is measured, and the size of the difference said', async () => {
    const noisy = example.replace(
      '    losses = ',
      '    error = error + 1e-3 * np.random.rand()\n    losses = ',
    );
    const { code, stderr } = await measure(noisy, 'noisy');
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/Warning: repeatability.*differ: losses by \d/);
  });

  it('that crashes shows the end of its standard error; mended, the run goes on', async () => {
    const crashing = example.replace(
      '    error = ',
      '    if request["id"] == 5: raise RuntimeError("out of luck")\n    error = ',
    );
    const { code, stderr } = await measure(crashing, 'crashing');
    expect(code).toBe(1);
    expect(stderr).toContain('RuntimeError: out of luck');
    writeFileSync(join(folder, 'crashing.py'), example);
    const resumed = await lca(['resume', join(folder, 'crashing'), '--allow-imbalance']);
    expect(resumed.code, resumed.stderr).toBe(0);
    const losses = await exportedNumbers(join(folder, 'crashing'), 'loss', '--objective', 'train');
    expect(losses).toEqual(await exportedNumbers(join(folder, 'example'), 'loss', '--objective', 'train'));
  });

  it.each([
    [
      'that hangs',
      example.replace('    error = ', '    import time; time.sleep(60)\n    error = '),
      /did not answer within 2 seconds/,
    ],
    [
      'that prints to standard output',
      `print("hello, what a day", flush=True)\n${example}`,
      /no frame: "hello/,
    ],
    ['whose parts do not add up', example.replace('y < 0', 'y < -0.5'), /parts of train by sign.*add up to/],
    ['that states another version', example.replaceAll('LLP1', 'LLP9'), /no frame: "LLP9/],
    ['without parameters', example.replace('"parameters"', '"tensors"'), /statement that does not fit/],
  ])('%s is refused in words', async (name, program, message) => {
    const limit = name === 'that hangs' ? '2' : '60';
    const { code, stderr } = await measure(program, `refused ${name}`.replaceAll(' ', '-'), '--process-timeout', limit); // prettier-ignore
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });

  it('is not mixed with a model', async () => {
    const { code, stderr } = await measure(example, 'mixed', '--loss', 'squaredError');
    expect(code).toBe(2);
    expect(stderr).toContain('--process together with loss');
  });
});
