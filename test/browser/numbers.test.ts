import { expect, it } from 'vitest';
import { short, tickText } from '../../apps/dashboard/src/draw/numbers.js';

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

it('ticks are powers of ten where they are far from one and few digits tell them', () => {
  const written = (...ticks: number[]) => ticks.map(tickText(ticks) ?? String);
  expect(written(-4e-15, 0, 2e-15)).toEqual(['−4e−15', '0', '2e−15']);
  expect(written(2e11, 1.4e12)).toEqual(['2.0e11', '1.4e12']);
  expect(written(0, 500)).toEqual(['0', '500']);
  expect(written(1234567, 1234568)).toEqual(['1234567', '1234568']);
});
