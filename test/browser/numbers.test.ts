import { expect, it } from 'vitest';
import { lossAxis, onAxis } from '../../apps/dashboard/src/draw/loss-axis.js';
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

it('losses fill their axis, which is logarithmic where they diverge, and integrated ones do not stretch it', () => {
  expect(lossAxis([2, 1, 0.5], [2, 1, 0.5])).toEqual({ scale: {}, isLog: false, leaves: false });
  const far = lossAxis([2, 1, 0], [2, -1e25, 0]);
  expect(far).toEqual({ scale: { domain: [-0.5, 2], clamp: true }, isLog: false, leaves: true });
  const diverged = lossAxis([2, 1e13, 180], [2, 1e13, -1e25]);
  expect(diverged).toMatchObject({ scale: { type: 'log', domain: [1, 1e13] }, isLog: true, leaves: true });
  expect(onAxis(diverged, -1e25)).toBeGreaterThan(0);
  expect(onAxis(far, -1e25)).toBe(-1e25);
  // Of one value there is room in the chart itself.
  expect(lossAxis([3], [])).toEqual({ scale: {}, isLog: false, leaves: false });
});
