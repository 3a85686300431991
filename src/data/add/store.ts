import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../folders.js';

/** Called as work goes on: what is being done, and the share done in [0, 1]. */
export type AddProgress = (what: string, share: number) => void;

/** How a data set is added. */
export interface AddWork {
  /** A local folder or archive. */
  readonly source?: string | undefined;
  readonly onProgress: AddProgress;
  /** Aborted: stop, and leave nothing but whole files. */
  readonly signal?: AbortSignal | undefined;
  /** Where CIFAR-10's official archive is; default the authors' address. */
  readonly archiveUrl?: string | undefined;
}

/** Writes `name` into `folder` (made where it is missing); the file appears whole or not at all. */
export async function storeFile(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  await makeFolder(folder);
  const partial = join(folder, `.${name}.${process.pid}.partial`);
  await writeFile(partial, bytes);
  await rename(partial, join(folder, name));
}
