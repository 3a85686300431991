/**
 * Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror, Shaw: Parallel random numbers, as easy as 1, 2, 3; SC 2011): a keyed
 * bijection of 64-bit counters whose outputs are statistically random. No state, so any number of a stream can be had directly.
 */

/** Key of a random stream: two unsigned 32-bit words. Plain data, so that it can be stored in a manifest. */
export type Key = readonly [number, number];

const parity = 0x1bd11bda;
/** Bits that the second word is rotated by, round by round. */
const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const;

/** The three words that are added, in turn, after each four rounds. */
function scheduleOf([k0, k1]: Key): readonly [number, number, number] {
  return [k0 | 0, k1 | 0, parity ^ k0 ^ k1];
}

/** Replaces the counter in `words` at `at` and behind it by its image. The words stay in registers: a start draws a hundred thousand. */
function encrypt(schedule: readonly [number, number, number], words: Uint32Array, at: number): void {
  let x = (words[at]! + schedule[0]) | 0;
  let y = (words[at + 1]! + schedule[1]) | 0;
  for (let round = 0; round < 20; round++) {
    const bits = rotations[round & 7]!;
    x = (x + y) | 0;
    y = x ^ ((y << bits) | (y >>> (32 - bits)));
    if ((round & 3) !== 3) continue;
    const added = (round + 1) >> 2;
    x = (x + schedule[added % 3]!) | 0;
    y = (y + schedule[(added + 1) % 3]! + added) | 0;
  }
  words[at] = x;
  words[at + 1] = y;
}

/** Replaces the counter in `block` [2] by its image under `key`. */
export function threefry(key: Key, block: Uint32Array): void {
  encrypt(scheduleOf(key), block, 0);
}

/** Random 32-bit words [2·count]: the images of the counters first … first + count − 1, each giving two. */
export function randomWords(key: Key, count: number, first = 0): Uint32Array {
  const schedule = scheduleOf(key);
  const words = new Uint32Array(2 * count);
  for (let i = 0; i < count; i++) {
    const counter = first + i;
    words[2 * i] = counter;
    words[2 * i + 1] = Math.floor(counter / 2 ** 32);
    encrypt(schedule, words, 2 * i);
  }
  return words;
}
