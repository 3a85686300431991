import { DataError } from '../errors.js';
import { fold, permutation } from '../num/random.js';
import type { Key } from '../num/random.js';
import { sha256 } from './files.js';
import { gatherExamples, takeExamples } from './shared.js';
import type { Dataset, Examples, RawDataset } from './types.js';

export interface SplitOptions {
  /** The run's key; folded with `split` and `subset` here. */
  readonly key: Key;
  /** Examples drawn from the pool for validation; default the data set's own, such as the paper's 5,000. */
  readonly validation?: number;
  /** Whether the memory of the pool may be used for the training set: the raw data set is of no use afterwards. Default false. */
  readonly takesPool?: boolean;
  /** Training examples to keep, stratified by class; default all. The validation set shrinks in proportion. */
  readonly subset?: number | null;
}

/** What a split is taken from, and which of its examples. */
interface Selection {
  readonly source: Examples;
  /** Ascending. */
  readonly indices: Uint32Array;
}

/**
 * Draws the validation set from the pool where the source has none, keeps the rest for training, and takes the stratified subset of
 * both where one is asked for; the source's other sets stay whole. Examples of a set stand in ascending order of their place in the
 * source. A pure function of its arguments, unless `takesPool`. Throws DataError where more examples are asked for than there are.
 */
export function splitDataset(raw: RawDataset, options: SplitOptions): Dataset {
  const whole = wholeSplits(raw, options);
  const size = options.subset ?? whole.train.indices.length;
  requireWhole('subset', size, 1, whole.train.indices.length);
  const share = size / whole.train.indices.length;
  const subsetKey = fold(options.key, 'subset');
  const train = subset(whole.train, size, fold(subsetKey, 'train'));
  const validation = subset(
    whole.validation,
    Math.ceil(whole.validation.indices.length * share),
    fold(subsetKey, 'validation'),
  );
  const drawn = validation.indices.length > 0 ? { validation: select(validation) } : {};
  const others = Object.entries(raw.sets).filter(([set]) => set !== 'validation');
  const wholeOthers = Object.fromEntries(others.map(([set, examples]) => [set, all(examples)]));
  // Behind what else is drawn from the pool.
  const kept = (options.takesPool ? takeExamples : gatherExamples)(train.source, train.indices);
  const selections = { train, validation, test: none(raw.pool), ...wholeOthers };
  return {
    name: raw.name,
    classes: raw.classes,
    splits: { ...raw.sets, ...drawn, train: kept },
    drawn: {
      train: placesOf(train),
      ...(validation.indices.length > 0 ? { validation: placesOf(validation) } : {}),
    },
    splitHash: splitHash(raw.name, selections),
    files: raw.files,
    transform: raw.transform,
    labelling: raw.labelling,
    ...(raw.classGroups ? { classGroups: raw.classGroups } : {}),
    readings: raw.readings,
  };
}

const placesOf = ({ source, indices }: Selection) => ({ from: source.count, places: indices });

function wholeSplits(
  { pool, sets, drawn }: RawDataset,
  options: SplitOptions,
): { train: Selection; validation: Selection } {
  const own = sets['validation'];
  if (own !== undefined) {
    if (options.validation !== undefined)
      requireWhole('validation', options.validation, own.count, own.count);
    return { train: all(pool), validation: all(own) };
  }
  const count = options.validation ?? drawn;
  requireWhole('validation', count, 0, pool.count - 1);
  const order = permutation(fold(options.key, 'split'), pool.count);
  return {
    train: { source: pool, indices: order.slice(count).sort() },
    validation: { source: pool, indices: order.slice(0, count).sort() },
  };
}

const all = (source: Examples): Selection => ({ source, indices: ascending(source.count) });

const none = (source: Examples): Selection => ({ source, indices: new Uint32Array(0) });

const ascending = (count: number): Uint32Array => Uint32Array.from({ length: count }, (_, i) => i);

function subset({ source, indices }: Selection, size: number, key: Key): Selection {
  return { source, indices: stratifiedSubset(source, indices, size, key) };
}

function requireWhole(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new DataError({
    given: `${name} ${value}`,
    expected: `a whole number of examples from ${min} to ${max}`,
    remedy: 'choose a number in that range',
  });
}

/**
 * [size] of the examples `indices` [n], each class keeping its share (rounded by largest remainder, ties to the lower class), drawn
 * from the key, in ascending order. Regression targets have no classes and are drawn at random.
 */
export function stratifiedSubset(pool: Examples, indices: Uint32Array, size: number, key: Key): Uint32Array {
  if (size === indices.length) return indices;
  const members = membersByClass(pool, indices);
  const quotas = apportion(
    members.map((each) => each.length),
    size,
  );
  const chosen = members.flatMap((each, label) =>
    Array.from(
      permutation(fold(key, label), each.length).subarray(0, quotas[label]),
      (place) => each[place]!,
    ),
  );
  return Uint32Array.from(chosen).sort();
}

/** The examples `indices` [n] by their class, in order; where labels are no classes, all together. */
export function membersByClass(pool: Examples, indices: Uint32Array): number[][] {
  if (!(pool.labels instanceof Int32Array) || pool.labels.length !== pool.count) return [[...indices]];
  const members: number[][] = [];
  for (const index of indices) (members[pool.labels[index]!] ??= []).push(index);
  return Array.from(members, (each) => each ?? []);
}

/** Whole parts of `total` in proportion to `weights`, by largest remainder. */
function apportion(weights: readonly number[], total: number): number[] {
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  const parts = weights.map((weight) => Math.floor((weight * total) / all));
  const remainder = (label: number) => (weights[label]! * total) % all;
  const byRemainder = weights.map((_, label) => label).sort((a, b) => remainder(b) - remainder(a) || a - b);
  const missing = total - parts.reduce((sum, part) => sum + part, 0);
  for (const label of byRemainder.slice(0, missing)) parts[label]!++;
  return parts;
}

function select({ source, indices }: Selection): Examples {
  return gatherExamples(source, indices);
}

/** Over each set's name, number of examples and their places in its source; `train`, `validation`, `test`, then others as they stand. */
function splitHash(name: string, selections: Readonly<Record<string, Selection>>): string {
  const parts = Object.entries(selections).flatMap(([split, { indices }]) => [
    `\n${split} ${indices.length}\n`,
    new Uint8Array(indices.buffer, indices.byteOffset, indices.byteLength),
  ]);
  return sha256(name, ...parts);
}
