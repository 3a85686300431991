import { describe, expect, it } from 'vitest';
import { emptyView, hugeView, syntheticView } from '../../../test/support/synthetic-view.js';
import { DataError, NumericError } from '../../errors.js';
import type { Numbers } from '../../ledger/types.js';
import type { LedgerView } from '../../ledger/view.js';
import { analyseDistribution } from './distribution.js';

const view = syntheticView({ segments: 60 });

async function entriesOf(of: LedgerView): Promise<number[]> {
  const entries: number[] = [];
  for await (const row of of.rows('allocation', 'train')!) entries.push(...row);
  return entries;
}

function withRows(rows: readonly Numbers[]): LedgerView {
  const base = syntheticView({ segments: rows.length, layers: { a: 3, b: rows[0]!.length - 3 } });
  async function* read(): AsyncGenerator<Numbers> {
    for (const row of rows) yield await Promise.resolve(row);
  }
  return { ...base, rows: () => read() };
}

describe('distribution of allocations', () => {
  it('counts every entry in the bin that its edges promise', async () => {
    const distribution = (await analyseDistribution(view, 'train'))!;
    const entries = await entriesOf(view);
    expect(distribution.entries).toBe(entries.length);
    expect(distribution.zero).toBe(entries.filter((value) => value === 0).length);
    for (const sign of [-1, 1]) {
      const side = sign < 0 ? distribution.helping : distribution.hurting;
      const sizes = entries.filter((value) => Math.sign(value) === sign).map(Math.abs);
      const within = (low: number, high: number) => sizes.filter((size) => size >= low && size < high).length;
      const { edges } = distribution;
      expect(side.bins).toEqual(edges.slice(1).map((high, i) => within(edges[i]!, high)));
      expect(side.underflow).toBe(within(0, edges[0]!));
      expect(side.overflow).toBe(within(edges.at(-1)!, Infinity));
      expect(side.count).toBe(sizes.length);
      expect(side.maximum).toBe(Math.max(...sizes));
      expect(side.mass / sizes.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    }
  });

  it('has 112 bins, eight per decade, whose edges are within 0.8 % of powers of ten', async () => {
    const { edges } = (await analyseDistribution(view, 'train'))!;
    expect(edges).toHaveLength(113);
    edges.forEach((edge, i) => {
      const exact = 10 ** (-14 + i / 8);
      expect(edge).toBeGreaterThanOrEqual(exact);
      expect(edge / exact).toBeLessThan(1.008);
    });
  });

  it.each([1e30, 40, 1, 1e-20, 1e-30])('has bins for entries of size %d', async (size) => {
    const rows = [Float32Array.of(size, -size / 3, 0, size / 1e4, -size / 7)];
    const { edges, helping, hurting } = (await analyseDistribution(withRows(rows), 'train'))!;
    expect([helping.overflow, hurting.overflow, helping.underflow, hurting.underflow]).toEqual([0, 0, 0, 0]);
    expect(edges.at(-1)).toBeGreaterThan(rows[0]![0]!);
    const counts = helping.bins.map((count, i) => count + hurting.bins[i]!);
    expect(counts.reduce((a, b) => a + b)).toBe(4);
    for (let i = 1; i < edges.length; i++) expect(edges[i]).toBeGreaterThan(edges[i - 1]!);
  });

  it('finds quantiles to 0.8 %', async () => {
    const distribution = (await analyseDistribution(view, 'train'))!;
    const sizes = (await entriesOf(view)).filter((value) => value < 0).map((value) => -value);
    sizes.sort((a, b) => a - b);
    for (const { probability, magnitude } of distribution.helping.quantiles) {
      const exact = sizes[Math.ceil(probability * sizes.length) - 1]!;
      expect(Math.abs(magnitude! / exact - 1)).toBeLessThan(0.008);
    }
  });

  it('finds the share held by the largest 1 %, over all entries and over those not zero', async () => {
    const { topPercentShare } = (await analyseDistribution(view, 'train'))!;
    const sizes = (await entriesOf(view)).map(Math.abs).sort((a, b) => b - a);
    const nonzero = sizes.filter((size) => size > 0).length;
    const total = sizes.reduce((a, b) => a + b);
    const held = (count: number) => sizes.slice(0, Math.round(count)).reduce((a, b) => a + b, 0) / total;
    expect(topPercentShare.ofAll).toBeCloseTo(held(sizes.length / 100), 3);
    expect(topPercentShare.ofNonzero).toBeCloseTo(held(nonzero / 100), 3);
    expect(topPercentShare.ofNonzero!).toBeLessThan(topPercentShare.ofAll!);
  });

  it('gives the Gaussian share that a Gaussian sample has', async () => {
    const count = 200_000;
    const row = Float32Array.from({ length: count }, (_, i) => {
      const radius = Math.sqrt(-2 * Math.log((i + 0.5) / count));
      return radius * Math.cos(2 * Math.PI * ((i * 0.6180339887498949) % 1));
    });
    const distribution = (await analyseDistribution(withRows([row]), 'train'))!;
    expect(distribution.topPercentShareOfGaussian).toBeCloseTo(0.0362, 3);
    expect(distribution.topPercentShare.ofAll).toBeCloseTo(distribution.topPercentShareOfGaussian, 3);
  });

  it('counts extremes: the smallest denormal, minus zero, numbers beyond 1', async () => {
    const row = Float32Array.of(-(2 ** -149), -0, 0, 1.5, -40, 1e-14, 2 ** -126, 3.4e38);
    const { helping, hurting, zero } = (await analyseDistribution(withRows([row]), 'train'))!;
    expect(zero).toBe(2);
    expect(helping).toMatchObject({ count: 2, underflow: 1, overflow: 0, maximum: 40 });
    expect(hurting).toMatchObject({ count: 4, underflow: 2, overflow: 0 });
  });

  it('refuses NaN and infinity, and says where they are', async () => {
    for (const bad of [NaN, -NaN, Infinity, -Infinity]) {
      const rows = [Float32Array.of(1, 2, 3, 4, 5), Float32Array.of(1, 2, 3, 4, bad)];
      const refused = analyseDistribution(withRows(rows), 'train');
      await expect(refused).rejects.toThrow(NumericError);
      await expect(refused).rejects.toMatchObject({
        location: { iteration: 1, tensor: 'b.weight', index: 1 },
      });
    }
  });

  it('counts float64 rows as their float32 numbers, and refuses what float32 cannot hold', async () => {
    const rows = [[-1.25, 0.1, 0, 1e-60, 3e-7]];
    const [wide, narrow] = [Float64Array, Float32Array].map((kind) => rows.map((row) => kind.from(row)));
    const described = (await analyseDistribution(withRows(wide!), 'train'))!;
    expect(described).toEqual(await analyseDistribution(withRows(narrow!), 'train'));
    expect(described).toMatchObject({ zero: 2, helping: { maximum: 1.25 }, hurting: { count: 2 } });
    await expect(analyseDistribution(withRows([Float64Array.of(0, 0, 0, 1e39)]), 'train')).rejects.toThrow(
      /allocation 1e\+39 of b.weight\[0\]/,
    );
  });

  it('reads the rows of the objective that is asked for', async () => {
    const named = syntheticView({ segments: 5, objectives: ['mine', 'yours'] });
    const [mine, yours] = await Promise.all([
      analyseDistribution(named, 'mine'),
      analyseDistribution(named, 'yours'),
    ]);
    expect(mine!.entries).toBe(yours!.entries);
    expect(mine).not.toEqual(yours);
  });

  it('refuses a ledger with missing rows', async () => {
    await expect(analyseDistribution({ ...view, segments: 61 }, 'train')).rejects.toThrow(DataError);
  });

  it('reports progress row by row', async () => {
    const seen: number[] = [];
    await analyseDistribution(syntheticView({ segments: 4 }), 'train', (rows) => seen.push(rows));
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  it('is null where no rows were kept, and empty for an empty run', async () => {
    expect(await analyseDistribution(hugeView(), 'train')).toBeNull();
    const empty = (await analyseDistribution(emptyView(), 'train'))!;
    expect(empty).toMatchObject({ entries: 0, topPercentShare: { ofAll: null, ofNonzero: null } });
    expect(empty.helping.quantiles.every(({ magnitude }) => magnitude === null)).toBe(true);
  });
});
