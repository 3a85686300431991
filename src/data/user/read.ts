import { basename } from 'node:path';
import type { DataError } from '../../errors.js';
import { misfit } from '../../formats/source.js';
import type { Examples, InputTransform, RawDataset } from '../types.js';
import { openArrays, type ArraySet } from './arrays.js';
import { inputsOf, labelsOf } from './convert.js';

/** Arrays of one set of examples. */
interface Pair {
  /** `train`, or what follows `x_`. */
  readonly set: string;
  readonly inputs: string;
  readonly labels: string;
}

/**
 * A user's own data: arrays `x` [N, …example] and `y` (classes [N] as integers, or targets [N, …] as floats) for training, also named
 * `x_train` and `y_train`; any further pairs `x_NAME` and `y_NAME` are sets of that name, such as `validation` and `test`. Without a
 * validation set none is drawn unless a run asks for it. Throws UsageError for a path that is no data, DataError where arrays are
 * missing, damaged, do not fit each other or hold NaN.
 */
export async function readUserDataset(path: string): Promise<RawDataset> {
  const arrays = await openArrays(path);
  try {
    const [train, ...others] = pairsOf(arrays, path);
    const pool = await examplesOf(arrays, path, train!);
    const sets: Record<string, Examples> = {};
    for (const pair of others) sets[pair.set] = await examplesOf(arrays, path, pair, pool);
    return {
      name: basename(path),
      classes: classesOf([pool, ...Object.values(sets)]),
      pool,
      sets,
      drawn: 0,
      files: arrays.files,
      transform: transformOf(pool),
    };
  } finally {
    await arrays.close();
  }
}

/** The sets of a user's arrays, `train` first. A name that lacks its counterpart would silently leave out a part of the data. */
function pairsOf({ names }: ArraySet, path: string): Pair[] {
  const sets = new Map<string, { x?: string; y?: string }>();
  for (const name of names) {
    const match = /^([xy])(?:_(.+))?$/.exec(name);
    if (match === null) continue;
    const [, axis, set = 'train'] = match as unknown as [string, 'x' | 'y', string?];
    if (sets.get(set)?.[axis] !== undefined)
      throw strange(names, path, `rename ${name}: there are two of this set`);
    sets.set(set, { ...sets.get(set), [axis]: name });
  }
  const upper = names.filter((name) => /^[XY](_|$)/.test(name));
  const halved = [...sets].filter(([, { x, y }]) => x === undefined || y === undefined);
  const missing = halved.map(
    ([set, { x }]) => `${x === undefined ? 'x' : 'y'}${set === 'train' ? '' : `_${set}`}`,
  );
  if (upper.length > 0) throw strange(names, path, `rename ${upper.join(', ')}`);
  if (missing.length > 0) throw strange(names, path, `add ${missing.join(', ')}`);
  if (!sets.has('train')) throw strange(names, path, 'add x and y');
  return [...sets]
    .map(([set, { x, y }]) => ({ set, inputs: x!, labels: y! }))
    .sort((a, b) => Number(b.set === 'train') - Number(a.set === 'train'));
}

function strange(names: readonly string[], path: string, remedy: string): DataError {
  return misfit(
    path,
    `arrays ${names.join(', ') || '(none)'}`,
    `x and y; optionally x_validation with y_validation, x_test with y_test, or other names`,
    remedy,
  );
}

async function examplesOf(
  arrays: ArraySet,
  path: string,
  { inputs, labels }: Pair,
  like?: Examples,
): Promise<Examples> {
  const x = await arrays.read(inputs);
  const y = await arrays.read(labels);
  const [count, ...shape] = x.shape;
  if (count === undefined || count === 0 || y.shape[0] !== count) {
    throw misfit(
      path,
      `${inputs} [${x.shape.join(', ')}] and ${labels} [${y.shape.join(', ')}]`,
      'as many labels as inputs, at least one of each',
      'save x [N, …example] and y [N]',
    );
  }
  const examples = {
    count,
    shape,
    inputs: inputsOf(x, `${path}(${inputs})`),
    labels: labelsOf(y, `${path}(${labels})`),
  };
  if (like !== undefined) requireAlike(examples, like, path, inputs);
  return examples;
}

function requireAlike(examples: Examples, like: Examples, path: string, inputs: string): void {
  const describe = ({ shape, inputs: x, labels }: Examples) =>
    `${x.constructor.name} [${shape.join(', ')}] with ${labels.constructor.name} labels`;
  if (describe(examples) === describe(like)) return;
  throw misfit(path, `${inputs} ${describe(examples)}`, `${describe(like)}, as x`, 'save all parts alike');
}

/** One more than the largest class; 0 for regression targets. */
function classesOf(examples: readonly Examples[]): number {
  let classes = 0;
  for (const { labels } of examples) {
    if (labels instanceof Int32Array) for (const label of labels) classes = Math.max(classes, label + 1);
  }
  return classes;
}

/** Bytes are taken for pixels; other numbers are used as they are. */
function transformOf({ inputs }: Examples): InputTransform {
  if (inputs instanceof Uint8Array) return { dtype: 'uint8', divisor: 255, mean: [], std: [] };
  return { dtype: inputs instanceof Int32Array ? 'int32' : 'float32', divisor: 1, mean: [], std: [] };
}
