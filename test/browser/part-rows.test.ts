import { describe, expect, it } from 'vitest';
import type { ObjectiveData, RunData } from '../../apps/dashboard/src/data/load.js';
import { partRows } from '../../apps/dashboard/src/data/rows.js';

const ownOf = (run: RunData) => ({ name: 'train', parts: run.view.objectives[0]!.parts }) as ObjectiveData;

const rowsOf = (run: RunData) => partRows(run, ownOf(run));

/** A run of two segments and two layers; sums of part p and layer l at segment t are 100 t + 10 p + l. */
function runOf(parts: readonly string[], by: readonly (string | null)[]): RunData {
  const row = (t: number) => Float64Array.from({ length: 2 * parts.length }, (_, k) => 100 * t + 10 * (k >> 1) + (k & 1)); // prettier-ignore
  const rows = async function* () {
    for (const t of [0, 1]) yield await Promise.resolve(row(t));
  };
  const reader = { array: () => ({ shape: [2, parts.length, 2], rows }) };
  return {
    segments: 2,
    arrays: ['part_layer_sums/train'],
    view: { objectives: [{ name: 'train', parts, by }] },
    reader: () => Promise.resolve(reader),
  } as unknown as RunData;
}

describe('sums of layers by part', () => {
  it('are those of the first thing that the objective is divided by', async () => {
    const found = await rowsOf(runOf(['block 1', 'a', 'b', 'L2', 'easy', 'hard'], ['block', 'class', 'class', null, 'mine', 'mine'])); // prettier-ignore
    expect(found?.names).toEqual(['a', 'b']);
    expect([...found!.values]).toEqual([10, 11, 20, 21, 110, 111, 120, 121]);
    expect(found!.width).toBe(4);
  });

  it('are all where there is nothing else, and none where there are blocks of a sample alone', async () => {
    const whole = await rowsOf(runOf(['a', 'b'], ['class', 'class']));
    expect([whole!.names, [...whole!.values]]).toEqual([
      ['a', 'b'],
      [0, 1, 10, 11, 100, 101, 110, 111],
    ]);
    expect(await rowsOf(runOf(['block 1', 'block 2'], ['block', 'block']))).toBeNull();
  });
});
