import { expect, it } from 'vitest';
import { accuracyRows, withCertain } from './accuracy.js';

it('takes both ends, a few percent of the work of measuring, and no row twice', () => {
  expect(accuracyRows(0)).toEqual([0]);
  expect(accuracyRows(1)).toEqual([0, 1]);
  expect(accuracyRows(3)).toEqual([0, 1, 2, 3]);
  expect(accuracyRows(20)).toEqual([0, 5, 10, 15, 20]);
  for (const segments of [4, 7, 99, 100, 220, 100_000]) {
    const rows = accuracyRows(segments);
    expect([rows[0], rows.at(-1)]).toEqual([0, segments]);
    expect(new Set(rows).size).toBe(rows.length);
    expect(rows.length).toBeLessThanOrEqual(Math.min(21, Math.max(5, segments / 5 + 2)));
  }
});

it('is 1 where a cross-entropy is exactly 0, and as it was found elsewhere', () => {
  const found = {
    rows: [0, 2],
    iteration: [0, 2],
    objectives: [{ name: 'train', labels: 9, share: [0, 0] }],
  };
  expect(withCertain(found, () => [0.5, 0, 0])).toEqual({ ...found, objectives: [{ ...found.objectives[0], share: [0, 1] }] }); // prettier-ignore
  expect(withCertain({ missing: 'why' }, () => [])).toEqual({ missing: 'why' });
});
