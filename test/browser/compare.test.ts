import { expect, it } from 'vitest';
import { differencesOf, layersOverSeeds, type Shown } from '../../apps/dashboard/src/data/compare.js';
import { Prefix } from '../../apps/dashboard/src/data/prefix.js';

/** A run of one layer that did `at + 1` in the step from each iteration, recorded at some of them. */
function runOf(iteration: readonly number[]): Shown {
  const segments = iteration.length - 1;
  const layerSums = Float64Array.from({ length: segments }, (_, t) => {
    let total = 0;
    for (let at = iteration[t]!; at < iteration[t + 1]!; at++) total += at + 1;
    return total;
  });
  return {
    run: { segments, layout: { layers: ['fc'] }, view: { iteration: Int32Array.from(iteration) } },
    own: { layerSums, layers: new Prefix(layerSums, 1) },
  } as unknown as Shown;
}

const every = runOf([0, 1, 2, 3, 4, 5, 6, 7, 8]);
const sparse = runOf([0, 3, 4, 8]);

it('compares runs between the same iterations, not segments of the same number', () => {
  expect([...differencesOf(sparse, every)]).toEqual([0, 0, 0]);
  // Rows of θ at 1 and 2, and at 5 to 7, has only the one.
  expect([...differencesOf(every, sparse)]).toEqual([NaN, NaN, NaN, 0, NaN, NaN, NaN, NaN]);
  expect([...differencesOf(every, runOf([0, 1, 2, 3]))]).toEqual([0, 0, 0, NaN, NaN, NaN, NaN, NaN]);
  expect([...differencesOf(every, runOf([2, 3, 4]))].slice(0, 5)).toEqual([NaN, NaN, 0, 0, NaN]);
});

it('adds up layers of runs between the same iterations; a run without rows of θ there has no total', () => {
  const totals = (from: number, to: number) => layersOverSeeds([every, sparse], [from, to])[0]!.totals;
  expect(totals(0, 4)).toEqual([10, 10]);
  expect(totals(0, 5)).toEqual([15, NaN]);
  expect(totals(3, 8)).toEqual([30, 30]);
  const [{ totals: ended, mean }] = layersOverSeeds([every, runOf([0, 1, 2])], [2, 3]) as [ReturnType<typeof layersOverSeeds>[0]];
  expect([ended, mean]).toEqual([[3, NaN], 3]);
  // A run that is shorter, or still under way, has what it did up to its end.
  expect(layersOverSeeds([every, runOf([0, 1, 2])], [0, 8])[0]!.totals).toEqual([36, 3]);
}); // prettier-ignore
