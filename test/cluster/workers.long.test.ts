import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { ended, fingerprint, lcaProcess, startCli, temporaryFolder } from '../support/cli.js';

const folder = temporaryFolder();
const [trained, whole] = ['trained', 'whole'].map((name) => join(folder, name)) as [string, string];
const definition = [
  'mnist-fc-sgd', '--subset', '200', '--iterations', '12', '--batch-size', '50', '--chunk', '100', '--measure', 'train', '--quiet',
]; // prettier-ignore

/** Moments at which a worker is killed; `LOSSLEDGER_KILLS` says otherwise. */
const moments = Number(process.env.LOSSLEDGER_KILLS ?? 4);

beforeAll(async () => {
  expect((await lcaProcess(['train', ...definition, '--out', trained])).code).toBe(0);
  cpSync(trained, whole, { recursive: true });
  expect((await lcaProcess(['measure', whole, '--quiet'])).code).toBe(0);
  expect(await lcaProcess(['plan', trained, '--tasks', '3'])).toMatchObject({ code: 0, stdout: '0-2\n' });
});

/** A copy of the planned run. */
function planned(name: string): string {
  const run = join(folder, name);
  cpSync(trained, run, { recursive: true });
  return run;
}

async function merged(run: string): Promise<void> {
  expect(await lcaProcess(['merge', run, '--quiet'])).toMatchObject({ code: 0, stderr: '' });
  expect(fingerprint(join(run, 'ledger.zarr'))).toEqual(fingerprint(join(whole, 'ledger.zarr')));
}

function work(run: string, task: number) {
  return ended(startCli(['work', run, '--task', String(task), '--quiet', '--workers', '1']));
}

/** Segments that drafts of a task hold. */
function keptOf(run: string, task: number): number[] {
  const parts = join(run, 'parts', String(task));
  const drafts = existsSync(parts) ? readdirSync(parts) : [];
  const texts = drafts.map((draft) => join(parts, draft, 'journal')).filter((path) => existsSync(path)).map((path) => readFileSync(path, 'utf8')); // prettier-ignore
  return texts.map((text) => [...text.matchAll(/"segment":/g)].length);
}

