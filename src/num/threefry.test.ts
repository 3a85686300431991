import { describe, expect, it } from 'vitest';
import { randomWords, threefry } from './threefry.js';

describe('threefry', () => {
  // Known-answer vectors of Threefry-2x32, 20 rounds, published with Random123.
  it.each([
    { counter: [0, 0], key: [0, 0], expected: [0x6b200159, 0x99ba4efe] },
    {
      counter: [0xffffffff, 0xffffffff],
      key: [0xffffffff, 0xffffffff],
      expected: [0x1cb996fc, 0xbb002be7],
    },
    {
      counter: [0x243f6a88, 0x85a308d3],
      key: [0x13198a2e, 0x03707344],
      expected: [0xc4923a9c, 0x483df7a0],
    },
  ])('maps $counter under $key to $expected', ({ counter, key, expected }) => {
    const block = Uint32Array.from(counter);
    threefry([key[0]!, key[1]!], block);
    expect([...block]).toEqual(expected);
  });
});

describe('randomWords', () => {
  it('gives the same words whether a stream is read at once or in parts', () => {
    const whole = randomWords([1, 2], 10);
    expect([...randomWords([1, 2], 4), ...randomWords([1, 2], 6, 4)]).toEqual([...whole]);
  });

  it('counts beyond 32 bits', () => {
    const [low, high] = randomWords([1, 2], 1, 2 ** 32 + 5);
    const block = Uint32Array.of(5, 1);
    threefry([1, 2], block);
    expect([low, high]).toEqual([...block]);
  });
});
