import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CellSums } from './cell-sums.js';
import { sum } from './sums.js';

const numbers = fc.float64Array({
  noDefaultInfinity: true,
  noNaN: true,
  max: 1e300,
  min: -1e300,
  maxLength: 60,
});

describe('CellSums', () => {
  it('gives each cell the sum of its values to the bit, added singly or in runs', () => {
    fc.assert(
      fc.property(numbers, fc.nat(60), (values, cut) => {
        const middle = Math.min(cut, values.length);
        const sums = new CellSums(2);
        for (const value of values) sums.add(0, value);
        const run = (offset: number, inner: number) => ({ offset, outer: 1, extent: 1, inner, first: 1 });
        sums.addStrip(values, run(0, middle));
        sums.addStrip(values, run(middle, values.length - middle));
        const expected = sum(values);
        expect([...sums.results()]).toEqual([expected, expected]);
      }),
    );
  });

  it('lets infinities through', () => {
    const sums = new CellSums(1);
    sums.addStrip(Float64Array.of(1, Infinity, 2), { offset: 0, outer: 1, extent: 1, inner: 3, first: 0 });
    expect(sums.results()[0]).not.toBe(3);
    expect(Number.isFinite(sums.results()[0])).toBe(false);
  });
});
