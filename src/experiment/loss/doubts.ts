import type { Dataset } from '../../data/types.js';
import type { Reading } from '../../formats/reading.js';
import { sizeOf } from '../../graph/types.js';
import type { Model } from '../../models/types.js';
import type { RunConfig } from '../config/schema.js';
import { divisorOf } from './loss.js';

/** What a loss may not have been meant to be, of a training that was recorded elsewhere. */
export function lossReadings(config: RunConfig, model: Model, dataset: Dataset): Reading[] {
  return [...weightReadings(config, dataset), ...targetReadings(config, model, dataset)];
}

/** PyTorch divides by the sum of the class weights of the labels; the mean over labels does not. */
function weightReadings(config: RunConfig, { splits, labelling }: Dataset): Reading[] {
  if (config.classWeights === null || config.reduction === 'weightedMean') return [];
  const count = divisorOf(config, splits.train, labelling);
  const total = divisorOf({ ...config, reduction: 'weightedMean' }, splits.train, labelling);
  if (Math.abs(total - count) < 1e-6 * count) return [];
  return [
    {
      about: 'class weights',
      decision: `the sum of weighted losses is divided by the number of labels, ${count}; PyTorch's cross-entropy divides it by the sum of their weights, ${Number(total.toPrecision(6))}: --reduction weightedMean`,
      evidence: `reduction ${config.reduction}`,
      warning: true,
    },
  ];
}

/** Images that are to be like images which are divided, such as those of an autoencoder, and are whole numbers up to 255 themselves. */
function targetReadings(
  { loss, divisor }: RunConfig,
  { outputShape = [] }: Model,
  { splits, transform }: Dataset,
): Reading[] {
  const { labels, shape } = splits.train;
  const scale = divisor ?? transform.divisor;
  const isImage = outputShape.filter((extent) => extent > 1).length > 1 || sizeOf(outputShape) === sizeOf(shape); // prettier-ignore
  if (loss !== 'squaredError' || scale === 1 || !isImage || sizeOf(shape) === 1) return [];
  let largest = 0;
  for (const target of labels) {
    if (!Number.isInteger(target) || target < 0 || target > 255) return [];
    largest = Math.max(largest, target);
  }
  if (largest <= 1) return [];
  return [
    {
      about: 'targets',
      decision: `used as they are, though inputs are divided by ${scale}; if training divided targets too, save y so: (y / ${scale}).astype("float32")`,
      evidence: `whole numbers up to ${largest}, as pixels are`,
      warning: true,
    },
  ];
}
