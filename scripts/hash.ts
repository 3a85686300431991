import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** SHA-256, hex, of paths and what is at them. */
export function hashOf(paths: readonly string[], contentOf: (path: string) => string | Uint8Array): string {
  const hash = createHash('sha256');
  for (const path of paths) hash.update(`${path}\n`).update(contentOf(path)).update('\n');
  return hash.digest('hex');
}

/** Files below a folder, relative to the root, sorted; none where the folder is missing. */
export function filesBelow(root: string, folder: string): string[] {
  if (statSync(join(root, folder), { throwIfNoEntry: false }) === undefined) return [];
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => isFile(join(root, path)))
    .sort();
}

export function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
