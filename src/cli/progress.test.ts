import { describe, expect, it } from 'vitest';
import { barAfter, progressLine } from './progress.js';

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

describe('a bar behind another one', () => {
  /** What a bar is told, in order. */
  const told = () => {
    const calls: unknown[][] = [];
    const bar = {
      start: (...given: unknown[]) => void calls.push(['start', ...given]),
      update: (...given: unknown[]) => void calls.push(['update', ...given]),
      stop: () => void calls.push(['stop']),
    };
    return { calls, bar };
  };

  it('shows nothing until the other has ended, then what is left', async () => {
    const { calls, bar } = told();
    let end: () => void = () => undefined;
    const other = new Promise<void>((resolve) => (end = resolve));
    const late = barAfter(other, bar);
    late.start(10);
    late.update(3, 'loss 1');
    expect(calls).toEqual([]);
    end();
    await other;
    late.update(4, 'loss 2');
    late.stop();
    expect(calls).toEqual([['start', 10, 3], ['update', 3, 'loss 1'], ['update', 4, 'loss 2'], ['stop']]); // prettier-ignore
  });

  it('shows nothing where nothing is left or the other failed, and all where it ended before', async () => {
    const { calls, bar } = told();
    const done = barAfter(Promise.resolve(), bar);
    done.start(2);
    done.update(2);
    await Promise.resolve();
    done.stop();
    expect(calls).toEqual([]);
    const failed = barAfter(Promise.reject(new Error('failed')), bar);
    failed.start(2);
    await Promise.resolve();
    failed.stop();
    expect(calls).toEqual([]);
    const later = barAfter(Promise.resolve(), bar);
    await Promise.resolve();
    later.start(2, 1);
    later.stop();
    expect(calls).toEqual([['start', 2, 1], ['stop']]);
  });
});
