import { GraphError } from '../errors.js';
import { sizeOf } from '../graph/types.js';
import type { Value } from '../graph/types.js';
import { fold } from '../num/random.js';
import type { Key } from '../num/random.js';
import { randomWords } from '../num/threefry.js';
import type { Model } from './types.js';

/** Every mask input's name starts with this. */
export const maskPrefix = 'dropout/';

/**
 * Masks for a training graph's `dropout/…` inputs, by name: 0 with the model's rate p, else 1 / (1 − p). A pure function of the
 * run's key and the zero-based iteration. Empty for a graph without masks; throws GraphError where the model states no rate.
 */
export function dropoutMasks(
  model: Model,
  inputs: readonly Value[],
  key: Key,
  iteration: number,
): Record<string, Float32Array> {
  const ownKey = fold(fold(key, 'dropout'), iteration);
  const masks = inputs
    .filter(({ name }) => name.startsWith(maskPrefix))
    .map(({ name, shape }) => [name, mask(rateOf(model, name), sizeOf(shape), fold(ownKey, name))] as const);
  return Object.fromEntries(masks);
}

function rateOf(model: Model, input: string): number {
  const rate = model.dropout?.[input];
  if (rate !== undefined) return rate;
  throw new GraphError({
    given: `mask input ${input} of network ${model.name}, for which no dropout rate is stated`,
    expected: `a rate for ${input} in the model's dropout`,
    remedy: 'state the rate, or build the network without dropout',
  });
}

/** The rate is met to 2^-32. */
function mask(rate: number, size: number, key: Key): Float32Array {
  const words = randomWords(key, Math.ceil(size / 2));
  const threshold = rate * 2 ** 32;
  const kept = 1 / (1 - rate);
  const values = new Float32Array(size);
  for (let i = 0; i < size; i++) values[i] = words[i]! < threshold ? 0 : kept;
  return values;
}
