import { existsSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { UsageError } from '../errors.js';
import { journalName, manifestName } from '../format/context.js';
import type { ListedPlace } from '../format/verify/unclaimed.js';
import { folderPlace, makeInside, writeAtomic } from './files.js';
import { isRemote, RemoteRun } from './s3/remote-run.js';

/** Where a run is: a folder, or objects of a bucket whose keys begin with a path, `s3://BUCKET/PATH`. Throws UsageError. */
export function placeOf(address: string): ListedPlace {
  if (!isRemote(address)) return folderPlace(address);
  return RemoteRun.at(address).place();
}

/** What lies in a run folder and cannot be made anew from the rest: files and folders by their names, those of plans and of networks included. */
const lasting: readonly string[] = [
  manifestName, journalName, 'lock', 'ledger.zarr', 'pending', 'plan', 'parts', 'model.onnx', 'model.data',
]; // prettier-ignore

/** Throws UsageError where a result would be written over, or among, what a run holds: no name of a result is worth a run. */
export function refuseRunFile(path: string): void {
  const parts = resolve(path).split(sep);
  for (const [index, name] of parts.entries()) {
    if (!lasting.includes(name)) continue;
    const folder = parts.slice(0, index).join(sep);
    if (![manifestName, journalName].every((own) => existsSync(join(folder, own)))) continue;
    throw new UsageError({
      given: `${path}, which belongs to the run ${folder}`,
      expected: 'the path of a result, which replaces nothing of a run',
      remedy: 'choose another path (--out)',
    });
  }
}

/** Writes a file that follows from the ledger (an analysis, a figure, a page) as a whole, making its folder. Throws StoreError, and UsageError for what is a run's own. */
export async function writeResult(folder: string, name: string, content: string | Uint8Array): Promise<void> {
  refuseRunFile(join(folder, name));
  await makeInside(folder, dirname(name));
  await writeAtomic(join(folder, name), typeof content === 'string' ? Buffer.from(content) : content);
}

/** The same into a run, wherever it is. Throws StoreError. */
export async function storeResult(
  address: string,
  name: string,
  content: string | Uint8Array,
): Promise<void> {
  if (!isRemote(address)) return writeResult(address, name, content);
  await RemoteRun.at(address).put(name, typeof content === 'string' ? Buffer.from(content) : content);
}
