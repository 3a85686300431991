import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { EngineError, UsageError } from '../../src/errors.js';
import { openRun } from '../../src/store/open.js';
import type { Step } from './plan.js';

const program = resolve(import.meta.dirname, '../../dist/bin/lca.js');

/** Runs a command to its end; what it says goes to standard error as it is. Rejects where it fails. */
export function lca(args: readonly string[], quiet = false): Promise<string> {
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['ignore', 'pipe', quiet ? 'ignore' : 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (data) => (text += String(data)));
  return new Promise((done, fail) =>
    child.on('close', (code) => {
      if (code === 0) done(text);
      else fail(commandFailed(args, code));
    }),
  );
}

/** What the command itself says stands above. */
function commandFailed(args: readonly string[], code: number | null): EngineError {
  const given = `lca ${args.join(' ')}, which ended with status ${String(code)}`;
  return new EngineError({ given, expected: 'a command that comes to its end', remedy: 'see above, and run this again: it goes on' });
} // prettier-ignore

/** Where it is kept what a step was begun with. */
const begunWith = (name: string, place: string): string => join(place, `${name}.step.json`);

/** Throws UsageError where what stands in a step's folder was begun with other arguments than the plan has now. */
function requirePlanned({ name, args }: Step, place: string): void {
  if (!existsSync(join(place, name))) return;
  const path = begunWith(name, place);
  const given = existsSync(path) ? readFileSync(path, 'utf8') : 'nothing that says how it was begun';
  if (given === JSON.stringify(args)) return;
  throw new UsageError({
    given: `${join(place, name)}, begun with ${given}`,
    expected: `what was begun with ${JSON.stringify(args)}`,
    remedy: `move it and ${name}.analyses.json away, or keep runs elsewhere (--out)`,
  });
}

/** Whether a step is done: its run is complete, or its sweep has results. Throws UsageError for one of other arguments. */
export async function isDone(step: Step, place: string): Promise<boolean> {
  const { name, args } = step;
  requirePlanned(step, place);
  const folder = join(place, name);
  if (args[0] === 'sweep') return existsSync(join(folder, 'sweep.json'));
  if (!existsSync(join(folder, 'manifest.json'))) return false;
  return (await openRun(folder)).status.sealed;
}

/** Begins a step, or goes on where it was interrupted. */
export async function perform({ name, args }: Step, place: string): Promise<void> {
  const folder = join(place, name);
  const begun = existsSync(join(folder, 'manifest.json'));
  await mkdir(place, { recursive: true });
  await writeFile(begunWith(name, place), JSON.stringify(args));
  await lca(begun ? ['resume', folder] : [...args, '--out', folder]);
}

/** What a step will cost, in the words of `lca`'s own estimate. */
export async function costOf({ name, args }: Step, place: string): Promise<string> {
  if (existsSync(join(place, name, 'manifest.json'))) return 'begun: what is left of it is done';
  const text = await lca([...args, '--out', join(place, name), '--dry-run'], true);
  return text.trim().split('\n').at(-1)!;
}

/** Computes something once and keeps it as JSON beside the runs. */
export async function remembered<T>(place: string, name: string, compute: () => Promise<T>): Promise<T> {
  const path = join(place, `${name}.json`);
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as T;
  const value = await compute();
  await mkdir(place, { recursive: true });
  await writeFile(path, JSON.stringify(value));
  return value;
}
