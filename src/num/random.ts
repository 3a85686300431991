import { UsageError } from '../errors.js';
import { normalCumulativeMinus2, normalQuantile } from './normal.js';
import { randomWords, threefry } from './threefry.js';
import type { Key } from './threefry.js';

export type { Key };

/** Where keys of texts start; no number's key reaches it. */
const textRoot: Key = [0, 0xffffffff];

/**
 * The key of a seed: a whole number from 0 to 2^53 − 1, or any text. Different seeds give independent streams; the number 1 and
 * the text '1' are different seeds. Throws UsageError for any other number.
 */
export function key(seed: number | string): Key {
  if (typeof seed === 'string') return fold(textRoot, seed);
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new UsageError({
      given: `seed ${seed}`,
      expected: 'a whole number from 0 to 9007199254740991',
      remedy: 'choose such a number, for example 0',
    });
  }
  return [seed >>> 0, Math.floor(seed / 2 ** 32)];
}

/**
 * A key for one purpose (`fold(key, 'order')`) or one element of a series (`fold(key, 7)`, whole numbers from 0 to 2^53 − 1),
 * independent of its parent's stream and of its siblings. A name is absorbed two UTF-16 units at a time, its length last.
 */
export function fold(parent: Key, name: string | number): Key {
  if (typeof name === 'number') return image(parent, [name >>> 0, Math.floor(name / 2 ** 32)], 1);
  let current = parent;
  for (let i = 0; i < name.length; i += 2) {
    const second = i + 1 < name.length ? name.charCodeAt(i + 1) : 0;
    current = image(current, [name.charCodeAt(i), second], 2);
  }
  return image(current, [name.length, 0], 3);
}

/** Image of a counter that no stream uses: the top bits of its second word tell folding from drawing. */
function image(parent: Key, [low, high]: Key, kind: 1 | 2 | 3): Key {
  const block = Uint32Array.of(low, (high | (kind << 30)) >>> 0);
  threefry(parent, block);
  return [block[0]!, block[1]!];
}

/** `count` keys, independent of each other and of their parent: the parent folded with 0 … count − 1. */
export function split(parent: Key, count: number): Key[] {
  return Array.from({ length: count }, (_, i) => fold(parent, i));
}

const unit = 2 ** -53;

/** Uniform numbers in [0, 1) [count], multiples of 2^-53. The i-th depends on the key and i alone. */
export function uniform(key: Key, count: number): Float64Array {
  const words = randomWords(key, count);
  const numbers = new Float64Array(count);
  for (let i = 0; i < count; i++) numbers[i] = unitInterval(words, i);
  return numbers;
}

function unitInterval(words: Uint32Array, i: number): number {
  return ((words[2 * i]! >>> 5) * 2 ** 26 + (words[2 * i + 1]! >>> 6)) * unit;
}

/** Standard normal numbers [count], by inversion of the distribution function; the i-th depends on the key and i alone. */
export function normal(key: Key, count: number): Float64Array {
  return uniform(key, count).map((u) => normalQuantile(u + unit / 2));
}

/** Standard deviation of a standard normal number given that it lies within ± 2. */
export const truncatedDeviation = 0.8796256610342398;

/**
 * Normal numbers [count] given that they lie within two standard deviations, scaled to variance 1: the range is ± 2 / 0.87962566.
 * Multiply by sqrt(2 / fanIn) for He-normal weights of variance 2 / fanIn, as the paper's framework does.
 */
export function truncatedNormal(key: Key, count: number): Float64Array {
  const low = normalCumulativeMinus2;
  return uniform(key, count).map(
    (u) => normalQuantile(low + (u + unit / 2) * (1 - 2 * low)) / truncatedDeviation,
  );
}

/**
 * A uniformly random order [count] of 0 … count − 1 (Fisher and Yates). Positions are drawn as floor(u · m) with 53-bit u, so no order is
 * favoured by more than a share of count · 2^-53.
 */
export function permutation(key: Key, count: number): Uint32Array {
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  const draws = uniform(key, count);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(draws[i]! * (i + 1));
    const moved = order[i]!;
    order[i] = order[j]!;
    order[j] = moved;
  }
  return order;
}
