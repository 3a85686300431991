import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CliResult,
  ended,
  filesBelow,
  fingerprint,
  lcaProcess,
  startCli,
  temporaryFolder,
} from '../support/cli.js';
import { obstacleTo } from '../support/daemons.js';

const reason = obstacleTo(
  'Slurm',
  ['slurmctld', 'slurmd', 'munged', 'sbatch'],
  'slurmctld slurmd slurm-client munge',
);

const scripts = resolve(import.meta.dirname, '../support/slurm');
const folder = temporaryFolder();
const state = join(folder, 'slurm');
const env = { SLURM_CONF: join(state, 'slurm.conf') };
const [trained, whole] = ['trained', 'whole'].map((name) => join(folder, name)) as [string, string];
const definition = ['mnist-fc-sgd', '--subset', '12000', '--iterations', '60', '--quiet'];

async function done(result: Promise<CliResult>): Promise<CliResult> {
  const { code, stderr, stdout } = await result;
  expect(code, stderr + stdout).toBe(0);
  return { code, stderr, stdout, signal: null };
}

function slurm(command: string, ...args: string[]): string {
  return spawnSync(command, args, { env: { ...process.env, ...env }, encoding: 'utf8' }).stdout;
}

function startSlurm(): void {
  const { status, stderr } = spawnSync('bash', [join(scripts, 'start.sh'), state, '3'], { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
}

/** A copy of the trained run, in 8 tasks, submitted. */
async function submitted(name: string): Promise<{ run: string; followed: Promise<CliResult> }> {
  const run = join(folder, name);
  cpSync(trained, run, { recursive: true });
  await done(lcaProcess(['plan', run, '--tasks', '8']));
  return { run, followed: follow(run) };
}

function follow(run: string): Promise<CliResult> {
  return ended(startCli(['submit', run, '--slurm', '--follow', '--quiet', '--', '--cpus-per-task=1'], env));
}

function requireWhole(run: string): void {
  expect(fingerprint(join(run, 'ledger.zarr'))).toEqual(fingerprint(join(whole, 'ledger.zarr')));
  expect(readdirSync(join(run, 'parts'))).toEqual([]);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(20);
}

/** Whether somebody measures a task at this moment. */
function isUnderWay(run: string, task: number): boolean {
  const parts = join(run, 'parts', String(task));
  return existsSync(parts) && readdirSync(parts).some((name) => name.endsWith('.part'));
}

/** Kills a node: its daemon, the scripts of its jobs with all that they started, and what watches them. Returns how many processes of jobs there were. */
function killNode(name: string): number {
  process.kill(Number(readFileSync(join(state, `run/slurmd.${name}.pid`), 'utf8')), 'SIGKILL');
  let killed = 0;
  // Until none is left: one may just have been started.
  for (let jobs = processesOf(name); jobs.length > 0; jobs = processesOf(name)) {
    // Those that would report how the jobs ended go first.
    const steps = jobs.map(parentOf).filter((pid) => pid !== null && isStep(pid));
    for (const pid of [...new Set(steps), ...jobs]) {
      try {
        process.kill(pid!, 'SIGKILL');
      } catch {
        // It ended meanwhile.
      }
    }
    killed += jobs.length;
  }
  return killed;
}

/** A file of a process; empty where that has ended. */
function read(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return '';
  }
}

/** Processes of the jobs of a node. */
function processesOf(node: string): number[] {
  const wanted = [`SLURMD_NODENAME=${node}`, `SLURM_CONF=${env.SLURM_CONF}`];
  const all = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  return all.map(Number).filter((pid) => {
    const own = read(pid, 'environ').split('\0');
    return wanted.every((variable) => own.includes(variable));
  });
}

function parentOf(pid: number): number | null {
  const field = read(pid, 'stat').split(') ').at(-1)!.split(' ')[1];
  return field === undefined ? null : Number(field);
}

const isStep = (pid: number): boolean => read(pid, 'comm').startsWith('slurmstepd');

describe.skipIf(reason !== null)('on a Slurm of three nodes', () => {
  beforeAll(async () => {
    startSlurm();
    await done(lcaProcess(['train', ...definition, '--out', trained]));
    cpSync(trained, whole, { recursive: true });
    await done(lcaProcess(['measure', whole, '--quiet']));
  });
  afterAll(() => {
    spawnSync('bash', [join(scripts, 'stop.sh'), state]);
  });

  it('60 segments in 8 tasks give the bytes of one machine', async () => {
    const { run, followed } = await submitted('plain');
    const { stdout, stderr } = await done(followed);
    expect(stdout).toMatch(/job \d+: tasks 0-7\njob \d+: merging when they have ended/);
    expect(stderr).toMatch(/60 of 60 segments are in the run/);
    requireWhole(run);
  });

  it('they do after tasks are put into the queue again, and while others work on the same ones', async () => {
    const { run, followed } = await submitted('requeued');
    await until(() => isUnderWay(run, 1));
    const job = slurm('squeue', '--noheader', '--array', '--states=RUNNING', '--format=%A')
      .split('\n')[0]!
      .trim();
    slurm('scontrol', 'requeue', job);
    await done(lcaProcess(['work', run, '--task', '7', '--quiet', '--workers', '1']));
    const { stderr } = await done(followed);
    expect(stderr).toMatch(/60 of 60/);
    requireWhole(run);
  });

  it('they do after a node is killed', async () => {
    const { run, followed } = await submitted('killed');
    await until(() => isUnderWay(run, 0));
    expect(killNode('n1')).toBeGreaterThan(1);
    const { stderr } = await done(followed);
    expect(stderr).toMatch(/60 of 60/);
    requireWhole(run);
    startSlurm();
  });

  it('a part that was damaged is found, named and done again', async () => {
    const { run, followed } = await submitted('damaged');
    const part = join(run, 'parts/0/part');
    await until(() => existsSync(part));
    const chunk = filesBelow(join(part, 'ledger.zarr'))[0]!;
    const bytes = readFileSync(chunk);
    bytes[100]! ^= 1;
    writeFileSync(chunk, bytes);
    const first = await followed;
    expect(first.code, first.stderr).toBe(1);
    expect(first.stderr).toMatch(/Not merged: 0\./);
    const logs = filesBelow(join(run, 'logs')).map((path) => readFileSync(path, 'utf8'));
    expect(logs.join('\n')).toMatch(/BAD {2}task 0: .*checksum differs/);
    expect((await done(follow(run))).stdout).toMatch(/job \d+: tasks 0\n/);
    requireWhole(run);
  });
});
