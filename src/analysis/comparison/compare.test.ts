import { describe, expect, it } from 'vitest';
import { smallManifest } from '../../../test/support/run-folder.js';
import { syntheticView, withColumns } from '../../../test/support/synthetic-view.js';
import { parseManifest } from '../../format/manifest.js';
import type { LedgerView } from '../../ledger/view.js';
import { analyseShares } from '../shares.js';
import { compareRuns } from './compare.js';

const manifest = parseManifest({ format: 'lossledger', formatVersion: 2, ...smallManifest(4) }, 'test');
const named = (name: string, view: LedgerView) => ({ name, manifest, view });

/** A view of four segments of one layer of two, with these sums of it. */
const viewOf = (sums: number[], stride = 1): LedgerView =>
  withColumns(
    syntheticView({ segments: sums.length / 2, stride, layers: { a: 3, b: 2 }, objectives: ['train', 'mine'] }),
    'train',
    { layer_sums: Float64Array.from(sums) },
  ); // prettier-ignore

describe('runs side by side', () => {
  it('add layers up between the iterations that all of them have', () => {
    const every = viewOf([-1, 1, -2, 2, -4, 4, -8, 8]);
    const second = viewOf([-3, 5, -7, 9], 2);
    const { steps, objectives } = compareRuns([named('x', every), named('y', second)]);
    expect(steps).toEqual([0, 2, 4]);
    expect(objectives[0]!.layers).toEqual([
      { layer: 'a', totals: [-15, -10] },
      { layer: 'b', totals: [15, 14] },
    ]);
    expect(objectives[0]!.losses[1]).toEqual([...second.column('loss', 'train')]);
    const later = compareRuns([named('x', every), named('y', second)], 2);
    expect(later.objectives[0]!.layers![0]!.totals).toEqual([-12, -7]);
  });

  it('count of shares that help what the report counts: parameters, without running statistics', () => {
    const plain = syntheticView({ segments: 2, layers: { a: 4, 'a.statistics': 2 }, objectives: ['train', 'mine'] });
    const tensors = plain.layout.tensors.map((own, i) => ({ ...own, kind: i === 1 ? ('statistics' as const) : own.kind }));
    const view = withColumns({ ...plain, layout: { ...plain.layout, tensors } }, 'train', {
      helping: Int32Array.of(1, 2, 2, 2),
      hurting: Int32Array.of(3, 0, 2, 0),
      zero: new Int32Array(4),
    });
    const { objectives } = compareRuns([named('x', view), named('y', view)]);
    expect(objectives[0]!.helping).toEqual([3 / 8, 3 / 8]);
    expect(analyseShares(view, 'train').run.shares.ofNonzero.helping).toBe(3 / 8);
  }); // prettier-ignore

  it('say where a run parts from the first, and refuse runs without common iterations', () => {
    const view = viewOf([-1, 1, -2, 2]);
    const loss = Float64Array.from(view.column('loss', 'train'));
    loss[2]! += 0.5;
    const other = withColumns(view, 'train', { loss });
    const { objectives } = compareRuns([named('x', view), named('y', other)]);
    expect(objectives[0]!.parting).toEqual([null, 2]);
    expect(() => compareRuns([named('x', view), named('y', view)], 2)).toThrow(/two iterations that all runs have from 2/); // prettier-ignore
  });
});
