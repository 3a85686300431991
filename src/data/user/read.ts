import { basename } from 'node:path';
import { misfit } from '../../formats/source.js';
import type { ElementType, NdArray } from '../../formats/array.js';
import { furtherScaling, inputScaling, type Reading } from '../../formats/reading.js';
import { sharedLike } from '../shared.js';
import { plainLabelling, type Examples, type FurtherTransform, type RawDataset } from '../types.js';
import { openArrays, type ArraySet } from './arrays.js';
import { inputsOf, labelsOf } from './convert.js';
import { rangeReadings } from './ranges.js';
import { plainPair, setsOf, type ReadAs, type SetArrays } from './sets.js';

/**
 * A user's own data: arrays `x` [N, …example] and `y` (classes [N] as integers, or targets [N, …] as floats) for training, also named
 * `x_train` and `y_train`; any further pairs `x_NAME` and `y_NAME` are sets of that name, such as `validation` and `test`. Of a network of
 * several inputs each has an array of its name in the place of `x`; of one that computes its loss there is no `y`. Without a
 * validation set none is drawn unless a run asks for it. Throws UsageError for a path that is no data, DataError where arrays are
 * missing, damaged, do not fit each other or hold NaN.
 */
export async function readUserDataset(path: string, as: ReadAs = plainPair): Promise<RawDataset> {
  const arrays = await openArrays(path);
  try {
    const [train, ...others] = setsOf(arrays.names, as, path);
    const pool = await readSet(arrays, path, train!, as);
    const sets: Record<string, Examples> = {};
    for (const names of others) {
      const set = await readSet(arrays, path, names, as);
      requireAlike(set, pool, path, names.inputs[0]!);
      sets[names.set] = set.examples;
    }
    const { transform, readings } = scalingOf(pool);
    const ranges = Object.entries(sets).flatMap(([name, set]) => rangeReadings(pool.examples, set, name));
    return {
      name: basename(path),
      classes: 0,
      pool: pool.examples,
      sets,
      drawn: 0,
      files: arrays.files(),
      transform,
      labelShape: pool.labelShape,
      labelling: plainLabelling,
      readings: [...readings, ...ranges, ...passedOver(arrays.names, [train!, ...others])],
    };
  } finally {
    await arrays.close();
  }
}

/** A set of examples with what its arrays were stored as. */
interface ReadSet {
  readonly examples: Examples;
  readonly labelShape: readonly number[];
  /** Of each input. */
  readonly inputTypes: readonly ElementType[];
}

async function readSet(
  arrays: ArraySet,
  path: string,
  { inputs, labels }: SetArrays,
  as: ReadAs,
): Promise<ReadSet> {
  const read: NdArray[] = [];
  for (const name of inputs) read.push(await arrays.read(name));
  const y = labels === null ? null : await arrays.read(labels);
  const count = read[0]!.shape[0];
  if (
    count === undefined ||
    count === 0 ||
    [...read, ...(y ? [y] : [])].some(({ shape }) => shape[0] !== count)
  ) {
    const named = [
      ...inputs.map((name, k) => [name, read[k]!] as const),
      ...(y ? [[labels!, y] as const] : []),
    ];
    const given = named.map(([name, { shape }]) => `${name} [${shape.join(', ')}]`).join(' and ');
    throw misfit(
      path,
      given,
      y ? 'as many labels as inputs, at least one of each' : 'as many examples in all arrays, at least one',
      `save ${inputs.map((name) => `${name} [N, …example]`).join(', ')}${y ? ` and ${labels} [N]` : ''}`,
    );
  }
  const values = read.map((array, k) => inputsOf(array, `${path}(${inputs[k]!})`));
  const further = read.slice(1).map(({ shape }, k) => ({
    name: as.inputs![k + 1]!,
    shape: shape.slice(1),
    values: values[k + 1]!,
  }));
  const examples: Examples = {
    count,
    shape: read[0]!.shape.slice(1),
    inputs: values[0]!,
    labels: y ? labelsOf(y, `${path}(${labels})`) : sharedLike(new Float32Array(0), 0),
    ...(further.length > 0 ? { further } : {}),
  };
  return { examples, labelShape: y?.shape.slice(1) ?? [], inputTypes: read.map(({ dtype }) => dtype) };
}

/** Arrays that nothing reads, which may be a mistake where more is read than `x` and `y`. */
function passedOver(names: readonly string[], sets: readonly SetArrays[]): Reading[] {
  const used = new Set(sets.flatMap(({ inputs, labels }) => [...inputs, labels]));
  const left = names.filter((name) => !used.has(name));
  if (left.length === 0) return [];
  const decision = `${left.join(', ')} ${left.length === 1 ? 'is' : 'are'} not read`;
  return [
    { about: 'arrays of the data', decision, evidence: `read are ${[...used].filter(Boolean).join(', ')}` },
  ];
}

