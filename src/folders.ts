import { lstat, mkdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : null);

/** Where something is kept that can be made again, by its name: `$XDG_CACHE_HOME/lossledger/NAME`, or under `~/.cache`. */
export function cacheFolder(name: string): string {
  const base = process.env['XDG_CACHE_HOME'];
  return join(base?.startsWith('/') ? base : join(homedir(), '.cache'), 'lossledger', name);
}

/**
 * Makes a folder and those that it lies in, unless they are there. Node's own way of doing so never ends where the system says that what a new
 * folder would lie in is not there though it is (`/proc`): this one asks for each folder once more at most.
 *
 * @param path Where the folder is to be.
 * @param mode Permissions of each folder that is made.
 * @throws The file system's error where that is not possible.
 */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  const folder = resolve(path);
  try {
    await makeIn(folder, mode);
  } catch (error) {
    const above = dirname(folder);
    if (codeOf(error) !== 'ENOENT' || above === folder) throw error;
    await makeFolder(above, mode);
    await makeIn(folder, mode);
  }
}

/** Makes a folder in one that is there, unless somebody else did meanwhile. */
async function makeIn(folder: string, mode: number): Promise<void> {
  try {
    await mkdir(folder, { mode });
  } catch (error) {
    if (!(await isFolder(folder))) throw error;
  }
}

/** Whether there is a folder at a path, or a link to one. */
export async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}

/** What speaks against trusting code in a folder: others may have put theirs there. Null: nothing; it is ours, and nobody else may write to it. */
export async function reasonToDistrust(folder: string): Promise<string | null> {
  const status = await lstat(folder);
  const isOurs = process.getuid === undefined || status.uid === process.getuid();
  if (!status.isDirectory() || !isOurs) return 'which is a link or belongs to somebody else';
  return (status.mode & 0o022) === 0 ? null : 'to which others may write';
}
