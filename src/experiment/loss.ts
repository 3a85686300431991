import type { Dataset, Examples } from '../data/types.js';
import { UsageError } from '../errors.js';
import type { LossOptions } from '../graph/loss.js';
import type { Model } from '../models/types.js';
import type { RunConfig } from './config/schema.js';

const words = {
  softmaxCrossEntropy: 'softmax cross-entropy',
  sigmoidCrossEntropy: 'sigmoid cross-entropy',
  squaredError: 'squared error',
} as const;

/** Unit of a loss. */
const units = {
  softmaxCrossEntropy: 'nats',
  sigmoidCrossEntropy: 'nats',
  squaredError: 'squared units',
} as const;

/** The unit of the loss that a configuration states. */
export function lossUnit({ loss }: RunConfig): string {
  return units[loss];
}

/** The loss that a configuration states. */
export function lossOf({ loss, labelSmoothing, classWeights }: RunConfig): LossOptions {
  if (loss !== 'softmaxCrossEntropy') return { loss };
  return { loss, labelSmoothing, ...(classWeights === null ? {} : { classWeights }) };
}

/** What the sum of the losses of examples with these labels is divided by. */
export function divisorOf({ reduction, classWeights }: RunConfig, { labels, count }: Labelled): number {
  if (reduction === 'mean' || classWeights === null) return count;
  let total = 0;
  for (const label of labels) total += classWeights[label]!;
  return total;
}

type Labelled = Pick<Examples, 'labels' | 'count'>;

/** The loss in words, for the manifest. */
export function lossInWords({ loss, labelSmoothing, classWeights, measureWeightDecay }: RunConfig): string {
  const smoothing = labelSmoothing > 0 ? `, label smoothing ${labelSmoothing}` : '';
  const weights = classWeights === null ? '' : `, class weights ${classWeights.join(' ')}`;
  return `${words[loss]}${smoothing}${weights}${measureWeightDecay ? ' with the L2 term of training' : ''}`;
}

/** Throws UsageError where inputs or labels do not fit network and loss. */
export function requireFit(config: RunConfig, model: Model, dataset: Dataset): void {
  const { shape } = dataset.splits.train;
  if (shape.join() !== model.inputShape.join()) {
    throw misfit(
      `data set ${dataset.name} with examples of shape [${shape.join(', ')}]`,
      `examples of shape [${model.inputShape.join(', ')}], which network ${model.name} takes`,
    );
  }
  if (config.reduction === 'weightedMean' && config.classWeights === null) {
    throw misfit('reduction weightedMean without classWeights', 'classWeights, by whose sum it divides');
  }
  if (config.loss === 'softmaxCrossEntropy') requireClasses(config, model, dataset);
  else requireTargets(config, model, dataset);
}

function requireClasses({ classWeights }: RunConfig, model: Model, { name, classes }: Dataset): void {
  if (classes < 1 || classes > model.outputs) {
    throw misfit(
      `data set ${name} with ${classes === 0 ? 'targets that are no classes' : `${classes} classes`}`,
      `labels [N] of whole numbers from 0 to ${model.outputs - 1}, one class per output of network ${model.name}`,
    );
  }
  if (classWeights === null || classWeights.length === model.outputs) return;
  throw misfit(`${classWeights.length} class weights`, `one for each of ${model.outputs} classes`);
}

function requireTargets(
  { loss, labelSmoothing, classWeights }: RunConfig,
  model: Model,
  { name, splits }: Dataset,
): void {
  if (labelSmoothing > 0 || classWeights !== null) {
    throw misfit(`labelSmoothing or classWeights with ${words[loss]}`, 'these with softmaxCrossEntropy only');
  }
  const { labels, count } = splits.train;
  const classes = labels instanceof Int32Array;
  if (!classes && labels.length === count * model.outputs) return;
  const given = classes ? 'class labels' : `${labels.length / count} targets an example`;
  throw misfit(
    `data set ${name} with ${given}`,
    `y [N, ${model.outputs}] of float32 for ${words[loss]}, one target per output of network ${model.name}`,
  );
}

function misfit(given: string, expected: string): UsageError {
  return new UsageError({
    given,
    expected,
    remedy: 'choose data, network and loss that fit each other (data, model, loss)',
  });
}
