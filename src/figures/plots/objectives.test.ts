import { describe, expect, it } from 'vitest';
import { draw, parse } from '../../../test/support/drawn-figures.js';
import { syntheticView } from '../../../test/support/synthetic-view.js';
import { analyseRun } from '../../analysis/index.js';
import type { RunAnalysis } from '../../analysis/index.js';
import type { Figure } from './canvas.js';

describe('figures of several objectives', () => {
  const names = ['mine', 'yours', 'hard_cases', 'd', 'e', 'f', 'g', 'h'];
  const analyse = (count: number): Promise<RunAnalysis> =>
    analyseRun(syntheticView({ segments: 30, objectives: names.slice(0, count) }));
  const textOf = (figure: Figure): string[] =>
    [...parse(figure.svg).querySelectorAll('text')].map((text) => text.textContent);

  it.each([1, 2, 3, 8])('draw and name each of %i', async (count) => {
    const figures = draw(await analyse(count));
    expect(figures.size).toBe(8);
    const shown = names.slice(0, count);
    for (const name of shown) {
      expect(textOf(figures.get('loss')!)).toContain(`${name} loss`);
      expect(textOf(figures.get('residual')!)).toContain(`simpson, ${name}`);
    }
    const compared = shown.slice(1, 6);
    const document = parse(figures.get('layer-totals')!.svg);
    for (const name of compared) {
      expect(textOf(figures.get('layer-totals')!)).toContain(name);
      expect(document.querySelectorAll(`[aria-description="${name} total"] path, [aria-description="${name} total"] circle`)).toHaveLength(3); // prettier-ignore
    }
    const panels = parse(figures.get('layers-over-time')!.svg).querySelectorAll('svg > g > svg');
    expect(panels).toHaveLength(Math.min(count, 4));
    for (const name of ['shares', 'layer-shares', 'distribution'])
      expect(figures.get(name)!.caption.endsWith(' Shown: mine loss.')).toBe(count > 1);
  });

  it('let the first, solid line show through the dashes of the others, and give no two the same line', async () => {
    const document = parse(draw(await analyse(8), 'light').get('loss')!.svg);
    const lines = names.map((name) => document.querySelector(`[aria-description="${name} loss"]`)!);
    const dashes = lines.map((line) => line.getAttribute('stroke-dasharray'));
    expect(dashes[0]).toBeNull();
    expect(dashes.slice(1)).not.toContain(null);
    const seen = lines.map((line, i) => `${line.getAttribute('stroke')} ${dashes[i]}`);
    expect(new Set(seen).size).toBe(8);
    const order = lines.map((line) => [...line.parentElement!.children].indexOf(line));
    expect(order).toEqual([...order].sort((a, b) => a - b));
    const bands = names.map((name) => document.querySelector(`[aria-description="${name} integrated"]`)!);
    expect(bands.map((band) => band.hasAttribute('stroke-dasharray'))).not.toContain(true);
  });

  it('follow the order of the objectives, whatever their names', async () => {
    const analysis = await analyseRun(syntheticView({ segments: 30, objectives: ['validation', 'train'] }));
    expect(draw(analysis).get('loss')!.caption).toMatch(/^The validation loss falls/);
    expect(draw(analysis).get('layer-totals')!.caption).toMatch(/ Bars: validation loss\.$/);
  });

  it('are silent about which objective is shown where there is one', async () => {
    for (const { caption } of draw(await analyse(1)).values()) expect(caption).not.toMatch(/Shown:|Bars:/);
  });

  it('escape names', async () => {
    const hostile = `</svg><script>\u001b\u202e"'&`;
    const analysis = await analyseRun(syntheticView({ segments: 10, objectives: ['a', hostile] }));
    for (const { svg } of draw(analysis).values()) {
      expect(parse(svg).querySelector('script')).toBeNull();
      expect(svg).not.toMatch(/[\u001b\u202e]/);
    }
  });
});

describe('names of layers', () => {
  it('are escaped, cleared of control characters and shortened', async () => {
    const hostile = `</svg><script>alert("1")</script>&\u0000\u001b[31m\u202e'`;
    const long = `module.${'encoder.'.repeat(40)}weight`;
    const analysis = await analyseRun(
      syntheticView({ segments: 20, layers: { [hostile]: 50, [long]: 50, '': 10 } }),
    );
    for (const theme of ['page', 'light'] as const)
      for (const { svg } of draw(analysis, theme).values()) {
        const document = parse(svg);
        expect(document.querySelector('script')).toBeNull();

        expect(svg).not.toMatch(/[\u0000-\u0008\u001b\u202e]/);
        for (const text of document.querySelectorAll('text'))
          expect(text.textContent.length).toBeLessThan(60);
      }
  });
});
