import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ended, fingerprint, lcaProcess, startCli } from '../support/cli.js';
import type { Random } from '../support/samples.js';
import type { Outcome } from './outcome.js';

const small = [
  '--subset', '500', '--iterations', '30', '--batch-size', '50', '--chunk', '250', '--engine', 'onnxruntime', '--quiet', '--workers', '1',
]; // prettier-ignore
/** A process is killed at most so many milliseconds after its start. */
const longest = 4000;

const make = (run: string) => ['run', 'mnist-fc-sgd', ...small, '--out', run];
/** What goes on with the run, whatever state it is in. */
const next = (run: string) => (existsSync(run) ? ['resume', run, '--quiet', '--workers', '1'] : make(run));

/** Commands that write, each of which is begun and killed, over what the one before has left. */
const commands: readonly ((folder: string, run: string) => string[])[] = [
  (_, run) => next(run),
  (_, run) => next(run),
  (folder, run) => ['figures', run, '--quiet', '--out', join(folder, 'figures')],
  (_, run) => ['report', run, '--quiet'],
  (folder, run) => ['export', run, '--what', 'theta', '--out', join(folder, 'theta.csv')],
];

/** Kills commands that write at random moments; then each is run to its end, and all must be as if nobody had been killed. */
export async function kills(count: number, random: Random, folder: string): Promise<Outcome> {
  const whole = join(folder, 'whole');
  await lcaProcess(make(whole));
  const expected = await results(folder, whole);
  const failures: string[] = [];
  const run = join(folder, 'run');
  let killed = 0;
  for (let tried = 0; killed < count; tried++) {
    const child = startCli(commands[tried % commands.length]!(folder, run));
    const end = ended(child);
    await Promise.race([end, sleep(longest * random())]);
    if (child.exitCode === null) killed++;
    child.kill('SIGKILL');
    await end;
    if (tried % 12 !== 11 && killed < count) continue;
    if (JSON.stringify(await results(folder, run)) !== JSON.stringify(expected))
      failures.push(`after ${killed} kills the result differs`);
    rmSync(run, { recursive: true });
  }
  const left = readdirSync(folder).filter((name) => /\.(new|tmp|partial)$/.test(name));
  if (left.length > 0) failures.push(`left over: ${left.join(', ')}`);
  return {
    what: 'processes killed in run, resume, report, export; the same bytes after',
    tried: killed,
    failures,
  };
}

/** Checksums of a run that is brought to its end, and of an export of it. */
async function results(folder: string, run: string): Promise<Record<string, string>> {
  for (const command of [next(run), ...commands.slice(2).map((of) => of(folder, run))]) {
    const { code, stderr } = await lcaProcess(command);
    if (code !== 0) return { [command.join(' ')]: stderr };
  }
  const { journal, ...files } = fingerprint(run);
  void journal;
  return { ...files, ...fingerprint(join(folder, 'figures')), ...exported(folder) };
}

function exported(folder: string): Record<string, string> {
  const { 'theta.csv': theta } = fingerprint(folder);
  return { theta: theta! };
}

/** Four processes at once go on with one run: one does, three are refused, and the run is sound. */
export async function writers(count: number, _: Random, folder: string): Promise<Outcome> {
  const failures: string[] = [];
  for (let round = 0; round < count; round++) {
    const run = join(folder, `shared${round}`);
    await lcaProcess(['train', 'mnist-fc-sgd', ...small, '--out', run]);
    const all = await Promise.all(
      [1, 2, 3, 4].map(() => lcaProcess(['resume', run, '--quiet', '--workers', '1'])),
    );
    const won = all.filter(({ code }) => code === 0).length;
    const told = all.filter(({ stderr }) => /is being written by process/.test(stderr)).length;
    const { stdout } = await lcaProcess(['verify', run, '--quiet']);
    // One that starts after the winner has ended finds nothing to do, and wins too.
    if (won < 1 || won + told !== 4 || !/The run is sound/.test(stdout))
      failures.push(`${won} won, ${told} refused: ${stdout}`);
  }
  return { what: 'four processes at once on one run', tried: count, failures };
}
