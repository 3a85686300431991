import { homedir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../errors.js';
import { key } from '../num/random.js';
import { readMnist } from './mnist.js';
import { splitDataset } from './split.js';
import type { SplitOptions } from './split.js';
import type { Dataset, RawDataset } from './types.js';

/** Data sets by name; each reader takes the data root. */
const readers: ReadonlyMap<string, (root: string) => Promise<RawDataset>> = new Map([['mnist', readMnist]]);

/** Names that `loadDataset` knows. */
export const datasetNames: readonly string[] = [...readers.keys()];

/** Where added data sets are kept: `$LOSSLEDGER_DATA`, or `~/.cache/lossledger/data`. */
export function defaultDataRoot(): string {
  return process.env['LOSSLEDGER_DATA'] ?? join(homedir(), '.cache', 'lossledger', 'data');
}

export interface LoadOptions extends Omit<SplitOptions, 'key'> {
  /** The run's seed. */
  readonly seed: number | string;
  /** Folder of added data sets; default `defaultDataRoot()`. */
  readonly root?: string;
}

/**
 * Reads a data set, verifies its checksums and splits it by the seed's key. Throws UsageError for an unknown name, DataError for files
 * that are missing, truncated or changed.
 */
export async function loadDataset(name: string, options: LoadOptions): Promise<Dataset> {
  const reader = readers.get(name);
  if (reader === undefined) {
    throw new UsageError({
      given: `data set ${name}`,
      expected: `one of ${datasetNames.join(', ')}`,
      remedy: 'check the spelling, or give the path of your own data',
    });
  }
  return splitDataset(await reader(options.root ?? defaultDataRoot()), {
    ...options,
    key: key(options.seed),
  });
}
