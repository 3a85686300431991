import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openRun } from '../../src/store/open.js';
import { type CliResult, fingerprint, lca, lcaProcess, temporaryFolder } from '../support/cli.js';
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

/** The example, which does something more before it answers. */
function during(what: string): string {
  return example.replace('    error = ', `    import os, signal, time\n    ${what}\n    error = `);
}

/** Checksums of all that a run has measured. */
function ledgerOf(name: string): Record<string, string> {
  return fingerprint(join(folder, name, 'ledger.zarr'));
}

/** Writes a program, and the arguments that measure by it. */
function measuring(program: string, name: string, ...flags: string[]): string[] {
  const path = join(folder, `${name}.py`);
  writeFileSync(path, program);
  const command = `python3 ${path} ${join(folder, 'data.npz')}`;
  return ['measure', '--process', command, '--trajectory', join(folder, 'trajectory.npz'), '--out', join(folder, name), '--tolerance', 'none', '--allow-imbalance', ...flags]; // prettier-ignore
}

function measure(...given: Parameters<typeof measuring>): Promise<CliResult> {
  return lca(measuring(...given));
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

  it('gives the same bits with several processes, and segments that are recomputed by it are told from others', async () => {
    // The first of them is slow, so that the others overtake it.
    const uneven = during('time.sleep(0.05 * (os.environ["LOSSLEDGER_PROCESS"] == "0"))');
    const { code, stderr } = await measure(uneven, 'several', '--processes', '3');
    expect(code, stderr).toBe(0);
    expect(ledgerOf('several')).toEqual(ledgerOf('example'));
    const verified = await lca(['verify', join(folder, 'several'), '--sample', '2', '--processes', '2']);
    expect(verified.code, verified.stderr).toBe(0);
    expect(verified.stdout).toMatch(/2 segments recomputed by the objective process.*allocations 0.0e\+0/);
    writeFileSync(
      join(folder, 'several.py'),
      example.replace('data["y"].astype(float)', 'data["y"].astype(float) * 1.01'),
    );
    const changed = await lca(['verify', join(folder, 'several'), '--sample', '1', '--quiet']);
    expect(changed.code).toBe(1);
    expect(changed.stdout).toContain('differs from what the objective process says now');
  });

  it('of which each process states something else is refused', async () => {
    const own = example.replace(
      '"linear regression"',
      "f\"regression {__import__('os').environ['LOSSLEDGER_PROCESS']}\"",
    );
    const { code, stderr } = await measure(own, 'apart', '--processes', '2');
    expect(code).toBe(1);
    expect(stderr).toContain('not all state the same');
  });

  it('that answers one θ with two values is measured here, not by several machines, and the size of the difference said and kept', async () => {
    // The second answer alone, which is to the θ of the first: both parts of the whole move with it.
    const second = '    losses = losses + np.array([0.25, 0.125, 0.125]) * (request["id"] == 1)\n';
    const twofold = example.replace('    gradients = ', `${second}    gradients = `);
    const { code, stderr } = await measure(twofold, 'twofold');
    expect(code, stderr).toBe(0);
    const words = 'two evaluations of the first θ differ: losses by 0.250, gradients by 0.00 of the largest entry'; // prettier-ignore
    expect(stderr).toContain(`Warning: repeatability of the objective process: ${words}`);
    const { readings } = (await openRun(join(folder, 'twofold'))).manifest;
    expect(readings.find(({ warning }) => warning)?.decision).toBe(words);
    expect(ledgerOf('twofold')).toEqual(ledgerOf('example'));
    const planned = await lca(['plan', join(folder, 'twofold'), '--tasks', '2']);
    expect(planned).toMatchObject({ code: 2 });
    expect(planned.stderr).toContain(words);
  });

  it.each([
    ['crashes', 'if request["id"] >= 5: raise RuntimeError("out of luck")', /RuntimeError: out of luck/, ['1', '3']],
    ['is killed', 'request["id"] < 5 or os.kill(os.getpid(), signal.SIGKILL)', /ended \((signal SIGKILL|exit status 137)\)/, ['1', '1']],
    ['crashes among several', 'if request["id"] >= 2 and os.environ["LOSSLEDGER_PROCESS"] == "1": raise RuntimeError("out of luck")', /RuntimeError: out of luck/, ['2', '1']],
    ['hangs and ignores that it is to end', 'if request["id"] >= 5: signal.signal(signal.SIGTERM, signal.SIG_IGN); print("waiting for a lock", file=sys.stderr, flush=True); time.sleep(600)', /did not answer within 20 seconds; the end of its standard error:\nwaiting for a lock/, ['1', '1']],
  ] as const)('that %s in the middle ends the run in words; mended, it goes on to the same bytes', async (what, fault, message, [first, then]) => {
    const name = what.replaceAll(' ', '-');
    const flags = ['--process-timeout', what.startsWith('hangs') ? '20' : '600', '--processes', first];
    const { code, stderr } = await lcaProcess(measuring(during(fault), name, ...flags));
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr).toContain('`lca resume` goes on where a run stopped');
    writeFileSync(join(folder, `${name}.py`), example);
    const resumed = await lca(['resume', join(folder, name), '--processes', then, '--allow-imbalance', '--quiet']);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(ledgerOf(name)).toEqual(ledgerOf('example'));
  }); // prettier-ignore

  it('is measured by the workers of a plan to the same bytes; one whose program states something else is refused', async () => {
    const [run, program] = [join(folder, 'planned'), join(folder, 'planned.py')];
    expect(await measure(example, 'planned', '--segments', '0:9')).toMatchObject({ code: 2 });
    expect((await measure(example, 'planned', '--segments', '0:1')).code).toBe(0);
    expect((await lca(['plan', run, '--minutes', '5'])).stderr).toContain('plan with --tasks N');
    expect(await lca(['plan', run, '--tasks', '2'])).toMatchObject({ code: 0, stdout: '0-1\n' });
    writeFileSync(program, example.replace('linear regression', 'another regression'));
    const refused = await lca(['work', run, '--task', '1', '--quiet']);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('a statement of the objective process');
    writeFileSync(program, example);
    const { code, stderr } = await lca(['work', run, '--task', '0-1', '--quiet', '--processes', '2']);
    expect(code, stderr).toBe(0);
    expect(stderr).toBe('Task 0: published.\nTask 1: published.\n');
    expect((await lca(['merge', run, '--quiet'])).code).toBe(0);
    expect(ledgerOf('planned')).toEqual(ledgerOf('example'));
  });

  it.each([
    ['that hangs', during('time.sleep(60)'), /did not answer within 2 seconds/],
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
