import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from './builder.js';
import { resolvePads, resolveTransposePads } from './windows.js';

const geometry = fc.record({
  input: fc.integer({ min: 1, max: 20 }),
  kernel: fc.integer({ min: 1, max: 5 }),
  stride: fc.integer({ min: 1, max: 4 }),
  dilation: fc.integer({ min: 1, max: 3 }),
});

describe('resolvePads', () => {
  it('SAME gives ceil(input / stride) windows, the odd pad at the named end', () => {
    fc.assert(
      fc.property(geometry, ({ input, kernel, stride, dilation }) => {
        const upper = resolvePads('SAME_UPPER', [input], [kernel], [stride], [dilation]);
        const lower = resolvePads('SAME_LOWER', [input], [kernel], [stride], [dilation]);
        expect(lower).toEqual([...upper].reverse());
        expect(upper[1]! - upper[0]!).toBeOneOf([0, 1]);
        const builder = new GraphBuilder('same');
        const x = builder.input('x', 'float32', [1, 1, input]);
        const w = builder.input('w', 'float32', [1, 1, kernel]);
        const y = builder.apply('Conv', [x, w], { strides: [stride], dilations: [dilation], pads: upper });
        expect(y.shape[2]).toBe(Math.ceil(input / stride));
      }),
    );
  });

  it('VALID pads nothing', () => {
    expect(resolvePads('VALID', [5, 5], [3, 3])).toEqual([0, 0, 0, 0]);
  });
});

describe('resolveTransposePads', () => {
  it('SAME gives input · stride elements wherever the window covers the stride', () => {
    fc.assert(
      fc.property(geometry, ({ input, kernel, stride, dilation }) => {
        fc.pre((kernel - 1) * dilation + 1 >= stride);
        const pads = resolveTransposePads('SAME_UPPER', [input], [kernel], [stride], [dilation], [0]);
        const builder = new GraphBuilder('same');
        const x = builder.input('x', 'float32', [1, 1, input]);
        const w = builder.input('w', 'float32', [1, 1, kernel]);
        const y = builder.apply('ConvTranspose', [x, w], { strides: [stride], dilations: [dilation], pads });
        expect(y.shape[2]).toBe(input * stride);
      }),
    );
  });
});
