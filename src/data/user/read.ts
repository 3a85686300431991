import { basename } from 'node:path';
import { misfit } from '../../formats/damaged.js';
import type { Examples, InputTransform, RawDataset } from '../types.js';
import { openArrays } from './arrays.js';
import type { ArraySet } from './types.js';
import { inputsOf, labelsOf } from './convert.js';

/** Parts of a user's data; all but the first may be missing. */
const parts = [
  { inputs: 'x', labels: 'y' },
  { inputs: 'x_validation', labels: 'y_validation' },
  { inputs: 'x_test', labels: 'y_test' },
] as const;

/**
 * A user's own data: arrays `x` [N, …example] and `y` (classes [N] as integers, or targets [N, …] as floats), optionally
 * `x_validation`, `y_validation`, `x_test`, `y_test`. Without a validation set none is drawn unless a run asks for it. Throws
 * UsageError for a path that is no data, DataError where arrays are missing, damaged, do not fit each other or hold NaN.
 */
export async function readUserDataset(path: string): Promise<RawDataset> {
  const arrays = await openArrays(path);
  try {
    requireKnownNames(arrays, path);
    const pool = await examplesOf(arrays, path, parts[0]);
    const validation = arrays.names.includes('x_validation')
      ? await examplesOf(arrays, path, parts[1], pool)
      : null;
    const test = arrays.names.includes('x_test') ? await examplesOf(arrays, path, parts[2], pool) : null;
    return {
      name: basename(path),
      classes: classesOf([pool, validation, test].filter((part) => part !== null)),
      pool,
      validation: validation ?? 0,
      test: test ?? emptyLike(pool),
      files: arrays.files,
      transform: transformOf(pool),
    };
  } finally {
    await arrays.close();
  }
}

/** Misspelt names would silently leave out a part of the data. */
function requireKnownNames({ names }: ArraySet, path: string): void {
  const known: readonly string[] = parts.flatMap(({ inputs, labels }) => [inputs, labels]);
  const strange = names.filter((name) => /^[xy](_|$)/i.test(name) && !known.includes(name));
  const given = parts.filter(({ inputs, labels }) => names.includes(inputs) || names.includes(labels));
  const halved = given
    .flatMap(({ inputs, labels }) => [inputs, labels])
    .filter((name) => !names.includes(name));
  if (strange.length === 0 && halved.length === 0 && given[0] === parts[0]) return;
  throw misfit(
    path,
    `arrays ${names.join(', ') || '(none)'}`,
    `x and y; optionally x_validation with y_validation, and x_test with y_test`,
    strange.length > 0 ? `rename ${strange.join(', ')}` : `add ${halved.join(', ') || 'x and y'}`,
  );
}

async function examplesOf(
  arrays: ArraySet,
  path: string,
  { inputs, labels }: (typeof parts)[number],
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

function emptyLike({ shape, inputs, labels }: Examples): Examples {
  return { count: 0, shape, inputs: inputs.slice(0, 0), labels: labels.slice(0, 0) };
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
