import { join } from 'node:path';
import { DataError } from '../errors.js';
import { readShared, sha256 } from './files.js';
import { readIdx } from '../formats/idx.js';
import { imageDataset } from './images.js';
import { mnistFiles } from './mnist.js';
import type { RawDataset } from './types.js';

/** The files of Fashion-MNIST, named like MNIST's, and the MD5 of their gzip form as Zalando Research published it. */
export const fashionFiles = [
  {
    name: mnistFiles.trainImages.name,
    count: 60_000,
    images: true,
    gzipMd5: '8d4fb7e6c68d591d4c3dfef9ec88bf0d',
  },
  {
    name: mnistFiles.trainLabels.name,
    count: 60_000,
    images: false,
    gzipMd5: '25c81989df183df01b3e8a0aad5dffbe',
  },
  {
    name: mnistFiles.testImages.name,
    count: 10_000,
    images: true,
    gzipMd5: 'bef4ecab320f06d8554ea6380940ec79',
  },
  {
    name: mnistFiles.testLabels.name,
    count: 10_000,
    images: false,
    gzipMd5: 'bb300cfdad3c16e7a12a480ee83cd310',
  },
] as const;

export type FashionFile = (typeof fashionFiles)[number];

/** Fashion-MNIST (Xiao, Rasul, Vollgraf 2017) from `<root>/fashion-mnist`. Throws DataError. */
export async function readFashionMnist(root: string): Promise<RawDataset> {
  const folder = join(root, 'fashion-mnist');
  const remedy = 'run: lca data add fashion-mnist --source FOLDER, with the four files as published';
  const bytes = await Promise.all(
    fashionFiles.map(async (file) => {
      const path = join(folder, file.name);
      const content = await readShared(path, remedy);
      checkFashionFile(content, file, path);
      return content;
    }),
  );
  const files = fashionFiles.map(({ name }, k) => ({ name, sha256: sha256(bytes[k]!) }));
  return imageDataset('fashion-mnist', bytes, files);
}

/**
 * Checks an uncompressed file, for which no checksum was published: its shape, that all ten classes are equally frequent, and that
 * it is not MNIST under the same name. Throws DataError.
 */
export function checkFashionFile(bytes: Uint8Array, file: FashionFile, path: string): void {
  const { dtype, shape, data } = readIdx(bytes, path);
  const expected = file.images ? [file.count, 28, 28] : [file.count];
  const isMnist = Object.values(mnistFiles).some((other) => other.sha256 === sha256(bytes));
  const fits = dtype === 'uint8' && shape.join() === expected.join() && !isMnist;
  if (fits && (file.images || balanced(data as Uint8Array))) return;
  throw new DataError({
    given: `${path}: ${isMnist ? 'a file of MNIST' : `${dtype} [${shape.join(', ')}]`}`,
    expected: `uint8 [${expected.join(', ')}] of Fashion-MNIST${file.images ? '' : ', each class a tenth of it'}`,
    remedy: 'fetch Fashion-MNIST (github.com/zalandoresearch/fashion-mnist, folder data/fashion)',
  });
}

function balanced(labels: Uint8Array): boolean {
  const counts = new Uint32Array(256);
  for (const label of labels) counts[label]!++;
  return counts.every((count, label) => count === (label < 10 ? labels.length / 10 : 0));
}
