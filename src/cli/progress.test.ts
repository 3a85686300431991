import { afterEach, describe, expect, it, vi } from 'vitest';
import { columns, isScreen, terminalStyle } from './output.js';
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

describe('a terminal', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('is a screen unless it is dumb', () => {
    vi.stubEnv('TERM', 'xterm');
    expect([isScreen({ isTTY: true }), isScreen({ isTTY: false }), isScreen({})]).toEqual([
      true,
      false,
      false,
    ]);
    vi.stubEnv('TERM', 'dumb');
    expect(isScreen({ isTTY: true })).toBe(false);
  });

  it('has no colours where NO_COLOR says so, which empty says nothing', () => {
    const { isTTY } = process.stdout;
    process.stdout.isTTY = true;
    vi.stubEnv('TERM', 'xterm');
    const colours = ['', '1'].map((value) => {
      vi.stubEnv('NO_COLOR', value);
      return terminalStyle().colour;
    });
    process.stdout.isTTY = isTTY;
    expect(colours).toEqual([true, false]);
  });

  it('breaks the last column of a list where it ends, others never', () => {
    const rows = [
      ['native', 'not here', 'no C compiler works; install gcc'],
      ['reference', 'available', 'loops'],
    ];
    expect(columns(rows, 42)).toBe(
      'native     not here   no C compiler works;\n                      install gcc\nreference  available  loops',
    );
    expect(columns(rows, 30).split('\n')).toHaveLength(2);
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
