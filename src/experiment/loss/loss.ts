import type { LabelUse } from '../../data/labels.js';
import { plainLabelling, type Dataset, type Examples, type Labelling } from '../../data/types.js';
import { UsageError } from '../../errors.js';
import type { LossOptions } from '../../graph/loss.js';
import { sizeOf } from '../../graph/types.js';
import type { Model } from '../../models/types.js';
import { exampleMasks, type Masks } from '../../objective/feeds.js';
import { ignoredByDefault, type RunConfig } from '../config/schema.js';
import { requireWholeNumbers } from './inputs.js';

const words = {
  softmaxCrossEntropy: 'softmax cross-entropy',
  sigmoidCrossEntropy: 'sigmoid cross-entropy',
  squaredError: 'squared error',
  output: 'loss that the network computes',
} as const;

/** Unit of a loss. */
const units = {
  softmaxCrossEntropy: 'nats',
  sigmoidCrossEntropy: 'nats',
  squaredError: 'squared units',
  output: 'units of loss',
} as const;

/** The unit of the loss that a configuration states. */
export function lossUnit({ loss }: RunConfig): string {
  return units[loss];
}

/** The loss that a configuration states, for labels that are read so. */
export function lossOf(
  { loss, labelSmoothing, classWeights, reduction }: RunConfig,
  { classAxis, ignored }: Labelling = plainLabelling,
): LossOptions {
  if (loss !== 'softmaxCrossEntropy') return { loss };
  const weights = classWeights === null ? {} : { classWeights };
  const byExample = reduction === 'exampleMean';
  return { loss, labelSmoothing, classAxis, ignoring: ignored !== null, byExample, ...weights };
}

/** What the sum of the losses of examples with these labels is divided by: how many count, or their class weights' sum. */
export function divisorOf(
  { loss, reduction, classWeights }: RunConfig,
  { labels, count }: Labelled,
  { ignored }: Labelling = plainLabelling,
): number {
  if (loss !== 'softmaxCrossEntropy') return count;
  if (reduction === 'exampleMean') return countedExamples({ labels, count }, ignored);
  const weighted = reduction === 'weightedMean' && classWeights !== null;
  if (!weighted && ignored === null) return labels.length;
  let total = 0;
  for (const label of labels) if (label !== ignored) total += weighted ? classWeights[label]! : 1;
  return Math.max(total, Number.MIN_VALUE);
}

/** Examples of which at least one label counts. */
function countedExamples({ labels, count }: Labelled, ignored: number | null): number {
  const width = labels.length / count;
  const isCounted = (_: unknown, example: number): boolean =>
    labels.subarray(example * width, (example + 1) * width).some((label) => label !== ignored);
  return Math.max(Array.from({ length: count }, isCounted).filter(Boolean).length, Number.MIN_VALUE);
}

/** What of an example can be left out of its loss: labels, losses that the network computes, or nothing but the example itself. */
export function masksOf(
  { loss, reduction }: RunConfig,
  { outputShape = [] }: Model,
  { splits }: Dataset,
): Masks {
  if (loss === 'output') return { rows: sizeOf(outputShape), zeroLabels: false };
  if (loss !== 'softmaxCrossEntropy') return exampleMasks;
  const { labels, count } = splits.train;
  return { rows: labels.length / count, zeroLabels: reduction !== 'exampleMean' };
}

type Labelled = Pick<Examples, 'labels' | 'count'>;

const labelKinds = {
  softmaxCrossEntropy: 'classes',
  sigmoidCrossEntropy: 'shares',
  squaredError: 'numbers',
  output: 'none',
} as const;

/** What the labels of a data set must be for a network and the configured loss. */
export function labelUse(
  { loss, ignoreLabel }: RunConfig,
  { outputs, outputShape = [outputs] }: Model,
): LabelUse {
  return { kind: labelKinds[loss], outputShape, ignored: ignoreLabel };
}

/** The loss in words, for the manifest. */
export function lossInWords({ loss, labelSmoothing, classWeights, measureWeightDecay }: RunConfig): string {
  const smoothing = labelSmoothing > 0 ? `, label smoothing ${labelSmoothing}` : '';
  const weights = classWeights === null ? '' : `, class weights ${classWeights.join(' ')}`;
  return `${words[loss]}${smoothing}${weights}${measureWeightDecay ? ' with the L2 term of training' : ''}`;
}

/** Throws UsageError where settings do not fit each other, the network, its inputs or the labels. */
export function requireFit(config: RunConfig, model: Model, dataset: Dataset): void {
  const { classes } = dataset;
  requireWholeNumbers(config, model, dataset);
  const { loss, reduction, classWeights, labelSmoothing, ignoreLabel } = config;
  if (reduction === 'weightedMean' && classWeights === null) {
    throw misfit('reduction weightedMean without classWeights', 'classWeights, by whose sum it divides');
  }
  if (
    reduction === 'exampleMean' &&
    (loss !== 'softmaxCrossEntropy' || labelSmoothing > 0 || classWeights !== null)
  ) {
    throw misfit(
      `reduction exampleMean with ${loss === 'softmaxCrossEntropy' ? 'labelSmoothing or classWeights' : words[loss]}`,
      'it with a softmax cross-entropy of plain labels; of other losses each example counts once anyway',
    );
  }
  if (loss !== 'softmaxCrossEntropy' && (labelSmoothing > 0 || classWeights !== null)) {
    throw misfit(`labelSmoothing or classWeights with ${words[loss]}`, 'these with softmaxCrossEntropy only');
  }
  if (loss !== 'softmaxCrossEntropy' && ignoreLabel !== null && ignoreLabel !== ignoredByDefault) {
    throw misfit(
      `ignoreLabel ${ignoreLabel} with ${words[loss]}`,
      'it with softmaxCrossEntropy only; of other losses every target counts',
    );
  }
  if (classWeights !== null && classWeights.length !== classes) {
    throw misfit(
      `${classWeights.length} class weights`,
      `one for each of ${classes} classes of ${model.name}`,
    );
  }
}

function misfit(given: string, expected: string): UsageError {
  return new UsageError({
    given,
    expected,
    remedy: 'choose data, network and loss that fit each other (data, model, loss)',
  });
}