describe('workers', () => {
  it('of schedulers take their task from the environment; two of one task agree on one part', async () => {
    const run = planned('tasks');
    const [first, second, third, fourth] = await Promise.all([
      ended(startCli(['work', run, '--quiet'], { SLURM_ARRAY_TASK_ID: '0' })),
      ended(startCli(['work', run, '--quiet'], { JOB_COMPLETION_INDEX: '1' })),
      work(run, 2),
      work(run, 2),
    ]);
    for (const { code, stderr } of [first, second, third, fourth]) expect(code, stderr).toBe(0);
    const words = [third, fourth].map(({ stderr }) => stderr.trim()).sort();
    expect(words).toEqual(['Task 2: published by another worker.', 'Task 2: published.']);
    expect(readdirSync(join(run, 'parts/2'))).toEqual(['part']);
    await merged(run);
  });

  it('of several tasks do one after the other, leave out what is done, and say what is left when they are told to go', async () => {
    const run = planned('several');
    expect((await work(run, 1)).code).toBe(0);
    const child = startCli(['work', run, '--task', '0-2', '--workers', '1']);
    const end = ended(child);
    while (keptOf(run, 0).every((kept) => kept === 0) && child.exitCode === null) await sleep(5);
    child.kill('SIGTERM');
    const first = await end;
    // It may have come to the end before.
    expect([0, 75], first.stderr).toContain(first.code);
    if (first.code === 75) expect(first.stderr).toMatch(/Go on with: lca work .* --task (0-2|1-2|2)\n/);
    const { code, stderr } = await lcaProcess(['work', run, '--task', '0,1-2', '--quiet', '--workers', '1']);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/Task 0: .*\nTask 1: published by another worker\.\nTask 2: published/);
    await merged(run);
  });

  it('that are told to go end after a segment with status 75 and keep what they have', async () => {
    const run = planned('preempted');
    const child = startCli(['work', run, '--task', '1', '--quiet', '--workers', '1']);
    const end = ended(child);
    while (keptOf(run, 1).every((kept) => kept === 0)) await sleep(5);
    child.kill('SIGTERM');
    const { code, stderr } = await end;
    // It may have come to its end before.
    if (code === 0) expect(stderr).toMatch(/published/);
    else {
      expect(code, stderr).toBe(75);
      expect(stderr).toMatch(/Go on with: lca work/);
      expect(keptOf(run, 1)[0]).toBeGreaterThan(0);
    }
    for (const task of [0, 1, 2]) expect((await work(run, task)).code).toBe(0);
    await merged(run);
  });

  it('that are killed at random moments leave what the next one goes on with', async () => {
    const run = planned('killed');
    for (let round = 0; round < moments; round++) {
      const child = startCli(['work', run, '--task', '1', '--quiet', '--workers', '1']);
      const end = ended(child);
      // A worker takes about as long to start as to measure.
      while (keptOf(run, 1).length === 0 && child.exitCode === null) await sleep(5);
      await sleep(400 * Math.random());
      child.kill('SIGKILL');
      await end;
      expect((await lcaProcess(['merge', run, '--quiet'])).stdout).not.toMatch(/BAD/);
    }
    for (const task of [0, 1, 2]) expect((await work(run, task)).code).toBe(0);
    await lcaProcess(['merge', run, '--quiet']);
    await merged(run);
    expect(readdirSync(join(run, 'parts'))).toEqual([]);
  });

  it('are told what they did wrong', async () => {
    const run = planned('wrong');
    expect(await lcaProcess(['work', run])).toMatchObject({ code: 2, stderr: expect.stringMatching(/no task[^]*--task/) as string });
    expect(await lcaProcess(['work', run, '--task', '3'])).toMatchObject({ code: 2, stderr: expect.stringMatching(/task 3 of[^]*from 0 to 2/) as string });
    expect(await lcaProcess(['work', run, '--task', '2-1'])).toMatchObject({ code: 2, stderr: expect.stringMatching(/such as 17 or 3,17-19/) as string });
    expect(await lcaProcess(['work', run, '--task', '0-3'])).toMatchObject({ code: 2, stderr: expect.stringMatching(/task 3 of/) as string });
    expect(await lcaProcess(['work', whole, '--task', '0'])).toMatchObject({ code: 2, stderr: expect.stringMatching(/has no plan[^]*lca plan/) as string });
    expect(await lcaProcess(['plan', run, '--tasks', '2', '--missing'])).toMatchObject({ code: 2 });
    expect(await lcaProcess(['merge', run, '--quiet'])).toMatchObject({ code: 1, stdout: expect.stringMatching(/missing: 0-2/) as string });
  }); // prettier-ignore
});

const ownMounts = spawnSync('unshare', ['-rm', 'true']).status === 0;

describe('a full disk', () => {
  it.skipIf(!ownMounts)('ends a worker with a message and status 1, and the next goes on', async () => {
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    const script = `mount -t tmpfs -o size=$(( $(du -sm "$1" | cut -f1) + 1 ))m none "$0" && cp -r "$1" "$0/run"
      work() { node=$1 main=$2 run=$3; for task in 0 1 2; do "$node" "$main" work "$run" --task $task --quiet --workers 1; echo "$4 $?"; done; }
      work "$2" "$3" "$0/run" status
      mount -o remount,size=512m "$0"
      work "$2" "$3" "$0/run" again
      cp -r "$0/run" "$0/../full"`;
    const main = resolve(import.meta.dirname, '../../dist/bin/lca.js');
    const child = spawn('unshare', ['-rm', 'bash', '-c', script, disk, trained, process.execPath, main]);
    const { stdout, stderr } = await ended(child);
    expect(stderr).toMatch(/ENOSPC[^]*free space on the disk/);
    expect(stdout).toMatch(/status 1/);
    expect(stdout).toMatch(/again 0\nagain 0\nagain 0/);
    await merged(join(folder, 'full'));
  });
});
