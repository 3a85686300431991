import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { makeFolder } from '../folders.js';
import { attempt, sha256 } from './files.js';

/** Folder on a local disk for what is kept here of runs elsewhere, unless told otherwise: `$XDG_CACHE_HOME/lossledger/runs`, or under `~/.cache`. */
function defaultScratch(): string {
  const base = process.env['XDG_CACHE_HOME'];
  return join(base?.startsWith('/') ? base : join(homedir(), '.cache'), 'lossledger', 'runs');
}

/**
 * Folder for what is kept here of one run: made where it is not there. Another run at the same address has another one.
 *
 * @param scratch The user's own folder for such things.
 * @param identity What tells the run from all others.
 * @throws StoreError where it cannot be made.
 */
export async function scratchOf(
  scratch: string | undefined,
  ...identity: readonly string[]
): Promise<string> {
  const folder = join(resolve(scratch ?? defaultScratch()), sha256(Buffer.from(identity.join('\n'))).slice(0, 20)); // prettier-ignore
  await attempt(`make ${folder}`, () => makeFolder(folder, 0o700));
  return folder;
}
