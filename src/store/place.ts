import { dirname, join } from 'node:path';
import type { ListedPlace } from '../format/verify/unclaimed.js';
import { folderPlace, makeInside, writeAtomic } from './files.js';
import { isRemote, RemoteRun } from './s3/remote-run.js';

/** Where a run is: a folder, or objects of a bucket whose keys begin with a path, `s3://BUCKET/PATH`. Throws UsageError. */
export function placeOf(address: string): ListedPlace {
  if (!isRemote(address)) return folderPlace(address);
  return RemoteRun.at(address).place();
}

/** Writes a file that follows from the ledger (an analysis, a figure, a page) as a whole, making its folder. Throws StoreError. */
export async function writeResult(folder: string, name: string, content: string | Uint8Array): Promise<void> {
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
