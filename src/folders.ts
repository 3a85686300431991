import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : null);

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
