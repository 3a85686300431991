import { describe, expect, it } from 'vitest';
import { key, normal, uniform } from '../../num/random.js';
import { compareSamples, kolmogorovTail } from './kolmogorov.js';
import { studentT, testMean } from './t-test.js';

describe('test of a mean against zero', () => {
  it("is Student's own example: extra sleep by two drugs (1908), t = 4.06, p = 0.0028", async () => {
    const extra = [1.2, 2.4, 1.3, 1.3, 0, 1, 1.8, 0.8, 4.6, 1.4];
    const { mean, statistic, p, interval } = testMean(extra, await studentT());
    expect(mean).toBeCloseTo(1.58, 10);
    expect(statistic).toBeCloseTo(4.0621, 4);
    expect(p).toBeCloseTo(0.002833, 6);
    expect(interval![0]).toBeCloseTo(0.7001142, 6);
    expect(interval![1]).toBeCloseTo(2.4598858, 6);
  });

  it('has the closed form of one and of two degrees of freedom', async () => {
    const { cdf, quantile } = await studentT();
    for (const x of [-3, -0.4, 0, 1, 7]) {
      expect(cdf(x, 1)).toBeCloseTo(0.5 + Math.atan(x) / Math.PI, 12);
      expect(cdf(x, 2)).toBeCloseTo(0.5 + x / (2 * Math.sqrt(2 + x * x)), 12);
    }
    expect(quantile(0.975, 9)).toBeCloseTo(2.262157, 6);
  });

  it('rejects a true mean of zero at the nominal rate', async () => {
    const student = await studentT();
    const numbers = normal(key('means'), 5 * 2000);
    const rejected = Array.from({ length: 2000 }, (_, i) => testMean([...numbers.subarray(5 * i, 5 * i + 5)], student)).filter(({ p }) => p! < 0.05); // prettier-ignore
    expect(rejected.length / 2000).toBeGreaterThan(0.04);
    expect(rejected.length / 2000).toBeLessThan(0.06);
  });

  it('says nothing of one value, and has no statistic without spread', async () => {
    const student = await studentT();
    expect(testMean([2], student)).toMatchObject({ mean: 2, deviation: null, interval: null, p: null });
    expect(testMean([2, 2], student)).toMatchObject({
      deviation: 0,
      interval: [2, 2],
      statistic: null,
      p: null,
    });
  });
});

describe('test of two samples', () => {
  it("has Smirnov's critical values (1948)", () => {
    expect(kolmogorovTail(1.2238)).toBeCloseTo(0.1, 4);
    expect(kolmogorovTail(1.3581)).toBeCloseTo(0.05, 4);
    expect(kolmogorovTail(1.6276)).toBeCloseTo(0.01, 4);
    expect(kolmogorovTail(0)).toBe(1);
  });

  it('finds the largest distance of the two distribution functions, ties counted once', () => {
    expect(compareSamples([1, 2, 3, 4], [3, 4, 5, 6])!.distance).toBe(0.5);
    expect(compareSamples([1, 1, 2], [1, 2, 2])!.distance).toBeCloseTo(1 / 3, 12);
    expect(compareSamples([1, 2], [2, 1])).toMatchObject({ distance: 0, p: 1 });
    expect(compareSamples([], [1])).toBeNull();
  });

  it('rejects one distribution at about the nominal rate, and a shift nearly always', () => {
    const numbers = uniform(key('samples'), 400 * 200);
    const sample = (i: number): number[] => [...numbers.subarray(100 * i, 100 * i + 100)];
    const tests = Array.from({ length: 400 }, (_, i) => compareSamples(sample(2 * i), sample(2 * i + 1))!.p);
    expect(tests.filter((p) => p < 0.05).length / 400).toBeLessThan(0.08);
    const shifted = Array.from({ length: 50 }, (_, i) => compareSamples(sample(i), sample(i + 60).map((x) => x + 0.4))!.p); // prettier-ignore
    expect(shifted.every((p) => p < 1e-3)).toBe(true);
  });
});
