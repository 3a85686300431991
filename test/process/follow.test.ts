import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, copyFile, mkdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { openRun } from '../../src/store/open.js';
import {
  type CliResult,
  ended,
  fingerprint,
  lca,
  lcaProcess,
  startCli,
  temporaryFolder,
} from '../support/cli.js';
import { pythonPackage, pythonWith, scriptsOf } from '../support/python.js';

const python = pythonWith('torch', 'numpy');
if (python === null) console.log('skipped: no Python with torch and numpy');

const folder = temporaryFolder();
const env = { PYTHONPATH: pythonPackage };
const [training, objective] = scriptsOf('RECORDER.md') as [string, string];
const steps = 8;
const headerBytes = 128;
/** Files of a recording in the order in which the recorder writes a row. */
const arrays = ['update/gradient.npy', 'update/momentum.npy', 'update/weightDecay.npy', 'theta.npy', 'iteration.npy']; // prettier-ignore

/** Runs a script in another process, in a folder that it may write to. */
function runPython(code: string, cwd: string): Promise<CliResult> {
  return ended(spawn(python!, ['-c', code], { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })); // prettier-ignore
}

/** Bytes that the file of an array has with so many rows of θ. */
function lengthOf(name: string, whole: Buffer, rows: number): number {
  const less = name.startsWith('update') ? 1 : 0;
  return headerBytes + ((whole.length - headerBytes) / (steps + 1 - less)) * (rows - less);
}

/** Brings a recording to what it was with so many rows: as the recorder wrote them, after `change` of a row's bytes. */
async function bringTo(
  place: string,
  rows: number,
  change = (bytes: Buffer): Buffer => bytes,
): Promise<void> {
  await mkdir(join(place, 'update'), { recursive: true });
  if (!existsSync(join(place, 'recording.json'))) await copyFile(join(folder, 'recording/recording.json'), join(place, 'recording.json')); // prettier-ignore
  for (const name of arrays) {
    const whole = await readFile(join(folder, 'recording', name));
    const [path, end] = [join(place, name), lengthOf(name, whole, rows)];
    const size = await stat(path).then((file) => file.size, () => 0); // prettier-ignore
    if (size > end) await truncate(path, end);
    else await appendFile(path, name === 'theta.npy' ? change(whole.subarray(size, end)) : whole.subarray(size, end)); // prettier-ignore
  }
}

/** The half of a row that a kill, or a full disk, left behind the last whole one. */
async function tear(place: string): Promise<void> {
  const whole = await readFile(join(folder, 'recording/theta.npy'));
  const at = (await stat(join(place, 'theta.npy'))).size;
  const row = lengthOf('theta.npy', whole, 2) - lengthOf('theta.npy', whole, 1);
  await appendFile(join(place, 'theta.npy'), whole.subarray(at, at + Math.floor(row / 2)));
}

const model = ['--model', join(folder, 'model.onnx'), '--data', join(folder, 'data.npz'), '--engine', 'reference']; // prettier-ignore

function argumentsOf(run: string, recording: string, ...flags: string[]): string[] {
  return ['measure', '--out', join(folder, run), '--trajectory', recording, '--allow-imbalance', '--quiet', ...flags]; // prettier-ignore
}

/** Waits until so many segments of a run are stored, or the command has ended. */
async function measured(run: string, segments: number, child: Promise<CliResult>): Promise<void> {
  const over = child.then((result) => { throw new Error(`ended too early: ${JSON.stringify(result)}`); }); // prettier-ignore
  const enough = async (): Promise<void> => {
    const found = () => openRun(join(folder, run)).then(({ status }) => status.segments, () => 0); // prettier-ignore
    while ((await found()) < segments) await setTimeout(50);
  };
  await Promise.race([over, enough()]);
}

/** Checksums of all that a run has measured. */
function ledgerOf(run: string): Record<string, string> {
  return fingerprint(join(folder, run, 'ledger.zarr'));
}

