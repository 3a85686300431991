import type { Dataset, Examples, RawDataset } from '../../data/types.js';
import { UsageError } from '../../errors.js';
import { remedyOfShape, withoutOnes } from '../../formats/extents.js';
import type { Reading } from '../../formats/reading.js';
import type { Model } from '../../models/types.js';
import type { RunConfig } from '../config/schema.js';

/** The arrays of a network's inputs, the first one without a name. */
function inputArrays(examples: Examples): { name: string | null; values: Examples['inputs'] }[] {
  return [{ name: null, values: examples.inputs }, ...(examples.further ?? [])];
}

/** Throws UsageError where an input of whole numbers, such as tokens, would get others: it does not scale or round. */
export function requireWholeNumbers(
  { divisor, standardise }: RunConfig,
  { name: network, readsWholeNumbers = false, further = [] }: Model,
  { name: data, splits }: Dataset,
): void {
  const wholes = [readsWholeNumbers, ...further.map((input) => input.readsWholeNumbers)];
  if (((divisor ?? 1) !== 1 || standardise) && wholes.every(Boolean)) {
    throw misfit('divisor or standardise', `neither: network ${network} reads whole numbers as they are`);
  }
  if (standardise && further.length > 0) {
    throw misfit('standardise', `it for networks of one input, not of ${1 + further.length} as ${network}`);
  }
  for (const examples of Object.values(splits)) {
    for (const [k, { name, values }] of inputArrays(examples).entries()) {
      if (!wholes[k] || !(values instanceof Float32Array || values instanceof Float64Array)) continue;
      const fraction = (values as Float64Array).find((value) => !Number.isInteger(value));
      if (fraction === undefined) continue;
      throw misfit(
        `data set ${data} with input ${name === null ? '' : `${name} `}${fraction}`,
        `whole numbers, which network ${network} reads`,
      );
    }
  }
}

/**
 * Throws UsageError where bytes that are one number an example, such as an age or a target, would be divided by 255 as pixels are, and no
 * divisor is given.
 */
export function requirePixels(
  { divisor, standardise }: RunConfig,
  { name: network, readsWholeNumbers = false, further = [] }: Model,
  { name: data, splits, transform }: Dataset,
): void {
  if (divisor !== null || standardise) return;
  const wholes = [readsWholeNumbers, ...further.map((input) => input.readsWholeNumbers)];
  const { train } = splits;
  for (const [k, { name, values }] of inputArrays(train).entries()) {
    const { divisor: scale } = name === null ? transform : transform.further![name]!;
    if (wholes[k] || scale === 1 || !(values instanceof Uint8Array) || values.length > train.count) continue;
    const array = name === null ? 'x' : name;
    throw new UsageError({
      given: `data set ${data} with ${array} of bytes, one number an example, the largest ${values.reduce((most, value) => Math.max(most, value), 0)}`,
      expected: `numbers in the scale that network ${network} was trained with: bytes are taken for pixels and divided by 255, which these hardly are`,
      remedy: `save ${array}.astype("float32"), or say --divisor 1 or 255 for all inputs`,
    });
  }
}

/**
 * The data set with its examples in the shape that a network takes. Extents of 1 may be left out or added, which moves no number.
 * Throws UsageError where examples do not fit, naming the transposition that would.
 */
export function withInputShape<D extends Pick<RawDataset, 'name' | 'pool' | 'sets' | 'readings'>>(
  raw: D,
  { inputShape, name, further = [] }: Model,
): D {
  const given = [raw.pool.shape, ...(raw.pool.further ?? []).map(({ shape }) => shape)];
  const wanted = [inputShape, ...further.map(({ shape }) => shape)];
  const readings: Reading[] = [];
  for (const [k, shape] of given.entries()) {
    if (shape.join() === wanted[k]!.join()) continue;
    const input = k === 0 ? null : further[k - 1]!.name;
    if (withoutOnes(shape).join() !== withoutOnes(wanted[k]!).join()) {
      throw wrongShape(raw.name, input, shape, wanted[k]!, name);
    }
    readings.push({
      about: input === null ? 'shape of inputs' : `shape of input ${input}`,
      decision: `[${shape.join(', ')}] read as [${wanted[k]!.join(', ')}]`,
      evidence: 'they differ in extents of 1 alone',
    });
  }
  if (readings.length === 0) return raw;
  const reshape = (examples: Examples): Examples => ({
    ...examples,
    shape: inputShape,
    ...(examples.further
      ? { further: examples.further.map((input, k) => ({ ...input, shape: further[k]!.shape })) }
      : {}),
  });
  const sets = Object.fromEntries(
    Object.entries(raw.sets).map(([set, examples]) => [set, reshape(examples)]),
  );
  return { ...raw, pool: reshape(raw.pool), sets, readings: [...raw.readings, ...readings] };
}

function wrongShape(
  data: string,
  input: string | null,
  shape: readonly number[],
  wanted: readonly number[],
  network: string,
): UsageError {
  return new UsageError({
    given: `data set ${data} with ${input === null ? 'examples' : `input ${input}`} of shape [${shape.join(', ')}]`,
    expected: `examples of shape [${wanted.join(', ')}], which network ${network} takes`,
    remedy:
      remedyOfShape(input ?? 'x', shape, wanted) ??
      'choose data and network that fit each other (data, model)',
  });
}

function misfit(given: string, expected: string): UsageError {
  return new UsageError({
    given,
    expected,
    remedy: 'choose data and network that fit each other (data, model)',
  });
}
