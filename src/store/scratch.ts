import { join, resolve } from 'node:path';
import { cacheFolder, makeFolder } from '../folders.js';
import { attempt, sha256 } from './files.js';

/**
 * Folder for what is kept here of one run: made where it is not there. Another run at the same address has another one.
 *
 * @param scratch The user's own folder for such things, on a local disk; default `$XDG_CACHE_HOME/lossledger/runs`.
 * @param identity What tells the run from all others.
 * @throws StoreError where it cannot be made.
 */
export async function scratchOf(
  scratch: string | undefined,
  ...identity: readonly string[]
): Promise<string> {
  const folder = join(resolve(scratch ?? cacheFolder('runs')), sha256(Buffer.from(identity.join('\n'))).slice(0, 20)); // prettier-ignore
  await attempt(`make ${folder}`, () => makeFolder(folder, 0o700));
  return folder;
}
