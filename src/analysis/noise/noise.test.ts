import { describe, expect, it } from 'vitest';
import { fold, key, uniform } from '../../num/random.js';
import { layoutOf } from '../../ledger/layout.js';
import type { ThemeContext } from '../themes/sweep.js';
import { syntheticView } from '../../../test/support/synthetic-view.js';
import { binOfShare, coinBins } from './coins.js';
import { type NoiseAnalysis, watchNoise } from './noise.js';

/** Analyses rows [T][K] of one layer; small columns are those of a synthetic run. */
function noiseOf(rows: readonly (readonly number[])[]): NoiseAnalysis {
  const size = rows[0]!.length;
  const view = { ...syntheticView({ segments: rows.length, layers: { a: size } }) };
  const layout = layoutOf([{ name: 'a.weight', shape: [size], layer: 'a', neuronAxis: null }]);
  const context: ThemeContext = {
    view: { ...view, layout }, objective: 'train', heldOut: null, parts: [], exampleShape: [],
    has: (stream) => stream === 'allocation', totals: null,
  }; // prettier-ignore
  const watcher = watchNoise(context);
  rows.forEach((row, t) => watcher.passes[0]!.allocation!(Float64Array.from(row), t));
  return watcher.finish();
}

/** Signs that help with probability p, [T][K]. */
const coins = (name: string, T: number, K: number, p: number): number[][] =>
  Array.from({ length: T }, (_, t) => [...uniform(fold(key(name), t), K)].map((u) => (u < p ? -1 : 1)));

describe('alternation', () => {
  it('counts what follows on what, and not across zeros', () => {
    // Columns: help hurt help hurt; help 0 hurt hurt; all zero.
    const { alternation, histogram } = noiseOf([[-1, -2, 0], [3, 0, 0], [-1, 5, 0], [2, 1, 0]]); // prettier-ignore
    expect(alternation!.counts).toEqual({ helpHelp: 0, helpHurt: 2, hurtHelp: 1, hurtHurt: 1 });
    expect(alternation).toMatchObject({ helpsAfterHurting: 1 / 2, helpsAfterHelping: 0, changes: 3 / 4 });
    expect(histogram!.never).toBe(1);
    expect(histogram!.ofNonzero[10]).toBe(1);
    expect(histogram!.ofNonzero[6]).toBe(1);
    expect(histogram!.ofNonzero.reduce((a, b) => a + b)).toBe(2);
    expect(histogram!.ofAll[0]).toBe(1);
  });

  it('is that of coins for coins, and complete for a parameter that alternates', () => {
    const { alternation, histogram, walk } = noiseOf(coins('flip', 400, 500, 0.55));
    expect(alternation!.changes).toBeCloseTo(2 * 0.55 * 0.45, 2);
    expect(alternation!.changesOfCoins).toBeCloseTo(2 * 0.55 * 0.45, 2);
    expect(histogram!.dispersion).toBeGreaterThan(0.85);
    expect(histogram!.dispersion).toBeLessThan(1.15);
    histogram!.coins.forEach((expected, bin) => {
      expect(Math.abs(histogram!.ofNonzero[bin]! - expected)).toBeLessThan(5 * Math.sqrt(expected + 1));
    });
    // Drift of 0.1 a step: E S² / E Q = (T + (T² − T) 0.01) / T.
    expect(walk!.ratio).toBeCloseTo(1 + 399 * 0.01, 0);
    const there = noiseOf([[-1], [1], [-1], [1]]);
    expect(there.alternation!.changes).toBe(1);
    expect(there.walk!.ratio).toBe(0);
  });
});

describe('random walk', () => {
  it('has a ratio of 1, and reaches what was expected', () => {
    const { walk } = noiseOf(coins('walk', 300, 3000, 0.5));
    expect(walk!.ratio).toBeGreaterThan(0.9);
    expect(walk!.ratio).toBeLessThan(1.1);
    expect(walk!.reach / walk!.reachOfWalk).toBeCloseTo(1, 1);
    expect(walk!.helpedOverall).toBeCloseTo(0.5, 1);
  });

  it('has a ratio of T for steps that are all alike', () => {
    expect(noiseOf(Array.from({ length: 7 }, () => [-2, -2])).walk!.ratio).toBeCloseTo(7, 12);
  });
});

describe('shares in bins', () => {
  it('do not move by rounding', () => {
    for (let n = 20; n <= 400; n += 20) expect(binOfShare((n * 3) / 20, n)).toBe(3);
    expect([binOfShare(0, 7), binOfShare(7, 7), binOfShare(1, 2)]).toEqual([0, 19, 10]);
  });

  it.each([[1, 0.3], [10, 0.5], [199, 0.52], [4001, 0.51]])('of %i tosses add up to one, around the mean', (n, p) => {
    const bins = coinBins(n, p);
    expect(bins.reduce((a, b) => a + b)).toBeCloseTo(1, 10);
    if (n === 1) expect([bins[0], bins[19]].map((x) => x!.toFixed(12))).toEqual(['0.700000000000', '0.300000000000']);
    if (n === 10) expect(bins[10]).toBeCloseTo(252 / 1024, 12);
  }); // prettier-ignore
});
