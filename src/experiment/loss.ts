import type { LabelUse } from '../data/labels.js';
import {
  plainLabelling,
  type Dataset,
  type Examples,
  type Labelling,
  type RawDataset,
} from '../data/types.js';
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

/** The loss that a configuration states, for labels that are read so. */
export function lossOf(
  { loss, labelSmoothing, classWeights }: RunConfig,
  { classAxis, ignored }: Labelling = plainLabelling,
): LossOptions {
  if (loss !== 'softmaxCrossEntropy') return { loss };
  const weights = classWeights === null ? {} : { classWeights };
  return { loss, labelSmoothing, classAxis, ignoring: ignored !== null, ...weights };
}

/** What the sum of the losses of examples with these labels is divided by: how many count, or their class weights' sum. */
export function divisorOf(
  { loss, reduction, classWeights }: RunConfig,
  { labels, count }: Labelled,
  { ignored }: Labelling = plainLabelling,
): number {
  if (loss !== 'softmaxCrossEntropy') return count;
  const weighted = reduction === 'weightedMean' && classWeights !== null;
  if (!weighted && ignored === null) return labels.length;
  let total = 0;
  for (const label of labels) if (label !== ignored) total += weighted ? classWeights[label]! : 1;
  return Math.max(total, Number.MIN_VALUE);
}

type Labelled = Pick<Examples, 'labels' | 'count'>;

/** What the labels of a data set must be for a network and the configured loss. */
export function labelUse(
  { loss, ignoreLabel }: RunConfig,
  { outputs, outputShape = [outputs] }: Model,
): LabelUse {
  const kind =
    loss === 'softmaxCrossEntropy' ? 'classes' : loss === 'sigmoidCrossEntropy' ? 'shares' : 'numbers';
  return { kind, outputShape, ignored: ignoreLabel };
}

/** The loss in words, for the manifest. */
export function lossInWords({ loss, labelSmoothing, classWeights, measureWeightDecay }: RunConfig): string {
  const smoothing = labelSmoothing > 0 ? `, label smoothing ${labelSmoothing}` : '';
  const weights = classWeights === null ? '' : `, class weights ${classWeights.join(' ')}`;
  return `${words[loss]}${smoothing}${weights}${measureWeightDecay ? ' with the L2 term of training' : ''}`;
}

/** Throws UsageError where settings do not fit each other, the network, its inputs or the labels. */
export function requireFit(config: RunConfig, model: Model, dataset: Dataset): void {
  const { labelling, classes } = dataset;
  if (model.readsWholeNumbers) requireWholeNumbers(config, model, dataset);
  const { loss, reduction, classWeights, labelSmoothing } = config;
  if (reduction === 'weightedMean' && classWeights === null) {
    throw misfit('reduction weightedMean without classWeights', 'classWeights, by whose sum it divides');
  }
  if (loss !== 'softmaxCrossEntropy' && (labelSmoothing > 0 || classWeights !== null)) {
    throw misfit(`labelSmoothing or classWeights with ${words[loss]}`, 'these with softmaxCrossEntropy only');
  }
  if (labelSmoothing > 0 && labelling.ignored !== null) {
    throw misfit('labelSmoothing with labels that do not count', 'one of the two');
  }
  if (classWeights !== null && classWeights.length !== classes) {
    throw misfit(
      `${classWeights.length} class weights`,
      `one for each of ${classes} classes of ${model.name}`,
    );
  }
}

/** Throws UsageError where a network of whole numbers, such as tokens, would get others: it does not scale or round. */
function requireWholeNumbers(
  { divisor, standardise }: RunConfig,
  model: Model,
  { name, splits }: Dataset,
): void {
  if ((divisor ?? 1) !== 1 || standardise) {
    throw misfit('divisor or standardise', `neither: network ${model.name} reads whole numbers as they are`);
  }
  for (const { inputs } of Object.values(splits)) {
    if (!(inputs instanceof Float32Array || inputs instanceof Float64Array)) return;
    const fraction = (inputs as Float64Array).find((value) => !Number.isInteger(value));
    if (fraction !== undefined) {
      throw misfit(
        `data set ${name} with input ${fraction}`,
        `whole numbers, which network ${model.name} reads`,
      );
    }
  }
}

/**
 * The data set with its examples in the shape that a network takes. Extents of 1 may be left out or added, which moves no number.
 * Throws UsageError where examples do not fit, naming the transposition that would.
 */
export function withInputShape<D extends Pick<RawDataset, 'name' | 'pool' | 'sets' | 'readings'>>(
  raw: D,
  { inputShape, name }: Model,
): D {
  const { shape } = raw.pool;
  if (shape.join() === inputShape.join()) return raw;
  const withoutOnes = (extents: readonly number[]): string => extents.filter((extent) => extent !== 1).join();
  if (withoutOnes(shape) !== withoutOnes(inputShape)) throw wrongShape(raw.name, shape, inputShape, name);
  const reshape = (examples: Examples): Examples => ({ ...examples, shape: inputShape });
  const sets = Object.fromEntries(
    Object.entries(raw.sets).map(([set, examples]) => [set, reshape(examples)]),
  );
  const reading = {
    about: 'shape of inputs',
    decision: `[${shape.join(', ')}] read as [${inputShape.join(', ')}]`,
    evidence: 'they differ in extents of 1 alone',
  };
  return { ...raw, pool: reshape(raw.pool), sets, readings: [...raw.readings, reading] };
}

function wrongShape(
  data: string,
  shape: readonly number[],
  wanted: readonly number[],
  network: string,
): UsageError {
  const order = permutationTo(shape, wanted);
  return new UsageError({
    given: `data set ${data} with examples of shape [${shape.join(', ')}]`,
    expected: `examples of shape [${wanted.join(', ')}], which network ${network} takes`,
    remedy:
      order === null
        ? 'choose data and network that fit each other (data, model)'
        : `save x.transpose(0, ${order.map((axis) => axis + 1).join(', ')})${order.length === 3 ? ': x has its channels last' : ''}`,
  });
}

/** For each axis of `wanted` that of `shape` with its extent, the moved one first among equals; null where extents differ. */
function permutationTo(shape: readonly number[], wanted: readonly number[]): number[] | null {
  if (shape.length === 3 && [shape[2], shape[0], shape[1]].join() === wanted.join()) return [2, 0, 1];
  if (shape.length === 3 && [shape[1], shape[2], shape[0]].join() === wanted.join()) return [1, 2, 0];
  const left = [...shape.keys()];
  const order = wanted.map((extent) => {
    const at = left.findIndex((axis) => shape[axis] === extent);
    return at < 0 ? -1 : left.splice(at, 1)[0]!;
  });
  return order.includes(-1) || left.length > 0 ? null : order;
}

function misfit(given: string, expected: string): UsageError {
  return new UsageError({
    given,
    expected,
    remedy: 'choose data, network and loss that fit each other (data, model, loss)',
  });
}
