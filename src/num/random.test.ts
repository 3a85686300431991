import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  fold,
  key,
  normal,
  permutation,
  split,
  truncatedDeviation,
  truncatedNormal,
  uniform,
} from './random.js';

const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
function variance(values: Float64Array): number {
  const centre = mean(values);
  return mean(values.map((value) => (value - centre) ** 2));
}

describe('key', () => {
  it('tells numbers and texts apart, and every seed from every other', () => {
    const seeds = [
      0,
      1,
      2 ** 32,
      2 ** 53 - 1,
      '',
      '0',
      '1',
      'a',
      'b',
      'ab',
      'ba',
      'a\0',
      '\0a',
      'abc',
      'abc\0',
    ];
    expect(new Set(seeds.map((seed) => key(seed).join())).size).toBe(seeds.length);
  });

  it.each([-1, 0.5, NaN, Infinity, 2 ** 53])('refuses %d', (seed) => {
    expect(() => key(seed)).toThrow(/seed .*\n.*whole number/);
  });
});

describe('fold', () => {
  it('gives distinct keys for names, numbers and levels', () => {
    const parent = key(7);
    const keys = [
      parent,
      ...split(parent, 100),
      ...['', 'a', 'order', 'orders', 'init', '0', '1'].map((name) => fold(parent, name)),
      fold(fold(parent, 'a'), 'b'),
      fold(fold(parent, 'b'), 'a'),
      fold(parent, 2 ** 40),
    ];
    expect(new Set(keys.map((each) => each.join())).size).toBe(keys.length);
  });

  it('is a function of its arguments', () => {
    expect(fold(key('s'), 'x')).toEqual(fold(key('s'), 'x'));
  });
});

describe('uniform', () => {
  it('lies in [0, 1), with the moments of the uniform law', () => {
    const draws = uniform(key(1), 100_000);
    expect(Math.min(...draws.subarray(0, 10_000))).toBeGreaterThanOrEqual(0);
    expect(draws.every((u) => u >= 0 && u < 1)).toBe(true);
    // Five standard errors.
    expect(Math.abs(mean(draws) - 0.5)).toBeLessThan(5 * Math.sqrt(1 / 12 / draws.length));
    expect(Math.abs(variance(draws) - 1 / 12)).toBeLessThan(5 * Math.sqrt(1 / 180 / draws.length));
  });

  it('does not depend on how many are asked for', () => {
    expect(uniform(key(3), 100).subarray(0, 10)).toEqual(uniform(key(3), 10));
  });

  it('is uncorrelated between sibling keys', () => {
    const [a, b] = split(key(5), 2).map((each) => uniform(each, 20_000));
    const covariance = mean(a!.map((value, i) => (value - 0.5) * (b![i]! - 0.5)));
    expect(Math.abs(covariance)).toBeLessThan((5 * (1 / 12)) / Math.sqrt(20_000));
  });
});

describe('normal', () => {
  it('has the moments of the standard normal', () => {
    const draws = normal(key(2), 100_000);
    expect(Math.abs(mean(draws))).toBeLessThan(5 / Math.sqrt(draws.length));
    expect(Math.abs(variance(draws) - 1)).toBeLessThan(5 * Math.sqrt(2 / draws.length));
    const beyond2 = draws.filter((x) => Math.abs(x) > 2).length / draws.length;
    expect(Math.abs(beyond2 - 0.0455)).toBeLessThan(5 * Math.sqrt(0.0455 / draws.length));
  });
});

describe('truncatedNormal', () => {
  it('has variance 1 and stays within two of its parent’s deviations', () => {
    const draws = truncatedNormal(key(2), 100_000);
    expect(Math.abs(mean(draws))).toBeLessThan(5 / Math.sqrt(draws.length));
    expect(Math.abs(variance(draws) - 1)).toBeLessThan(5 * Math.sqrt(2 / draws.length));
    expect(draws.every((x) => Math.abs(x) <= 2 / truncatedDeviation)).toBe(true);
    expect(draws.some((x) => Math.abs(x) > 2)).toBe(true);
  });

  it('uses the deviation that Simpson’s rule gives for the truncated law', () => {
    const n = 1000;
    let mass = 0;
    let second = 0;
    for (let i = 0; i <= n; i++) {
      const x = -2 + (4 * i) / n;
      const weight = (i === 0 || i === n ? 1 : 2 + 2 * (i % 2)) * Math.exp(-x * x * 0.5);
      mass += weight;
      second += weight * x * x;
    }
    expect(truncatedDeviation).toBeCloseTo(Math.sqrt(second / mass), 10);
  });
});

describe('permutation', () => {
  it('holds every position once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), fc.nat(), (count, seed) => {
        const order = permutation(key(seed), count);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
      }),
      { numRuns: 50 },
    );
  });

  it('favours no order of three', () => {
    const counts = new Map<string, number>();
    const runs = 6000;
    for (const each of split(key('orders'), runs)) {
      const order = permutation(each, 3).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    const expected = runs / 6;
    const chiSquare = [...counts.values()].reduce(
      (sum, count) => sum + (count - expected) ** 2 / expected,
      0,
    );
    expect(counts.size).toBe(6);
    // The 99.99 % point of chi-square with five degrees of freedom.
    expect(chiSquare).toBeLessThan(25.7);
  });
});
