import { readIdx } from '../formats/idx.js';
import { sharedExamples } from './shared.js';
import {
  plainLabelling,
  type Examples,
  type InputTransform,
  type RawDataset,
  type SourceFile,
} from './types.js';

/** Bytes from 0 to 255 become numbers from 0 to 1, the paper's only scaling. */
export const pixelTransform: InputTransform = { dtype: 'uint8', divisor: 255, mean: [], std: [] };

/** The paper's validation set: this many examples of the published training set. */
export const paperValidation = 5000;

/** Grey images in MNIST's four files: training images and labels, test images and labels, already checked. */
export function imageDataset(
  name: string,
  [trainImages, trainLabels, testImages, testLabels]: readonly Uint8Array[],
  files: readonly SourceFile[],
): RawDataset {
  return {
    name,
    classes: 10,
    pool: greyExamples(trainImages!, trainLabels!),
    drawn: paperValidation,
    sets: { test: sharedExamples(greyExamples(testImages!, testLabels!)) },
    files: files.map((file) => ({ name: file.name, sha256: file.sha256 })),
    transform: pixelTransform,
    labelShape: [],
    labelling: plainLabelling,
    readings: [],
  };
}

/** Images [N, H, W] and labels [N] of IDX files as examples of shape [1, H, W]. */
function greyExamples(images: Uint8Array, labels: Uint8Array): Examples {
  const pixels = readIdx(images, 'images');
  const [count, height, width] = pixels.shape as [number, number, number];
  return {
    count,
    shape: [1, height, width],
    inputs: pixels.data as Uint8Array,
    labels: new Int32Array(readIdx(labels, 'labels').data as Uint8Array),
  };
}
