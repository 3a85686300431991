/**
 * Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror, Shaw: Parallel random numbers, as easy as 1, 2, 3; SC 2011): a keyed
 * bijection of 64-bit counters whose outputs are statistically random. No state, so any number of a stream can be had directly.
 */

/** Key of a random stream: two unsigned 32-bit words. Plain data, so that it can be stored in a manifest. */
export type Key = readonly [number, number];

const parity = 0x1bd11bda;

/** One group of four rounds; x and y are `state[0]` and `state[1]`. */
function fourRounds(state: Uint32Array, r0: number, r1: number, r2: number, r3: number): void {
  let x = state[0]!;
  let y = state[1]!;
  x = (x + y) | 0;
  y = x ^ ((y << r0) | (y >>> (32 - r0)));
  x = (x + y) | 0;
  y = x ^ ((y << r1) | (y >>> (32 - r1)));
  x = (x + y) | 0;
  y = x ^ ((y << r2) | (y >>> (32 - r2)));
  x = (x + y) | 0;
  y = x ^ ((y << r3) | (y >>> (32 - r3)));
  state[0] = x;
  state[1] = y;
}

function inject(state: Uint32Array, first: number, second: number): void {
  state[0] = state[0]! + first;
  state[1] = state[1]! + second;
}

/** Replaces the counter in `block` [2] by its image under `key`. */
export function threefry(key: Key, block: Uint32Array): void {
  const [k0, k1] = key;
  const k2 = (parity ^ k0 ^ k1) | 0;
  inject(block, k0, k1);
  fourRounds(block, 13, 15, 26, 6);
  inject(block, k1, k2 + 1);
  fourRounds(block, 17, 29, 16, 24);
  inject(block, k2, k0 + 2);
  fourRounds(block, 13, 15, 26, 6);
  inject(block, k0, k1 + 3);
  fourRounds(block, 17, 29, 16, 24);
  inject(block, k1, k2 + 4);
  fourRounds(block, 13, 15, 26, 6);
  inject(block, k2, k0 + 5);
}

/** Random 32-bit words [2·count]: the images of the counters first … first + count − 1, each giving two. */
export function randomWords(key: Key, count: number, first = 0): Uint32Array {
  const words = new Uint32Array(2 * count);
  const block = new Uint32Array(2);
  for (let i = 0; i < count; i++) {
    const counter = first + i;
    block[0] = counter;
    block[1] = Math.floor(counter / 2 ** 32);
    threefry(key, block);
    words[2 * i] = block[0];
    words[2 * i + 1] = block[1];
  }
  return words;
}
