import { fork } from 'node:child_process';
import { join } from 'node:path';
import { packageFolder } from '../../../experiment/version.js';
import { fromAnywhere } from '../../../store/s3/remote-run.js';

/** How a process that measured a task ended. */
export interface ChildEnd {
  /** Exit status; null where a signal ended it, or it could not be started. */
  readonly status: number | null;
  /** Why it failed, as a phrase; for a status other than 0. */
  readonly what: string;
}

/** Of what a process says, so many characters are kept to find out why it failed. */
const keptCharacters = 4096;

/**
 * Measures a task in a process of its own: `lca work` with further options. So whoever started it goes on meanwhile, and outlives it. When `signal` is
 * aborted it is told to go, which it does after a segment, with status 75; so it does when who started it is gone.
 */
export function measureInChild(
  folder: string,
  task: number,
  options: readonly string[],
  signal: AbortSignal,
): Promise<ChildEnd> {
  const child = fork(
    join(packageFolder, 'dist/bin/lca.js'),
    ['work', fromAnywhere(folder), '--task', String(task), '--child', ...options],
    // Ctrl-C of a terminal goes to a whole group of processes: this one is told once, by its parent.
    { detached: true, stdio: ['ignore', 'inherit', 'pipe', 'ipc'] },
  );
  const stop = () => child.kill('SIGTERM');
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  let said = '';
  child.stderr!.on('data', (text: Buffer) => {
    process.stderr.write(text);
    said = (said + text.toString()).slice(-keptCharacters);
  });
  return new Promise<ChildEnd>((done) => {
    child.on('error', ({ message }) => { done({ status: null, what: `it could not be started: ${message}` }); }); // prettier-ignore
    child.on('close', (status, killedBy) => { done({ status, what: reasonOf(said, status, killedBy) }); }); // prettier-ignore
  }).finally(() => { signal.removeEventListener('abort', stop); }); // prettier-ignore
}

function reasonOf(said: string, status: number | null, killedBy: NodeJS.Signals | null): string {
  if (killedBy !== null) return `its process was ended by ${killedBy}`;
  return [...said.matchAll(/^lca: (.*)$/gm)].at(-1)?.[1] ?? `its process ended with status ${status ?? 'unknown'}`;
} // prettier-ignore
