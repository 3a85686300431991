import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../errors.js';
import { key } from '../num/random.js';
import { readCifar10 } from './cifar10.js';
import { readFashionMnist } from './fashion-mnist.js';
import { readMnist } from './mnist.js';
import { readMobyDick } from './moby-dick.js';
import { splitDataset } from './split.js';
import type { SplitOptions } from './split.js';
import { standardised } from './standardise.js';
import type { Dataset, InputTransform, RawDataset } from './types.js';
import { readUserDataset } from './user/read.js';
import { plainPair, type ReadAs } from './user/sets.js';

/** Published data sets by name; each reader takes the data root. */
const readers: ReadonlyMap<string, (root: string) => Promise<RawDataset>> = new Map([
  ['mnist', readMnist],
  ['fashion-mnist', readFashionMnist],
  ['cifar10', readCifar10],
  ['moby-dick', readMobyDick],
]);

/** Names that `loadDataset` knows: `mnist`, `fashion-mnist`, `cifar10`, `moby-dick`. */
export const datasetNames: readonly string[] = [...readers.keys()];

/** Where added data sets are kept: `$LOSSLEDGER_DATA`, or `~/.cache/lossledger/data`. */
export function defaultDataRoot(): string {
  return process.env['LOSSLEDGER_DATA'] ?? join(homedir(), '.cache', 'lossledger', 'data');
}

export interface LoadOptions extends Omit<SplitOptions, 'key' | 'takesPool'> {
  /** The run's seed. */
  readonly seed: number | string;
  /** Folder of added data sets; default `defaultDataRoot()`. */
  readonly root?: string;
  /** What inputs are divided by; default 255 for bytes, else 1. */
  readonly divisor?: number;
  /** Whether the transform gives each channel mean 0 and variance 1 over the training examples used; default false. */
  readonly standardise?: boolean;
}

/**
 * Reads a published data set by name, or a user's own by path (see `readUserDataset`), and verifies what is known of it. Throws
 * UsageError for an unknown name, DataError for files that are missing, truncated, changed or do not fit each other.
 */
export function readDataset(
  name: string,
  {
    root = defaultDataRoot(),
    as = plainPair,
  }: { readonly root?: string | undefined; readonly as?: ReadAs } = {},
): Promise<RawDataset> {
  return readRaw(name, root, as);
}

/**
 * Splits a data set by the seed's key, and settles how its inputs are scaled. Uses the raw one up: its memory becomes that of the splits. Throws DataError where
 * options do not fit.
 */
export function prepareDataset(raw: RawDataset, options: LoadOptions): Dataset {
  const dataset = splitDataset(raw, { ...options, takesPool: true, key: key(options.seed) });
  const transform = dividedBy(dataset.transform, options.divisor);
  return {
    ...dataset,
    transform: options.standardise ? standardised(dataset.splits.train, transform) : transform,
  };
}

/** The transform with a stated divisor for all inputs; whole numbers are not divided, whatever it is. */
function dividedBy(transform: InputTransform, divisor: number | undefined): InputTransform {
  if (divisor === undefined) return transform;
  const further = Object.entries(transform.further ?? {}).map(([name, own]) => [name, { ...own, divisor }]);
  return {
    ...transform,
    divisor,
    ...(transform.further ? { further: Object.fromEntries(further) as typeof transform.further } : {}),
  };
}

/** Both: a published data set, whose labels need no fitting, read and split. Throws as these do. */
export async function loadDataset(name: string, options: LoadOptions): Promise<Dataset> {
  return prepareDataset(await readDataset(name, { root: options.root }), options);
}

async function readRaw(name: string, root: string, as: ReadAs): Promise<RawDataset> {
  const reader = readers.get(name);
  if (reader !== undefined && (as.inputs?.length ?? 1) > 1) {
    throw new UsageError({
      given: `data set ${name} for a network with the inputs ${as.inputs!.join(', ')}`,
      expected: 'data with an array for each of them',
      remedy: `save your own: numpy.savez(path, ${as.inputs!.map((input) => `${input}=…`).join(', ')})`,
    });
  }
  if (reader !== undefined) return reader(root);
  if (/[/\\.,]/.test(name) || existsSync(name)) return readUserDataset(name, as);
  throw new UsageError({
    given: `data set ${name}`,
    expected: `one of ${datasetNames.join(', ')}, or the path of your own data`,
    remedy: 'check the spelling',
  });
}
