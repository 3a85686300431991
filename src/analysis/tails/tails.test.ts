import { describe, expect, it } from 'vitest';
import { key, normal, uniform } from '../../num/random.js';
import { syntheticView } from '../../../test/support/synthetic-view.js';
import { analyseThemes } from '../themes/themes.js';
import { carriersOf, concentrationOf } from './concentration.js';
import { fitAll, type Magnitudes } from './fits.js';

/** Magnitudes, each a class of its own. */
function magnitudes(values: ArrayLike<number>): Magnitudes {
  const means = Float64Array.from(values, Math.abs).sort();
  return { counts: new Float64Array(means.length).fill(1), means, ends: means };
}

/** Weibull magnitudes by inversion. */
const weibull = (name: string, count: number, shape: number, scale: number): Float64Array =>
  uniform(key(name), count).map((u) => scale * (-Math.log(1 - u)) ** (1 / shape));

describe('fits by maximum likelihood', () => {
  it.each([[0.25, 1e-9], [0.7, 3], [1, 1e-3], [2.5, 40]])('recovers a Weibull distribution of shape %d', (shape, scale) => {
    const { weibull: fit, laplace, gaussian } = fitAll(magnitudes(weibull(`w${shape}`, 20_000, shape, scale)))!;
    const halfWidth = fit.shapeInterval![1] - fit.shape!;
    // Three standard errors; how often the interval itself covers is tested below.
    expect(Math.abs(fit.shape! - shape)).toBeLessThan((3 / 1.96) * halfWidth);
    expect(fit.scale / scale).toBeCloseTo(1, 1);
    expect(fit.distance).toBeLessThan(0.015);
    if (shape < 0.9) expect(fit.logLikelihood).toBeGreaterThan(Math.max(laplace.logLikelihood, gaussian.logLikelihood));
  }); // prettier-ignore

  it('covers the true shape in about 95 of 100 samples', () => {
    const covered = Array.from({ length: 200 }, (_, i) => {
      const [low, high] = fitAll(magnitudes(weibull(`c${i}`, 300, 0.5, 1)))!.weibull.shapeInterval!;
      return low < 0.5 && 0.5 < high;
    });
    expect(covered.filter(Boolean).length / 200).toBeGreaterThan(0.9);
  });

  it('is the exponential where the shape is 1, and knows a Gaussian', () => {
    const numbers = normal(key('gauss'), 20_000);
    const { gaussian, laplace, weibull: fit } = fitAll(magnitudes(numbers))!;
    expect(gaussian.scale).toBeCloseTo(1, 1);
    expect(gaussian.distance).toBeLessThan(0.015);
    // Entropy of a standard Gaussian: ln √(2πe).
    expect(gaussian.logLikelihood).toBeCloseTo(-Math.log(Math.sqrt(2 * Math.PI * Math.E)), 1);
    expect(gaussian.logLikelihood).toBeGreaterThan(Math.max(laplace.logLikelihood, fit.logLikelihood));
  });

  it('is that of the mean log density, summed by its definition', () => {
    const values = magnitudes([0.1, 0.5, 2, 7]);
    const { weibull: fit } = fitAll(values)!;
    const [c, s] = [fit.shape!, fit.scale];
    const density = (x: number): number => (c / (2 * s)) * (x / s) ** (c - 1) * Math.exp(-((x / s) ** c));
    const mean = [...values.means].reduce((sum, x) => sum + Math.log(density(x)), 0) / 4;
    expect(fit.logLikelihood).toBeCloseTo(mean, 10);
    expect(fitAll(magnitudes([1]))).toBeNull();
  });
});

describe('concentration', () => {
  it('has the closed forms of equal, exponential and Gaussian magnitudes', () => {
    const equal = concentrationOf(magnitudes([2, 2, 2, 2]))!;
    expect(equal).toMatchObject({ gini: 0, halfShare: 0.5 });
    const steps = 20_000;
    const grid = Float64Array.from({ length: steps }, (_, i) => -Math.log(1 - (i + 0.5) / steps));
    expect(concentrationOf(magnitudes(grid))!.gini).toBeCloseTo(0.5, 3);
    const gauss = concentrationOf(magnitudes(normal(key('tails'), 200_000)))!;
    expect(gauss.gini).toBeCloseTo(Math.SQRT2 - 1, 2);
    for (const { ratio, beyond } of gauss.tails)
      expect(ratio, String(beyond)).toBeCloseTo(1, beyond < 3 ? 1 : 0);
  });

  it('counts the fewest that carry half', () => {
    expect(concentrationOf(magnitudes([10, 1, 1, 1, 1, 6]))!.halfShare).toBeCloseTo(1 / 6, 12);
    expect(carriersOf(Float64Array.of(-6, 1, -2, -1, 0))).toMatchObject({ halfOfMagnitude: 1 / 5, halfOfChange: 1 / 5 });
    expect(carriersOf(Float64Array.of(1, 2)).halfOfChange).toBeNull();
    expect(carriersOf(Float64Array.of(0, 0))).toEqual({ halfOfMagnitude: null, halfOfChange: null, gini: null });
  }); // prettier-ignore
});

describe('tails of a run', () => {
  it('add up over layers and over ranges', async () => {
    const { tails } = await analyseThemes(syntheticView({ segments: 21 }), { only: ['tails'] });
    const { run, perLayer, perRange, density } = tails!;
    const total = (of: readonly { entries: number; zero: number }[]) => of.map(({ entries, zero }) => [entries, zero]).reduce(([a, b], [c, d]) => [a! + c!, b! + d!]); // prettier-ignore
    expect(total(perLayer)).toEqual([run.entries, run.zero]);
    expect(total(perRange)).toEqual([run.entries, run.zero]);
    expect(run.entries).toBe(21 * 2500);
    expect(perRange.map(({ name }) => name)).toEqual(['0–4', '5–9', '10–14', '15–20']);
    const mass = [...density.helping, ...density.hurting].reduce((sum, value) => sum + value, 0);
    expect(mass * (Math.LN10 / 4)).toBeCloseTo(1, 6);
    // Log-normal magnitudes with σ = 2.5 are heavier than exponential ones.
    expect(run.fits!.weibull.shape).toBeLessThan(0.7);
  });
});
