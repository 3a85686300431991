import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { standardised } from './standardise.js';

const transform = { dtype: 'uint8', divisor: 255, mean: [], std: [] } as const;

describe('standardised', () => {
  it('gives each channel mean 0 and variance 1', () => {
    const images = fc.uint8Array({ minLength: 48, maxLength: 48 });
    fc.assert(
      fc.property(images, (inputs) => {
        inputs[0] = 0;
        inputs[8] = 255;
        const examples = { count: 4, shape: [3, 2, 2], inputs, labels: new Int32Array(4) };
        const { mean, std } = standardised(examples, transform);
        for (const channel of [0, 1, 2]) {
          const values = [...inputs].filter((_, i) => Math.floor(i / 4) % 3 === channel);
          const scaled = values.map((value) => (value / 255 - mean[channel]!) / std[channel]!);
          const average = scaled.reduce((total, value) => total + value, 0) / scaled.length;
          const square = scaled.reduce((total, value) => total + value * value, 0) / scaled.length;
          expect(average).toBeCloseTo(0, 10);
          expect(square).toBeCloseTo(new Set(values).size > 1 ? 1 : 0, 10);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('only centres a constant channel', () => {
    const examples = {
      count: 2,
      shape: [1, 1, 2],
      inputs: new Uint8Array(4).fill(51),
      labels: new Int32Array(2),
    };
    expect(standardised(examples, transform)).toEqual({ ...transform, mean: [0.2], std: [1] });
  });
});
