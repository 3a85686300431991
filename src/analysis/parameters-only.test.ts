import { describe, expect, it } from 'vitest';
import { syntheticView } from '../../test/support/synthetic-view.js';
import type { ColumnName } from '../ledger/columns.js';
import { layoutOf } from '../ledger/layout.js';
import type { LedgerView } from '../ledger/view.js';
import { parametersOnly } from './parameters-only.js';

const layout = layoutOf([
  { name: 'a.weight', shape: [3, 3], layer: 'a', neuronAxis: 0, kind: 'kernel' },
  { name: 'a.statistics.mean', shape: [9], layer: 'a.statistics', neuronAxis: null, kind: 'statistics' },
]);

/** Rows of a column that number what stands in them. */
function viewOf(width: number): LedgerView {
  return {
    ...syntheticView({ segments: 2 }),
    layout,
    rows: () => ({
      async *[Symbol.asyncIterator]() {
        for (let t = 0; t < 2; t++) yield await Promise.resolve(Uint8Array.from({ length: width }, (_, k) => k));
      },
    }),
  };
} // prettier-ignore

async function rowOf(name: ColumnName, width: number): Promise<number[]> {
  for await (const row of parametersOnly(viewOf(width)).rows(name, 'train')!) return [...row];
  return [];
}

describe('a view of parameters without running statistics', () => {
  it('leaves these out of rows by parameter and by layer, of each part', async () => {
    expect(await rowOf('allocation', 18)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(await rowOf('part_layer_sums', 4)).toEqual([0, 2]);
  });

  it('has rows that can be read more than once, as analyses do', async () => {
    const rows = parametersOnly(viewOf(18)).rows('allocation', 'train')!;
    const counts: number[] = [];
    for (let pass = 0; pass < 2; pass++) {
      let count = 0;
      for await (const row of rows) count += row.length;
      counts.push(count);
    }
    expect(counts).toEqual([18, 18]);
  });

  it('leaves the bytes out that have bits of theirs alone', async () => {
    // Nine parameters take two bytes, eighteen three.
    expect(await rowOf('gradient_sign', 3)).toEqual([0, 1]);
  });
});