function requireAlike(set: ReadSet, like: ReadSet, path: string, inputs: string): void {
  const describe = ({
    examples: { inputs: x, labels, shape, further = [] },
    inputTypes,
    labelShape,
  }: ReadSet) => {
    const arrays = [{ values: x, shape }, ...further].map(
      (input, k) =>
        `${inputTypes[k] === 'bool' ? 'bool' : input.values.constructor.name} [${input.shape.join(', ')}]`,
    );
    return `${arrays.join(' and ')} with ${labels.constructor.name} labels [${labelShape.join(', ')}]`;
  };
  if (describe(set) === describe(like)) return;
  throw misfit(
    path,
    `${inputs} ${describe(set)}`,
    `${describe(like)}, as the training set`,
    'save all parts alike',
  );
}

/** How the inputs are scaled: each by itself, as its numbers suggest. */
function scalingOf({ examples, inputTypes }: ReadSet): Pick<RawDataset, 'transform' | 'readings'> {
  const first = scalingOfInput(examples.inputs, examples.shape, inputTypes[0]!, inputScaling);
  const further = (examples.further ?? []).map(
    ({ name, values, shape }, k) =>
      [name, scalingOfInput(values, shape, inputTypes[k + 1]!, furtherScaling(name))] as const,
  );
  const transforms = further.map(([name, { transform }]) => [name, transform] as const);
  return {
    transform: {
      ...first.transform,
      mean: [],
      std: [],
      ...(further.length > 0 ? { further: Object.fromEntries(transforms) } : {}),
    },
    readings: [...first.readings, ...further.flatMap(([, { readings }]) => readings)],
  };
}

/** Bytes are taken for pixels where some exceed 1, which is warned of where few pixels would be so dark; other numbers are used as they are, which is said of those that look like pixels. */
function scalingOfInput(
  inputs: Examples['inputs'],
  shape: readonly number[],
  type: ElementType,
  about: string,
): { transform: FurtherTransform; readings: Reading[] } {
  if (!(inputs instanceof Uint8Array)) {
    return {
      transform: { divisor: 1, dtype: inputs instanceof Int32Array ? 'int32' : 'float32' },
      readings: unscaled(
        inputs,
        { images: type === 'uint16' || shape.length > 1, axes: shape.length },
        about,
      ),
    };
  }
  const largest = inputs.reduce((most, value) => Math.max(most, value), 0);
  const isBool = type === 'bool';
  const divisor = isBool || largest <= 1 ? 1 : 255;
  const evidence = isBool ? 'they are booleans' : `they are bytes, and the largest is ${largest}`;
  const decision = divisor === 1 ? 'used as they are, 0 and 1' : 'divided by 255, as pixels';
  const transform = { divisor, dtype: 'uint8' } as const;
  if (divisor === 1 || largest > sevenBits) return { transform, readings: [{ about, decision, evidence }] };
  // Counts, categories, images of fewer bits.
  const doubt = `${decision}; if training used them as they are, say --divisor 1, or what it divided them by`;
  return { transform, readings: [{ about, decision: doubt, evidence, warning: true }] };
}

/** The largest of seven bits, which few images stay below, of a byte, and of what images of 10, 12, 14 and 16 bits hold. */
const sevenBits = 127;
const largestOf = [8, 10, 12, 14, 16].map((bits) => 2 ** bits - 1);

/**
 * A warning where numbers that were not stored as bytes are whole and in the range of bytes, or of pixels of 16 bits where `images` says that
 * rank or type are those of images: a table's counts and years are whole numbers above 255 as well. So it is with fractions of images
 * [C, H, W]. Numbers beyond 16 bits are warned of whatever they are: few networks train on such (amounts of money, numbers of rows, what stands for missing values).
 */
function unscaled(
  inputs: Exclude<Examples['inputs'], Uint8Array>,
  { images, axes }: { readonly images: boolean; readonly axes: number },
  about: string,
): Reading[] {
  const limit = largestOf.at(images ? -1 : 0)!;
  let largest = 0;
  let isWhole = true;
  let isPositive = true;
  for (const value of inputs) {
    isWhole &&= Number.isInteger(value);
    isPositive &&= value >= 0;
    if (Math.abs(value) > Math.abs(largest)) largest = value;
  }
  if (Math.abs(largest) > largestOf.at(-1)!) {
    const decision =
      'used as they are; if training scaled them, save x as the network took it, if not, say --divisor 1';
    return [{ about, decision, evidence: `they reach ${largest}, which few networks take as it is`, warning: true }]; // prettier-ignore
  }
  if (!isPositive || largest <= sevenBits || largest > (isWhole ? limit : resizedLimit(axes))) return [];
  const divisor = largestOf.find((most) => largest <= most)!;
  const decision = `used as they are; if training divided them by ${divisor}, say --divisor ${divisor}, if not, --divisor 1`;
  const evidence = isWhole
    ? `they are no bytes, but whole numbers up to ${largest}, as pixels are`
    : `they reach from 0 to ${largest}, as pixels of images that were resized do`;
  return [{ about, decision, evidence, warning: true }];
}

/** The largest number of images whose pixels were averaged to fractions, which have a channel and two axes; a table's numbers may be any. */
const resizedLimit = (axes: number): number => (axes === 3 ? largestOf[0]! : 0);
