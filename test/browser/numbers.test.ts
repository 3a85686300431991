import { expect, it } from 'vitest';
import { short } from '../../apps/dashboard/src/draw/numbers.js';

it.each([
  [500, 1, '500'],
  [-1000, 1, '−1000'],
  [9.6, 1, '10'],
  [1234.5, 3, '1235'],
  [999.6, 3, '1000'],
  [-42.25, 3, '−42.3'],
  [1.5, 3, '1.50'],
  [0, 3, '0'],
  [2e5, 3, '2.00e5'],
  [-2e-9, 1, '−2e−9'],
])('%d in %d digits is %s on the dashboard', (value, digits, text) => {
  expect(short(value, digits)).toBe(text);
});
