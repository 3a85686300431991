import { expect, it } from 'vitest';
import type { RunReader } from '../../src/format/index.js';
import { Prefix } from '../../apps/dashboard/src/data/prefix.js';
import { type Checkpoints, RangeSums } from '../../apps/dashboard/src/data/sums.js';
import { key, uniform } from '../../src/num/index.js';

const [T, K, stride] = [200, 3, 4];
/** Whole numbers: sums of them are exact in any order. */
const rows = Array.from({ length: T }, (_, t) =>
  Float64Array.from({ length: K }, (_, k) => ((7 * t * t + 13 * k) % 101) - 50),
);
const sumOf = (from: number, to: number) =>
  Array.from({ length: K }, (_, k) => rows.slice(from, to).reduce((total, row) => total + row[k]!, 0));

/** Sums over rows, and what was read for them. */
function sumsOf(withCheckpoints: boolean) {
  const read: string[] = [];
  const reader = {
    rowReader: () => (_: string, row: number) => {
      read.push(`row ${row}`);
      return row < T ? Promise.resolve(rows[row]!) : Promise.reject(new Error(`no row ${row}`));
    },
  } as unknown as RunReader;
  const checkpoints: Checkpoints = {
    stride,
    upTo: T,
    read: (count) => {
      read.push(`sum ${count}`);
      return Promise.resolve(Float64Array.from(sumOf(0, count)));
    },
  };
  const found = new RangeSums(() => Promise.resolve(reader), 'a', K, () => withCheckpoints ? checkpoints : null); // prettier-ignore
  return { found, read };
}

it.each([true, false])('adds up any range of rows, whatever was asked before (sums of first rows: %s)', async (has) => {
  const { found } = sumsOf(has);
  const drawn = uniform(key(3), 120);
  for (let k = 0; k < drawn.length; k += 3) {
    const [a, b] = [Math.floor(drawn[k]! * T), Math.floor(drawn[k + 1]! * T)].sort((x, y) => x - y);
    const range: [number, number] = drawn[k + 2]! < 0.3 ? [0, b! + 1] : [a!, b! + 1];
    expect(Array.from((await found.over(...range))!), range.join()).toEqual(sumOf(...range));
  }
}); // prettier-ignore

it('reads one sum and two rows at most for a far move, besides those beside the cursor', async () => {
  const { found, read } = sumsOf(true);
  for (const to of [101, 7, 198, 54, 151]) {
    await found.over(0, to);
    const asked = read.splice(0);
    expect(asked.filter((what) => what.startsWith('sum'))).toEqual([`sum ${stride * Math.round(to / stride)}`]);
    expect(asked.length, asked.join()).toBeLessThanOrEqual(1 + stride / 2 + 2);
  }
}); // prettier-ignore

it('leaves what was asked before, also where that fails', async () => {
  const { found } = sumsOf(false);
  const failing = found.over(3, T + 2).catch((error: unknown) => String(error));
  const [left, last] = [found.over(10, 90), found.over(20, 60)];
  expect(await left).toBe(null);
  expect(Array.from((await last)!)).toEqual(sumOf(20, 60));
  expect([null, `Error: no row ${T}`]).toContain(await failing);
  expect(Array.from((await found.over(0, T))!)).toEqual(sumOf(0, T));
});

it('are of late rows what these hold, however much larger the first were', () => {
  const late = Array.from({ length: 200 }, (_, t) => (t % 3 === 0 ? 5e-10 : -2e-9));
  const values = [-1.5e30, 7, -2.5e29, ...late];
  const prefix = new Prefix(values.flatMap((value) => [value, 1]), 2);
  for (let t = 0; t < values.length; t++) expect([...prefix.over(t, t + 1)]).toEqual([values[t]!, 1]);
  for (const [from, to] of [[3, 203], [60, 70], [64, 128], [63, 193], [10, 10]] as const) {
    const [sum, count] = prefix.over(from, to);
    const own = values.slice(from, to).reduce((a, b) => a + b, 0);
    expect(Math.abs(sum! - own)).toBeLessThanOrEqual(1e-12 * Math.abs(own));
    expect(count).toBe(to - from);
  }
  expect(prefix.over(0, 3)[0]! / -1.75e30).toBeCloseTo(1, 12);
}); // prettier-ignore
