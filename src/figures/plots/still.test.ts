import { beforeAll, describe, expect, it } from 'vitest';
import { draw, parse } from '../../../test/support/drawn-figures.js';
import { stillView, syntheticView, withColumns } from '../../../test/support/synthetic-view.js';
import { analyseRun, type RunAnalysis } from '../../analysis/index.js';
import { coverageSentences } from '../coverage.js';
import { estimateWidth } from '../text.js';
import { figureWidth, fontSize } from './canvas.js';

let still: RunAnalysis;

/** The still run with two parts. */
function divided(): RunAnalysis {
  const [main] = still.objectives;
  const parts = ['class 0', 'class 1'].map((name) => ({ name, total: 0, layers: [0, 0, 0], loss: Array<number>(5).fill(0.6) })); // prettier-ignore
  const cells = main!.layers.map(({ layer }) => layer);
  const sums = parts.map(() => cells.map(() => [0, 0, 0, 0]));
  const times = [{ entity: 'layer' as const, cells, from: 0, until: [1, 2, 3, 4], sums }];
  return { ...still, objectives: [{ ...main!, parts: [{ by: 'class', parts, times }] }] };
}

const labelsOf = (svg: Document, axis: 'x' | 'y'): string[] =>
  [...svg.querySelectorAll(`[aria-label="${axis}-axis tick label"] text`)].map((text) => text.textContent);

beforeAll(async () => {
  still = await analyseRun(stillView());
});

describe('a run in which nothing changed', () => {
  it.each([
    ['layer totals', 'layer-totals', 'layer total'],
    ['parts', 'parts-class', 'part total'],
  ])('has no bars of %s', (_, figure, description) => {
    const svg = parse(draw(divided()).get(figure)!.svg);
    const bars = [...svg.querySelectorAll(`[aria-description="${description}"] rect`)];
    expect(bars.length).toBeGreaterThan(0);
    for (const bar of bars) expect(Number(bar.getAttribute('width'))).toBe(0);
    expect(labelsOf(svg, 'x')).toContain('0');
  });

  it('has axes with the one value that there is', () => {
    expect(labelsOf(parse(draw(still).get('loss')!.svg), 'y')).toEqual(['1.231', '0']);
    expect(labelsOf(parse(draw(still).get('layers-over-time')!.svg), 'y')).toEqual(['0']);
  });

  it('has captions that say so', () => {
    const drawn = draw(divided());
    const expected = {
      loss: /The train loss stays at 1\.231 nats; /,
      'layer-totals': /^Nothing changed: over the whole run no layer helped and none hurt\.$/,
      'layers-over-time': /; nothing changed: all stay at 0\.$/,
      'parts-class': / Over the run nothing changed: no part gained or lost\.$/,
      'when-class': / Nothing changed\.$/,
      shares: / 100\.0 % do exactly nothing\.$/,
    };
    for (const [name, words] of Object.entries(expected)) expect(drawn.get(name)!.caption).toMatch(words);
  }); // prettier-ignore

  it('is said in a sentence of its own where the ledger’s coverage is', () => {
    const sentences = coverageSentences(still.coverage, 'nats');
    expect(sentences).toContain(
      'The loss of train did not change; their allocations to it add up to 0 nats.',
    );
    expect(sentences.join(' ')).not.toContain('allocations are');
  });
});

describe('a loss that hardly changes', () => {
  it('has a left margin as wide as its tick labels, the same in all panels, and a caption that tells its change', async () => {
    const view = withColumns(syntheticView({ segments: 4 }), 'train', {
      loss: Float64Array.of(0, 1, 2, 3, 4).map((t) => 1.0952435 + 2e-9 * t),
      total: new Float64Array(4).fill(2e-9),
      residual: new Float64Array(4),
    });
    const analysis = await analyseRun(view);
    const { svg, caption } = draw({ ...analysis, objectives: [analysis.objectives[0]!] }).get('loss')!;
    const document = parse(svg);
    const widest = Math.max(...labelsOf(document, 'y').map((text) => estimateWidth(text, fontSize)));
    expect(widest).toBeGreaterThan(62);
    const frames = [...document.querySelectorAll('[aria-label="x-axis tick"] path')].map(
      (tick) => /translate\((\d+(?:\.\d+)?),/.exec(tick.getAttribute('transform')!)![1]!,
    );
    const lefts = frames.filter((_, i) => i % (frames.length / 2) === 0).map(Number);
    expect(lefts).toHaveLength(2);
    expect(lefts[0]).toBe(lefts[1]);
    expect(lefts[0]).toBeGreaterThan(widest);
    expect(caption).toMatch(/^The train loss rises by 8\.000·10⁻⁹ nats, from 1\.095 to 1\.095 nats;/);
  });
});

it('labels of late iterations end within the figure', async () => {
  const long = await analyseRun(syntheticView({ segments: 4, stride: 25_000 }));
  for (const name of ['loss', 'shares', 'layers-over-time']) {
    const labels = [...parse(draw(long).get(name)!.svg).querySelectorAll('[aria-label="x-axis tick label"] text')]; // prettier-ignore
    const last = labels.filter(({ textContent }) => textContent === '100,000');
    expect(last.length).toBeGreaterThan(0);
    for (const label of last) {
      const x = Number(/translate\(([\d.]+)/.exec(label.getAttribute('transform')!)![1]);
      expect(x + estimateWidth('100,000', fontSize) / 2).toBeLessThanOrEqual(figureWidth + 0.5);
    }
  }
});
