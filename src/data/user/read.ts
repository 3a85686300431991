import { basename } from 'node:path';
import type { DataError } from '../../errors.js';
import { misfit } from '../../formats/source.js';
import type { ElementType } from '../../formats/array.js';
import { plainLabelling, type Examples, type RawDataset } from '../types.js';
import { openArrays, type ArraySet } from './arrays.js';
import { inputsOf, labelsOf } from './convert.js';

/** What a reading about the scaling of inputs is about. */
export const inputScaling = 'scaling of inputs';

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
    const pool = await readPair(arrays, path, train!);
    const sets: Record<string, Examples> = {};
    for (const pair of others) {
      const set = await readPair(arrays, path, pair);
      requireAlike(set, pool, path, pair.inputs);
      sets[pair.set] = set.examples;
    }
    return {
      name: basename(path),
      classes: 0,
      pool: pool.examples,
      sets,
      drawn: 0,
      files: arrays.files,
      ...scalingOf(pool),
      labelShape: pool.labelShape,
      labelling: plainLabelling,
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

/** A set of examples with what its arrays were stored as. */
interface ReadPair {
  readonly examples: Examples;
  readonly labelShape: readonly number[];
  readonly inputType: ElementType;
}

async function readPair(arrays: ArraySet, path: string, { inputs, labels }: Pair): Promise<ReadPair> {
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
  return { examples, labelShape: y.shape.slice(1), inputType: x.dtype };
}

function requireAlike(set: ReadPair, like: ReadPair, path: string, inputs: string): void {
  const describe = ({ examples: { inputs: x, labels, shape }, inputType, labelShape }: ReadPair) =>
    `${inputType === 'bool' ? 'bool' : x.constructor.name} [${shape.join(', ')}] with ${labels.constructor.name} labels [${labelShape.join(', ')}]`;
  if (describe(set) === describe(like)) return;
  throw misfit(path, `${inputs} ${describe(set)}`, `${describe(like)}, as x`, 'save all parts alike');
}

/** Bytes are taken for pixels where some exceed 1; other numbers are used as they are. */
function scalingOf({
  examples: { inputs },
  inputType,
}: ReadPair): Pick<RawDataset, 'transform' | 'readings'> {
  const plain = { divisor: 1, mean: [], std: [] };
  if (!(inputs instanceof Uint8Array)) {
    return {
      transform: { ...plain, dtype: inputs instanceof Int32Array ? 'int32' : 'float32' },
      readings: [],
    };
  }
  const largest = inputs.reduce((most, value) => Math.max(most, value), 0);
  const isBool = inputType === 'bool';
  const divisor = isBool || largest <= 1 ? 1 : 255;
  const evidence = isBool ? 'they are booleans' : `they are bytes, and the largest is ${largest}`;
  const decision = divisor === 1 ? 'used as they are, 0 and 1' : 'divided by 255, as pixels';
  return {
    transform: { ...plain, dtype: 'uint8', divisor },
    readings: [{ about: inputScaling, decision, evidence }],
  };
}
