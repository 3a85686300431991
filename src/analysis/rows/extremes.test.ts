import { describe, expect, it } from 'vitest';
import { hugeView, syntheticView } from '../../../test/support/synthetic-view.js';
import { layoutOf } from '../../ledger/layout.js';
import type { LedgerView } from '../../ledger/view.js';
import { extremeNeurons, extremeParameters, neuronTotals } from './extremes.js';
import { analyseRun } from '../run.js';

const layout = layoutOf([
  { name: 'a.weight', shape: [2, 3], layer: 'a', neuronAxis: 0 },
  { name: 'scale', shape: [1], layer: 'scale', neuronAxis: null },
  { name: 'b.weight', shape: [4, 2], layer: 'b', neuronAxis: 1 },
]);

describe('parameters that stand out', () => {
  it('are named by layer, tensor and index, largest first, equal ones in order', () => {
    const totals = Float64Array.of(0, -1, 0, 0, 5, 0, -3, 0, 0, 2, 0, 0, 2, 0, 0);
    expect(extremeParameters(layout, totals)).toEqual({
      helped: [
        { layer: 'scale', tensor: 'scale', index: [0], total: -3 },
        { layer: 'a', tensor: 'a.weight', index: [0, 1], total: -1 },
      ],
      hurt: [
        { layer: 'a', tensor: 'a.weight', index: [1, 1], total: 5 },
        { layer: 'b', tensor: 'b.weight', index: [1, 0], total: 2 },
        { layer: 'b', tensor: 'b.weight', index: [2, 1], total: 2 },
      ],
    });
  });

  it('are the ten first of all totals, sorted', async () => {
    const view = syntheticView({ segments: 12 });
    const totals = new Float64Array(view.layout.size);
    for await (const row of view.rows('allocation', 'train')!)
      row.forEach((value, k) => (totals[k]! += value));
    const sorted = [...totals].sort((a, b) => a - b);
    const { parameters, neurons } = (await analyseRun(view)).objectives[0]!;
    expect(parameters!.helped.map(({ total }) => total)).toEqual(sorted.slice(0, 10));
    expect(parameters!.hurt.map(({ total }) => total)).toEqual(sorted.slice(-10).reverse());
    expect(neurons).toBeNull();
  });

  it('are not known where rows were not kept, nor of further objectives', async () => {
    const [main, other] = (await analyseRun(syntheticView({ segments: 3 }))).objectives;
    expect([main!.parameters === null, other!.parameters]).toEqual([false, null]);
    expect((await analyseRun({ ...hugeView(), segments: 5000 })).objectives[0]!.parameters).toBeNull();
  });
});

describe('neurons that stand out', () => {
  it('are numbered within their layer', () => {
    expect(extremeNeurons(layout, Float64Array.of(-1, 2, -4, 0))).toEqual({
      helped: [
        { layer: 'b', tensor: null, index: [0], total: -4 },
        { layer: 'a', tensor: null, index: [0], total: -1 },
      ],
      hurt: [{ layer: 'a', tensor: null, index: [1], total: 2 }],
    });
  });

  it('have the sums of their rows', async () => {
    async function* rows(): AsyncGenerator<Float64Array> {
      for (const row of [[1, 2, 3, 4], [0.5, -2, -4, 8]]) yield await Promise.resolve(Float64Array.from(row)); // prettier-ignore
    }
    const view: LedgerView = { ...syntheticView({ segments: 2 }), layout, rows: () => rows() };
    expect(await neuronTotals(view, 'train')).toEqual(Float64Array.of(1.5, 0, -1, 12));
    expect(await neuronTotals({ ...view, rows: () => null }, 'train')).toBeNull();
  });
});
