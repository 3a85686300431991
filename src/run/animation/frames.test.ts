import { describe, expect, it } from 'vitest';
import { syntheticView } from '../../../test/support/synthetic-view.js';
import { framesOf, measureFrames } from './frames.js';

const view = syntheticView({ segments: 7, layers: { a: 40, b: 10 } });

async function rowsOf(): Promise<number[][]> {
  const rows: number[][] = [];
  for await (const row of view.rows('allocation', 'train')!) rows.push([...row]);
  return rows;
}

async function collect(options: Parameters<typeof framesOf>[1]) {
  const { count, read } = framesOf(view, options);
  const frames: { values: number[]; sums: number[]; row: number }[] = [];
  for await (const { values, sums, row } of read())
    frames.push({ values: [...values], sums: [...sums], row });
  expect(frames).toHaveLength(count);
  return frames;
}

describe('frames', () => {
  it('leave no segment out, the last ones neither', async () => {
    const [frames, rows] = [await collect({ every: 3, cumulative: false }), await rowsOf()];
    expect(frames.map(({ row }) => row)).toEqual([3, 6, 7]);
    for (let k = 0; k < 50; k++) {
      const all = frames.reduce((total, { values }) => total + values[k]!, 0);
      expect(all).toBeCloseTo(rows.reduce((total, row) => total + row[k]!, 0), 12); // prettier-ignore
      expect(frames[2]!.values[k]).toBe(rows[6]![k]);
    }
  });

  it('add up where they are cumulative, with the sums of layers', async () => {
    const [frames, rows] = [await collect({ every: 1, cumulative: true }), await rowsOf()];
    const total = (from: number, to: number): number =>
      rows.flatMap((row) => row.slice(from, to)).reduce((sum, value) => sum + value, 0);
    expect(frames.at(-1)!.sums[0]).toBeCloseTo(total(0, 40), 12);
    expect(frames.at(-1)!.sums[1]).toBeCloseTo(total(40, 50), 12);
  });

  it('have a scale that one nonzero entry in a thousand exceeds at most, or the one that is given', async () => {
    const { read } = framesOf(view, { every: 1, cumulative: false });
    const values = (await rowsOf()).flat().map(Math.abs);
    const { largest, beyond, largestSum } = await measureFrames(read());
    const exceeding = values.filter((value) => value > 1.00001 * largest).length;
    expect(exceeding / values.filter((value) => value > 0).length).toBeLessThanOrEqual(0.001);
    expect(beyond).toBeLessThanOrEqual(0.001);
    expect(largestSum).toBeGreaterThan(0);
    expect((await measureFrames(read(), 1e-5)).largest).toBe(1e-5);
  });

  it('need allocations by parameter and an objective that was measured', () => {
    const without = syntheticView({ segments: 3, keepAllocations: false });
    const options = { every: 1, cumulative: false };
    expect(() => framesOf(without, options)).toThrow(/--keep parameters/);
    expect(() => framesOf(view, { ...options, objective: 'other' })).toThrow(/train, validation/);
  });
});
