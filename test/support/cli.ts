import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { createHash } from 'node:crypto';
import { CommanderError } from 'commander';
import { isLossledgerError } from '../../src/errors.js';

export { temporaryFolder } from './temporary-folder.js';

const main = resolve(import.meta.dirname, '../../dist/bin/lca.js');

export interface CliResult {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the built command line, as a user would, in this folder or another. */
export function startCli(args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = '.'): ChildProcess {
  return spawn(process.execPath, [main, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Runs the built command line to its end. */
export function lcaProcess(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  cwd = '.',
): Promise<CliResult> {
  return ended(startCli(args, env, cwd));
}

/**
 * Runs the command line in this process, one at a time: what a new process takes most of its time for, loading, is done once. For all that is not
 * about processes: signals, limits, environment, memory.
 */
export function lca(args: readonly string[]): Promise<CliResult> {
  const result = before.then(() => performHere(args));
  before = result.catch(() => undefined);
  return result;
}

let before: Promise<unknown> = Promise.resolve();

async function performHere(args: readonly string[]): Promise<CliResult> {
  const { makeProgram } = await import('../../src/cli/program.js');
  const streams = [process.stdout, process.stderr] as const;
  const writes = streams.map((stream) => stream.write.bind(stream));
  const said = ['', ''] as [string, string];
  streams.forEach((stream, k) => {
    stream.write = (text: string | Uint8Array) => (said[k] += typeof text === 'string' ? text : Buffer.from(text).toString()) !== null; // prettier-ignore
  });
  const status = process.exitCode;
  process.exitCode = undefined;
  const result = (code: number, message = '') => ({ code, signal: null, stdout: said[0], stderr: said[1] + message }); // prettier-ignore
  try {
    const program = await makeProgram(args);
    await program.parseAsync(['node', 'lca', ...args]);
    return result(Number(process.exitCode ?? 0));
  } catch (error) {
    if (error instanceof CommanderError) return result(error.exitCode === 0 ? 0 : 2);
    if (!isLossledgerError(error)) throw error;
    return result(error.exitCode, `lca: ${error.message}\n`);
  } finally {
    streams.forEach((stream, k) => (stream.write = writes[k]!));
    process.exitCode = status;
  }
}

/** Waits for a started command line. */
export function ended(child: ChildProcess): Promise<CliResult> {
  let stdout = '';
  let stderr = '';
  child.stdout!.on('data', (text) => (stdout += String(text)));
  child.stderr!.on('data', (text) => (stderr += String(text)));
  return new Promise((done) => child.on('close', (code, signal) => { done({ code, signal, stdout, stderr }); })); // prettier-ignore
}

/** Starts a command and kills it as soon as something holds; false: it ended before. */
export async function killedWhen(args: readonly string[], holds: () => boolean): Promise<boolean> {
  const child = startCli(args);
  const watch = setInterval(() => { if (holds()) child.kill('SIGKILL'); }, 2); // prettier-ignore
  const { signal } = await ended(child);
  clearInterval(watch);
  return signal === 'SIGKILL';
}

/** SHA-256 of every file below a folder, by relative path. */
export function fingerprint(folder: string): Record<string, string> {
  return Object.fromEntries(
    filesBelow(folder).map((path) => [
      relative(folder, path),
      createHash('sha256').update(readFileSync(path)).digest('hex'),
    ]),
  );
}

/** Every file below a folder, sorted. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .sort();
}