describe.skipIf(python === null)('a recording that is followed', () => {
  beforeAll(async () => {
    const { code, stderr } = await runPython(training, folder);
    expect(code, stderr).toBe(0);
    const whole = await lca(argumentsOf('whole', join(folder, 'recording'), ...model, '--components'));
    expect(whole.code, whole.stderr).toBe(0);
  });

  it('is gone on with after a kill and after Ctrl-C, beside rows that are half there, to the same bytes', async () => {
    const place = join(folder, 'stages');
    await bringTo(place, 4);
    await tear(place);
    const first = startCli(argumentsOf('staged', place, ...model, '--components', '--follow'));
    const killed = ended(first);
    await measured('staged', 1, killed);
    first.kill('SIGKILL');
    expect((await killed).signal).toBe('SIGKILL');
    await bringTo(place, 6);
    const second = startCli(['resume', join(folder, 'staged'), '--allow-imbalance', '--quiet']);
    const stopped = ended(second);
    await measured('staged', 4, stopped);
    second.kill('SIGINT');
    const { code, stderr } = await stopped;
    expect(code, stderr).toBe(130);
    expect(stderr).toContain('Go on with: lca resume');
    await bringTo(place, steps + 1);
    const last = await lca(['resume', join(folder, 'staged'), '--allow-imbalance', '--quiet']);
    expect(last.code, last.stderr).toBe(0);
    expect(ledgerOf('staged')).toEqual(ledgerOf('whole'));
  });

  it('goes on where its training was killed and went on from a checkpoint', async () => {
    const place = join(folder, 'killed');
    await mkdir(place);
    const script = withCheckpoints(training);
    const killed = runPython(script, place);
    const recording = join(place, 'recording');
    while (!existsSync(join(recording, 'iteration.npy'))) await setTimeout(20);
    const follower = lca(argumentsOf('overtaken', recording, ...model, '--components', '--follow'));
    expect((await killed).signal).toBe('SIGKILL');
    expect(existsSync(join(recording, 'closed.json'))).toBe(false);
    const again = await runPython(script, place);
    expect(again.code, again.stderr).toBe(0);
    const { code, stderr } = await follower;
    expect(code, stderr).toBe(0);
    expect(ledgerOf('overtaken')).toEqual(ledgerOf('whole'));
  });

  it('whose training went another way from an earlier checkpoint is refused', async () => {
    const place = join(folder, 'turned');
    await bringTo(place, 6);
    const follower = lca(argumentsOf('turned-run', place, ...model, '--follow'));
    const rows = async () => (await openRun(join(folder, 'turned-run'))).status.rows;
    while (!existsSync(join(folder, 'turned-run')) || (await rows()) < 6) await setTimeout(50);
    await bringTo(place, 3);
    // The lowest byte of each number is another one.
    await bringTo(place, 7, (bytes) => Buffer.from(bytes.map((byte, k) => (k % 4 === 0 ? byte ^ 1 : byte))));
    const { code, stderr } = await follower;
    expect(code, stderr).toBe(2);
    expect(stderr).toContain('row 5 of');
    expect(stderr).toContain('went another way');
  });

  it('by an objective process that crashes is not waited for; mended, it goes on', async () => {
    const place = join(folder, 'crashed');
    await bringTo(place, 4);
    const script = join(folder, 'objective.py');
    const lucky = 'calls = []\ndef lucky():\n    calls.append(1)\n    if len(calls) > 6: raise RuntimeError("out of luck")\n    return 1\n'; // prettier-ignore
    await writeFile(script, lucky + objective.replace(': cross_entropy', ': lucky() * cross_entropy'));
    const command = `cd ${folder} && ${python} objective.py`;
    const { code, stderr } = await lcaProcess(
      argumentsOf('crashed-run', place, '--follow', '--process', command),
      env,
    );
    expect(code, stderr).toBe(1);
    expect(stderr).toContain('out of luck');
    await writeFile(script, objective);
    await bringTo(place, steps + 1);
    const resumed = await lcaProcess(
      ['resume', join(folder, 'crashed-run'), '--allow-imbalance', '--quiet'],
      env,
    );
    expect(resumed.code, resumed.stderr).toBe(0);
    expect((await openRun(join(folder, 'crashed-run'))).status.segments).toBe(steps);
  });
});

/** The training of the documentation, which saves a checkpoint every other step, and goes on from it; the first time it is killed in its sixth step. */
function withCheckpoints(script: string): string {
  const begin = [
    'import os, signal, time',
    'first = 0',
    'if os.path.exists("checkpoint.pt"):',
    '    state = torch.load("checkpoint.pt")',
    '    model.load_state_dict(state["model"]); optimizer.load_state_dict(state["optimizer"])',
    '    torch.set_rng_state(state["random"]); first = state["step"]',
    `for step in range(first, ${steps}):`,
    '    time.sleep(0.1)',
    '    if step == 5 and first == 0: os.kill(os.getpid(), signal.SIGKILL)',
  ];
  const save =
    '    if step % 2 == 1: torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "random": torch.get_rng_state(), "step": step + 1}, "checkpoint.pt")';
  const changed = script
    .replace(`for step in range(${steps}):`, begin.join('\n'))
    .replace('    optimizer.step()\n', `    optimizer.step()\n${save}\n`);
  expect(changed.split('\n').length).toBe(script.split('\n').length + begin.length);
  return changed;
}
