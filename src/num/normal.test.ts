import { describe, expect, it } from 'vitest';
import { normalCumulativeMinus2, normalQuantile } from './normal.js';

describe('normalQuantile', () => {
  // Python 3.11: statistics.NormalDist().inv_cdf(p)
  it.each([
    [1e-300, -37.0470962993612],
    [1e-20, -9.262340089798405],
    [1e-9, -5.9978070150076865],
    [0.001, -3.090232306167813],
    [0.074, -1.4466320671589785],
    [0.076, -1.4325027208258114],
    [0.3, -0.5244005127080407],
    [0.75, 0.6744897501960817],
    [0.925, 1.439531470938456],
    [0.926, 1.4466320671589785],
    [0.999, 3.090232306167813],
  ])('of %d is %d', (p, expected) => {
    expect(Math.abs(normalQuantile(p) - expected)).toBeLessThanOrEqual(4e-16 * Math.abs(expected));
  });

  it('is odd about one half and infinite at the ends', () => {
    for (const p of [0.01, 0.2, 0.45]) expect(normalQuantile(1 - p)).toBeCloseTo(-normalQuantile(p), 14);
    expect([normalQuantile(0), normalQuantile(1)]).toEqual([-Infinity, Infinity]);
  });

  it('inverts the distribution function at −2', () => {
    expect(normalQuantile(normalCumulativeMinus2)).toBeCloseTo(-2, 14);
  });
});
