import { describe, expect, it } from 'vitest';
import { progressLine } from './progress.js';

const facts = {
  label: 'measure', unit: 'segments', value: 370, total: 880, first: 0, seconds: 140, note: 'residual 1.2e-5 nats, refined 3',
}; // prettier-ignore

describe('the progress line', () => {
  it.each([200, 120, 80, 60, 40])('fits %i columns and keeps the time left', (width) => {
    const line = progressLine(width, facts);
    expect(line.length).toBeLessThan(width);
    expect(line).toMatch(/42% {2}3 min 13 s left/);
    expect(line).toMatch(/█+░+/);
  });

  it('drops the note first, then rate and count', () => {
    expect(progressLine(200, facts)).toMatch(/370\/880 segments {2}2\.64\/s {2}residual/);
    expect(progressLine(80, facts)).toMatch(/370\/880 segments {2}2\.64\/s$/);
    expect(progressLine(60, facts)).toMatch(/370\/880 segments$/);
  });

  it('says no rate before there is one', () => {
    expect(progressLine(80, { ...facts, value: 0, seconds: 0 })).toMatch(/ {3}0% {2}0\/880 segments/);
  });
});
