import { join } from 'node:path';
import { readPublished } from './files.js';
import type { PublishedFile } from './files.js';
import { paperValidation, pixelTransform } from './images.js';
import { sharedLike } from './shared.js';
import { plainLabelling, type Examples, type RawDataset } from './types.js';

/** Examples of one file. */
export const cifarFileExamples = 10_000;

/** Bytes of an image: 1,024 red, 1,024 green, 1,024 blue. */
export const cifarPixels = 3072;

const published = (name: string, sha256: string): PublishedFile => ({
  name,
  bytes: cifarFileExamples * (1 + cifarPixels),
  sha256,
});

/** The six files of CIFAR-10's binary version (Krizhevsky 2009); the last is the test set. */
export const cifarFiles: readonly PublishedFile[] = [
  published('data_batch_1.bin', 'cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5'),
  published('data_batch_2.bin', 'a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed'),
  published('data_batch_3.bin', 'bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67'),
  published('data_batch_4.bin', '014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48'),
  published('data_batch_5.bin', '755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add'),
  published('test_batch.bin', '8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b'),
];

/** CIFAR-10 from `<root>/cifar10`. Throws DataError where a file is missing or differs from the published one. */
export async function readCifar10(root: string): Promise<RawDataset> {
  const folder = join(root, 'cifar10');
  const remedy = 'run: lca data add cifar10';
  const batches = await Promise.all(
    cifarFiles.map((file) => readPublished(join(folder, file.name), file, remedy)),
  );
  return {
    name: 'cifar10',
    classes: 10,
    pool: examplesOf(batches.slice(0, -1)),
    drawn: paperValidation,
    sets: { test: examplesOf(batches.slice(-1)) },
    files: cifarFiles.map(({ name, sha256 }) => ({ name, sha256 })),
    transform: pixelTransform,
    labelShape: [],
    labelling: plainLabelling,
    readings: [],
  };
}

/** Records of a label byte and an image, as examples of shape [3, 32, 32]. */
function examplesOf(batches: readonly Uint8Array[]): Examples {
  const count = batches.length * cifarFileExamples;
  const inputs = sharedLike(new Uint8Array(0), count * cifarPixels);
  const labels = sharedLike(new Int32Array(0), count);
  for (let i = 0; i < count; i++) {
    const batch = batches[Math.floor(i / cifarFileExamples)]!;
    const at = (i % cifarFileExamples) * (1 + cifarPixels);
    labels[i] = batch[at]!;
    inputs.set(batch.subarray(at + 1, at + 1 + cifarPixels), i * cifarPixels);
  }
  return { count, shape: [3, 32, 32], inputs, labels };
}
