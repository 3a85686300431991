import { spawn } from 'node:child_process';

export interface CommandResult {
  /** Exit status; null where the command could not start, was killed or took too long. */
  readonly status: number | null;
  readonly output: string;
  /** Why there is no status, else null. */
  readonly failure: string | null;
}

/** Output beyond this is dropped; a compiler that complains endlessly must not fill the memory. */
const OUTPUT_LIMIT = 1 << 20;

function killGroup(pid: number): void {
  try {
    // A compiler is a driver with children; the whole process group must go.
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended in the meantime.
  }
}

/** Runs a command and collects both its outputs; never throws. */
export function runCommand(
  command: string,
  args: readonly string[],
  timeoutMilliseconds: number,
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let failure: string | null = null;
    const collect = (chunk: Buffer): void => {
      if (output.length < OUTPUT_LIMIT) output += chunk.toString('utf8');
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    const timer = setTimeout(() => {
      failure = `no end after ${timeoutMilliseconds / 1000} seconds`;
      if (child.pid !== undefined) killGroup(child.pid);
    }, timeoutMilliseconds);
    const finish = (status: number | null, reason: string | null): void => {
      clearTimeout(timer);
      resolve({ status: reason === null ? status : null, output, failure: reason });
    };
    child.on('error', (error) => {
      finish(null, error.message);
    });
    child.on('close', (status, signal) => {
      finish(status, failure ?? (signal === null ? null : `ended by ${signal}`));
    });
  });
}
