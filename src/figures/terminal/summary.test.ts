import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { emptyView, hugeView, syntheticView, withColumns } from '../../../test/support/synthetic-view.js';
import { analyseRun } from '../../analysis/index.js';
import type { RunAnalysis } from '../../analysis/index.js';
import { columns } from '../text.js';
import { asciiGlyphs, divergingBars, sparkline, toAscii, unicodeGlyphs } from './characters.js';
import { terminalSummary } from './summary.js';

let analysis: RunAnalysis;
let huge: RunAnalysis;

beforeAll(async () => {
  analysis = await analyseRun(syntheticView({ segments: 100 }), { preset: 'mnist-fc-sgd' });
  huge = await analyseRun(hugeView(), { preset: 'mnist-fc-sgd' });
});

describe('terminal summary', () => {
  it('states losses, layers, shares, errors and the verdict', () => {
    const text = terminalSummary(analysis);
    for (const part of [
      /^train loss +2\.330 {2}→ {2}0\.05\d+ nats/m,
      /^fc1 +2,000 +−\d\.\d+ +\d\d\.\d %/m,
      /^of all entries +\d\d\.\d % +\d\d\.\d % +20\.0 %$/m,
      /^of those not zero +\d\d\.\d % +\d\d\.\d %$/m,
      /^paper, first order \(left\) +−171 % +0\.00459 +–$/m,
      /^The ledger balances$/m,
    ])
      expect(text).toMatch(part);
  });

  it.each([[['mine']], [['mine', 'yours']], [['a_name_that_is_far_too_long_for_a_line', 'b', 'c']]])(
    'names the objectives %j, the first one above the layers',
    async (names) => {
      const named = await analyseRun(syntheticView({ segments: 20, objectives: names }));
      const text = terminalSummary(named, { width: 72 });
      for (const line of text.split('\n')) expect(columns(line), line).toBeLessThanOrEqual(72);
      const labels = names.map((name) => (name.length > 22 ? 'a_name_that…for_a_line' : name));
      expect([...text.matchAll(/^(\S+) loss +\d/gm)].map((match) => match[1])).toEqual(labels);
      expect(text).toContain(`What each layer did to the ${labels[0]} loss`);
      expect(text.match(/^simpson rule, /gm)).toHaveLength(names.length);
      expect(text).not.toMatch(/\b(train|validation)\b/);
    },
  );

  it('has no colours unless asked, and the same text with them', () => {
    const plain = terminalSummary(analysis, { width: 100 });
    const coloured = terminalSummary(analysis, { width: 100, colour: true });
    expect(stripVTControlCharacters(plain)).toBe(plain);
    expect(coloured).not.toBe(plain);
    expect(stripVTControlCharacters(coloured)).toBe(plain);
  });

  it.each([72, 80, 120])('fits %i columns', (width) => {
    for (const each of [analysis, huge])
      for (const ascii of [false, true])
        for (const line of terminalSummary(each, { width, ascii }).split('\n'))
          expect(columns(line), line).toBeLessThanOrEqual(width);
  });

  it('is ASCII where asked, with the same numbers and still aligned', async () => {
    const named = await analyseRun(syntheticView({ segments: 30, layers: { 日本語: 300, b: 100 } }));
    const text = terminalSummary(named, { ascii: true });
    expect(text).toMatch(/^[\n\x20-\x7e]*$/);
    expect(text).toContain('??????');
    const rows = text.split('\n').filter((line) => line.startsWith('simpson rule'));
    expect(rows).toHaveLength(2);
    expect(new Set(rows.map((row) => row.length)).size).toBe(1);
    expect(toAscii('−1.08·10⁻³ → 10⁻⁶')).toBe('-1.08e-3 -> 1e-6');
  });

  it('shouts when the ledger does not balance', async () => {
    const bad = await analyseRun(syntheticView({ segments: 30, leak: 0.002 }));
    const text = terminalSummary(bad);
    expect(text).toMatch(/^━{80}\nWARNING: THE LEDGER DOES NOT BALANCE\n/m);
    expect(text).toContain('(limit 1 %)');
  });

  it('shouts when allocations claim a change of a loss that did not change', async () => {
    const view = syntheticView({ segments: 2, objectives: ['train'] });
    const claimed = withColumns(view, 'train', { loss: Float64Array.of(2, 2, 2), residual: view.column('total', 'train') }); // prettier-ignore
    const text = terminalSummary(await analyseRun(claimed));
    expect(text).toMatch(/DOES NOT BALANCE\n +The train loss did not change, and the allocations sum to −\d/);
    expect(text).toContain('Do not trust the allocations of this run');
  });

  it('tells of segments that are measured behind a gap, which its numbers leave out', async () => {
    const extent = { iterations: 30, apart: 10 };
    const text = terminalSummary(await analyseRun(syntheticView({ segments: 7 }), extent)).replace(/\s+/g, ' ');
    expect(text).toContain('Only 7 of 30 segments are measured without a gap, and 10 behind it, which are not in these numbers');
    const none = terminalSummary(await analyseRun(emptyView(), extent)).replace(/\s+/g, ' ');
    expect(none).toContain('The first segment has not been measured yet 10 of 30 segments are measured, all behind it');
  }); // prettier-ignore

  it('is short for an empty run, and lists 24 of 60 layers', async () => {
    expect(terminalSummary(await analyseRun(emptyView()))).toContain('Nothing has been measured yet');
    const text = terminalSummary(huge);
    expect(text.match(/^stage/gm)).toHaveLength(24);
    expect(text).toContain('… and 36 layers with smaller totals');
  });

  it('lets no name disturb the terminal', async () => {
    const hostile = await analyseRun(
      syntheticView({
        segments: 5,
        layers: { 'a\u001b[2J\u0007\r\nb': 20, '\u202e': 10 },
        objectives: ['c\u001b[2J\u0007', '\u202e'],
      }),
    );

    expect(terminalSummary(hostile)).not.toMatch(/[\u001b\u0007\r\u202e]/);
  });
});

describe('glyphs', () => {
  it('draw bars in proportion, around one axis, all of one width', () => {
    const bars = divergingBars([-2, 1, 0, -0.001], 30, unicodeGlyphs);
    expect(bars.map((bar) => bar.indexOf('│'))).toEqual([20, 20, 20, 20]);
    expect(bars.map((bar) => [...bar].filter((glyph) => glyph === '█').length)).toEqual([20, 10, 0, 1]);
    expect(divergingBars([0, 0], 10, asciiGlyphs).every((bar) => bar.length === 11)).toBe(true);
  });

  it('keep bars inside their width, whatever the numbers', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 10, max: 40 }),
        (values, width) => {
          for (const bar of divergingBars(values, width, asciiGlyphs)) expect(bar).toHaveLength(width + 1);
        },
      ),
    );
  });

  it('draw curves from least to greatest', () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8, unicodeGlyphs)).toBe('▁▂▃▄▅▆▇█');
    expect(sparkline([8, 8, 0, 0], 2, unicodeGlyphs)).toBe('█▁');
    expect(sparkline([3, 3], 10, asciiGlyphs)).toBe('__');
  });
});
