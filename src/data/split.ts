import { DataError } from '../errors.js';
import { fold, permutation } from '../num/random.js';
import type { Key } from '../num/random.js';
import { sha256 } from './files.js';
import { gatherRows } from './shared.js';
import type { Dataset, Examples, RawDataset, SplitName } from './types.js';

export interface SplitOptions {
  /** The run's key; folded with `split` and `subset` here. */
  readonly key: Key;
  /** Examples drawn from the pool for validation; default 5,000, the paper's, where the pool has ten times as many, else a tenth. */
  readonly validation?: number;
  /** Training examples to keep, stratified by class; default all. The validation set shrinks in proportion. */
  readonly subset?: number | null;
}

/**
 * Draws the validation set from the pool, keeps the rest for training, and takes the stratified subset of both where one is asked
 * for. Examples of a split stand in ascending order of their place in the pool. A pure function of its arguments.
 */
export function splitDataset(raw: RawDataset, options: SplitOptions): Dataset {
  const { pool, test } = raw;
  const count = options.validation ?? Math.min(5000, Math.floor(pool.count / 10));
  requireWhole('validation', count, 0, pool.count - 1);
  const order = permutation(fold(options.key, 'split'), pool.count);
  const whole = { validation: order.slice(0, count).sort(), train: order.slice(count).sort() };
  const size = options.subset ?? whole.train.length;
  requireWhole('subset', size, 1, whole.train.length);
  const subsetKey = fold(options.key, 'subset');
  const indices = {
    train: stratifiedSubset(pool, whole.train, size, fold(subsetKey, 'train')),
    validation: stratifiedSubset(
      pool,
      whole.validation,
      Math.ceil((count * size) / whole.train.length),
      fold(subsetKey, 'validation'),
    ),
    test: Uint32Array.from({ length: test.count }, (_, i) => i),
  };
  return {
    name: raw.name,
    classes: raw.classes,
    splits: { train: select(pool, indices.train), validation: select(pool, indices.validation), test },
    splitHash: splitHash(raw.name, indices),
    files: raw.files,
    transform: raw.transform,
  };
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
 * `size` of the examples `indices`, each class keeping its share (rounded by largest remainder, ties to the lower class), drawn
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

function membersByClass(pool: Examples, indices: Uint32Array): number[][] {
  if (pool.labels instanceof Float32Array) return [[...indices]];
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

function select(pool: Examples, indices: Uint32Array): Examples {
  const { shape, count } = pool;
  const width = shape.reduce((product, extent) => product * extent, 1);
  return {
    count: indices.length,
    shape,
    inputs: gatherRows(pool.inputs, width, indices),
    labels: gatherRows(pool.labels, pool.labels.length / count, indices),
  };
}

function splitHash(name: string, indices: Readonly<Record<SplitName, Uint32Array>>): string {
  const parts = (['train', 'validation', 'test'] as const).flatMap((split) => {
    const { buffer, byteOffset, byteLength } = indices[split];
    return [`\n${split} ${indices[split].length}\n`, new Uint8Array(buffer, byteOffset, byteLength)];
  });
  return sha256(name, ...parts);
}
