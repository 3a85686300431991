import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addInto, addScaledInto, combineInto, dot, firstNonFinite, meanInto, norm, sum } from './sums.js';

/** The sum in exact fixed-point arithmetic, rounded to a number at the end. */
function exactSum(values: readonly number[]): number {
  const scaled = values.reduce((total, value) => total + toFixedPoint(value), 0n);
  return fromFixedPoint(scaled);
}

const scale = 1100;

function toFixedPoint(value: number): bigint {
  if (value === 0) return 0n;
  const exponent = Math.floor(Math.log2(Math.abs(value))) - 60;
  const clamped = Math.max(exponent, -1074);
  return BigInt(value / 2 ** clamped) << BigInt(clamped + scale);
}

function fromFixedPoint(scaled: bigint): number {
  const excess = Math.max(0, scaled.toString(2).length - 64);
  return Number(scaled >> BigInt(excess)) * 2 ** (excess - scale / 2) * 2 ** (-scale / 2);
}

const moderate = fc
  .tuple(fc.integer({ min: -(2 ** 52), max: 2 ** 52 }), fc.integer({ min: -100, max: 100 }))
  .map(([mantissa, exponent]) => mantissa * 2 ** exponent);

describe('sum', () => {
  it('keeps what cancellation would lose', () => {
    expect(sum([1, 1e100, 1, -1e100])).toBe(2);
    expect(sum(new Float32Array(1e6).fill(0.1))).toBe(Math.fround(0.1) * 1e6);
  });

  it('is within two roundings of the exact sum, plus the second-order term', () => {
    fc.assert(
      fc.property(fc.array(moderate, { maxLength: 40 }), (values) => {
        const exact = exactSum(values);
        const magnitude = values.reduce((total, value) => total + Math.abs(value), 0);
        const bound = 2 ** -52 * Math.abs(exact) + values.length ** 2 * 2 ** -105 * magnitude;
        expect(Math.abs(sum(Float64Array.from(values)) - exact)).toBeLessThanOrEqual(bound);
      }),
    );
  });

  it('lets NaN and infinities through', () => {
    expect(sum([1, NaN])).toBeNaN();
    expect(sum([1, Infinity, 2])).toBe(Infinity);
    expect(sum([Infinity, -Infinity])).toBeNaN();
  });
});

describe('dot', () => {
  it('equals the compensated sum of the products', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(moderate, moderate), { maxLength: 40 }), (pairs) => {
        const a = Float64Array.from(pairs, ([x]) => x);
        const b = Float64Array.from(pairs, ([, y]) => y);
        expect(dot(a, b)).toBe(sum(pairs.map(([x, y]) => x * y)));
      }),
    );
  });
});

describe('reductions in place', () => {
  it('add, and add scaled', () => {
    const target = Float64Array.of(1, 2, 3);
    addInto(target, Float32Array.of(1, 1, 1));
    expect([...target]).toEqual([2, 3, 4]);
    addScaledInto(target, -0.5, Float64Array.of(2, 2, 2));
    expect([...target]).toEqual([1, 2, 3]);
  });
});

describe('reductions of many vectors', () => {
  const several = Array.from({ length: 20 }, (_, count) => count);
  const vectors = (count: number) =>
    Array.from({ length: count }, (_, v) => Float64Array.from({ length: 5 }, (_, i) => Math.sin(7 * v + i) * 10 ** (v % 5))); // prettier-ignore

  it.each(several)('give the bits of one after the other, of %i vectors', (count) => {
    const all = vectors(count);
    const [mean, combination] = [new Float64Array(5).fill(NaN), new Float64Array(5).fill(NaN)];
    const expected = [new Float64Array(5), new Float64Array(5)] as const;
    for (const [v, vector] of all.entries()) {
      addInto(expected[0], vector);
      addScaledInto(expected[1], 1 / (v + 3), vector);
    }
    meanInto(mean, all, 7);
    combineInto(combination, all.map((vector, v) => ({ weight: 1 / (v + 3), vector }))); // prettier-ignore
    expect(mean).toEqual(expected[0].map((value) => value / 7));
    expect(combination).toEqual(expected[1]);
  });
});

describe('norm', () => {
  it('is Euclidean', () => {
    expect(norm(Float64Array.of(3, -4))).toBe(5);
    expect(norm(new Float64Array(0))).toBe(0);
  });
});

describe('firstNonFinite', () => {
  it('finds the first NaN or infinity', () => {
    expect(firstNonFinite(Float32Array.of(1, 2))).toBe(-1);
    expect(firstNonFinite(Float64Array.of(1, Infinity, NaN))).toBe(1);
    expect(firstNonFinite(Float64Array.of(NaN))).toBe(0);
  });
});
