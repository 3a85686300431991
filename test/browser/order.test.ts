import { expect, it } from 'vitest';
import { sortedBy } from '../../apps/dashboard/src/data/order.js';
import { key, normal } from '../../src/num/index.js';

it('sorts rows of the ledger book by float64 keys, NaN last, equal ones as they were', () => {
  const drawn = normal(key(1), 3000);
  const keys = Float64Array.from(drawn, (value, k) =>
    k % 50 === 0 ? NaN : k % 7 === 0 ? (k % 2 === 0 ? 0 : -0) : k % 3 === 0 ? 1 + value * 1e-12 : value * 10 ** (k % 30),
  ); // prettier-ignore
  const rows = Uint32Array.from(keys.keys());
  const expected = [...rows].sort((a, b) =>
    Number.isNaN(keys[a]!) || Number.isNaN(keys[b]!)
      ? Number(Number.isNaN(keys[a]!)) - Number(Number.isNaN(keys[b]!))
      : keys[a]! - keys[b]!,
  );
  expect([...sortedBy(keys, rows)]).toEqual(expected);
  expect([...sortedBy(keys, rows.slice(0, 2))].length).toBe(2);
});
