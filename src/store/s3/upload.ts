import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreError } from '../../errors.js';
import { manifestName } from '../../format/context.js';
import { isFolder } from '../../folders.js';
import { attempt, folderPlace } from '../files.js';
import { forEach, RemoteRun } from './remote-run.js';

/** Throws StoreError where there is a run at an address, or the store cannot be read. */
export async function refuseExistingRun(address: string): Promise<void> {
  const remote = RemoteRun.at(address);
  if ((await remote.get(manifestName)) !== undefined) throw exists(address);
}

/** Puts a run that is in a folder into an object store. Its manifest comes last, by one conditional PUT: before that, there is no run. Throws StoreError. */
export async function uploadRun(folder: string, address: string): Promise<void> {
  const remote = RemoteRun.at(address);
  const send = async (path: string, condition?: 'absent') =>
    remote.put(path, await attempt(`read ${path}`, () => readFile(join(folder, path))), condition);
  const isOther = async (path: string) => path !== manifestName && path !== 'lock' && !(await isFolder(join(folder, path))); // prettier-ignore
  await forEach((await folderPlace(folder).list!()).slice(), async (path) => (await isOther(path)) && send(path));
  if ((await send(manifestName, 'absent')) === null) throw exists(address);
} // prettier-ignore

function exists(address: string): StoreError {
  return new StoreError({
    given: `${address} exists`,
    expected: 'an address where no run is yet',
    remedy: 'choose another one, or remove the run there',
  });
}
