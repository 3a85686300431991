import * as Plot from '@observablehq/plot';
import { describe, expect, it } from 'vitest';
import { dividedTheta, dividedView } from '../../../test/support/divided-view.js';
import { parse } from '../../../test/support/drawn-figures.js';
import { singleSegmentView, stillView, syntheticView } from '../../../test/support/synthetic-view.js';
import { analyseRun, analyseThemes, type ThemeAnalyses } from '../../analysis/index.js';
import type { LedgerView } from '../../ledger/view.js';
import { extentOf } from '../headlines.js';
import { createCanvas, type Figure, figureWidth, fontSize } from '../plots/canvas.js';
import { estimateWidth } from '../text.js';
import { drawThemes } from './themes.js';

function drawn(analyses: ThemeAnalyses, theme: 'light' | 'page' = 'light'): Map<string, Figure> {
  const figures = drawThemes(analyses, theme).flatMap((section) => section.figures);
  return new Map(figures.map((figure) => [figure.name, figure]));
}

const ticksOf = (svg: string, axis: 'x' | 'y'): string[] =>
  [...parse(svg).querySelectorAll(`[aria-label="${axis}-axis tick label"] text`)].map(
    (text) => text.textContent,
  );

/** A view whose allocations are `times` as large. */
function scaled(view: LedgerView, times: number): LedgerView {
  return {
    ...view,
    rows: (name, objective) => {
      const rows = view.rows(name, objective);
      if (name !== 'allocation' || rows === null) return rows;
      return { async *[Symbol.asyncIterator]() {
        for await (const row of rows) yield Float32Array.from(row, (value) => value * times);
      } }; // prettier-ignore
    },
  };
}

/** Texts drawn by hand in the smaller size, such as ticks of maps and the note. */
const smallTexts = (svg: string): string[] =>
  [...parse(svg).querySelectorAll(`text[font-size="${fontSize - 2}"]`)].map((text) => text.textContent);

describe('figures of odd runs', () => {
  it.each([1e32, 1e-25])('have the whole density of allocations that are %d times as large', async (times) => {
    const analyses = await analyseThemes(scaled(syntheticView({ segments: 6, zeroShare: 0 }), times));
    const { edges, helping, hurting } = analyses.tails!.density;
    const mass = helping.reduce((sum, value, i) => sum + (value + hurting[i]!) * Math.log(edges[i + 1]! / edges[i]!), 0);
    expect(mass).toBeCloseTo(1, 3);
    const { svg } = drawn(analyses).get('tails')!;
    expect(svg).not.toMatch(/NaN|Infinity/);
  }); // prettier-ignore

  it('claim nothing of a change that was none, and draw no correlation of nothing', async () => {
    const still = drawn(await analyseThemes(stillView()));
    expect(still.get('first-order')!.caption).toMatch(/claims a change of .* nats where nothing changed; the paper/);
    for (const { svg, caption, name } of still.values()) expect(svg + caption, name).not.toMatch(/NaN|Infinity/);
    const single = drawn(await analyseThemes({ ...dividedView(1), segments: 1 }));
    expect(single.has('trajectory-correlation')).toBe(false);
    expect(drawn(await analyseThemes(dividedView())).has('trajectory-correlation')).toBe(true);
  }); // prettier-ignore

  it('have no tick twice, and each at its place', async () => {
    for (const segments of [1, 6]) {
      const figures = drawn(await analyseThemes(dividedView(segments)));
      const times = smallTexts(figures.get('neurons-over-time')!.svg).filter((text) => /^\d+$/.test(text));
      // Behind the first and last neuron of two layers.
      expect(times.slice(4)).toEqual(Array.from({ length: segments + 1 }, (_, t) => String(t)));
    }
    const few = drawn(await analyseThemes(syntheticView({ segments: 9, layers: { a: 2 }, zeroShare: 0 })));
    const ticks = ticksOf(few.get('share-of-iterations')!.svg, 'y');
    expect(new Set(ticks).size).toBe(ticks.length);
  });

  it('name the iterations between which a stretch lies where rows of θ are unevenly apart', async () => {
    const iteration = Int32Array.of(0, 1, 10, 100);
    const figures = drawn(await analyseThemes({ ...dividedView(3), iteration }));
    const far = { ...dividedView(30), iteration: Int32Array.from({ length: 31 }, (_, t) => 500 + 10 * t) };
    const moments = drawn(await analyseThemes(far)).get('moments')!.svg;
    expect(ticksOf(moments, 'x')[0]).toBe('500');
    expect(ticksOf(moments, 'x').at(-1)).toBe('800');
    expect(moments).toContain('>training iteration<');
    const alone = drawn(await analyseThemes(far, { only: ['synchrony'] })).get('moments')!.svg;
    expect(alone).toMatch(/>segment<(?!.*>training iteration<)/);
    expect(smallTexts(figures.get('neurons-over-time')!.svg).slice(-5)).toEqual(['0', '1', '10', '100', 'training iteration']);
  }); // prettier-ignore

  it('say in the picture which of 300 layers they show', async () => {
    const layers = Object.fromEntries(Array.from({ length: 300 }, (_, l) => [`l${l}`, 2]));
    const view = syntheticView({ segments: 12, layers });
    const theta = async function* () {
      for (let t = 0; t <= 12; t++) yield await Promise.resolve(Float32Array.from({ length: 600 }, (_, k) => Math.sin(t * (1 + (k % 5)))));
    };
    const analyses = await analyseThemes(view, { theta });
    const figures = drawn(analyses);
    const words = (name: string) => parse(figures.get(name)!.svg).documentElement.textContent;
    expect(words('alternation')).toMatch(/Only 23 of 300 layers are shown: those whose parameters' ?totals add up to most\.$/);
    expect(words('oscillation')).toMatch(/Only 23 of 300 layers are shown: those with the most ?turns\.$/);
    expect(words('overfitting')).toMatch(/Only 23 of 300 layers are shown: those that differ most\.$/);
    for (const name of ['alternation', 'oscillation', 'overfitting']) expect(figures.get(name)!.caption).toMatch(/23 of 300 layers, those /);
    // On a page the caption stands below.
    expect(drawn(analyses, 'page').get('alternation')!.svg).not.toContain('>Only');
    const rows = [...parse(figures.get('moments')!.svg).querySelectorAll('[aria-label="y-axis tick label"] text')].map((text) =>
      Number(/translate\([^,]+,([\d.]+)/.exec(text.getAttribute('transform')!)![1]),
    );
    for (let i = 1; i < rows.length; i++) expect(Math.abs(rows[i]! - rows[i - 1]!)).toBeGreaterThanOrEqual(fontSize - 1e-6);
  }); // prettier-ignore

  it('say in the picture how many kernels and classes they leave out, and which layers', async () => {
    const { neurons, ...rest } = await analyseThemes(dividedView());
    const [kernel] = neurons!.kernels!;
    const kernels = Array.from({ length: 15 }, (_, k) => ({ ...kernel!, tensor: `k${k}.weight` }));
    const [own] = neurons!.classes!.perLayer;
    // Layer 0 has the fewest neurons, layer 39 the most.
    const perLayer = Array.from({ length: 40 }, (_, l) => ({ ...own!, layer: `l${l}.`, neurons: l + 1 }));
    const classes = Array.from({ length: 25 }, (_, c) => `c${c}.`);
    const conflictMatrix = classes.map((_, i) => classes.map((__, j) => (i === j ? 0 : i + j)));
    const figures = drawn({ ...rest, neurons: { ...neurons!, kernels, classes: { ...neurons!.classes!, perLayer, classes, conflictMatrix } } });
    const words = (name: string) => parse(figures.get(name)!.svg).documentElement.textContent;
    const named = (name: string, every: readonly string[]) => every.filter((text) => words(name).includes(text));
    expect(words('trajectory-correlation')).toMatch(/Only the first 12 of 15 kernels are shown\.$/);
    expect(named('trajectory-correlation', kernels.map(({ tensor }) => tensor))).toEqual(kernels.slice(0, 12).map(({ tensor }) => tensor));
    expect(words('conflicts')).toMatch(/Only the first 20 of 25 classes are shown\.$/);
    expect(named('conflicts', classes)).toEqual(classes.slice(0, 20));
    expect(words('class-concentration')).toMatch(/Only 23 of 40 layers are shown: those with the most ?neurons\.$/);
    expect(named('class-concentration', perLayer.map(({ layer }) => layer))).toEqual(perLayer.slice(17).map(({ layer }) => layer));
  }); // prettier-ignore

  it('cut no names of kernels and classes', async () => {
    const { neurons, ...rest } = await analyseThemes(dividedView());
    const kernels = neurons!.kernels!.map((own, k) => ({
      ...own,
      tensor: `encoder.layers.${k}.attention.weight`,
    }));
    const classes = Array.from({ length: 12 }, (_, c) => `automobil${c % 10}`);
    const conflictMatrix = classes.map((_, i) => classes.map((__, j) => (i === j ? 0 : i + j)));
    const figures = drawn({
      ...rest,
      neurons: { ...neurons!, kernels, classes: { ...neurons!.classes!, classes, conflictMatrix } },
    });
    const correlation = parse(figures.get('trajectory-correlation')!.svg);
    for (const text of correlation.querySelectorAll('[aria-label="y-axis tick label"] text')) {
      const right = Number(/translate\(([\d.]+)/.exec(text.getAttribute('transform')!)![1]);
      expect(right - estimateWidth(text.textContent, fontSize), text.textContent).toBeGreaterThanOrEqual(0);
    }
    const slanted = [...parse(figures.get('conflicts')!.svg).querySelectorAll('g[transform*="rotate(-50)"]')];
    expect(slanted).toHaveLength(classes.length);
    for (const name of slanted) {
      const left = Number(/translate\(([\d.]+)/.exec(name.getAttribute('transform')!)![1]);
      const width = estimateWidth(name.textContent, fontSize - 2) * Math.cos((50 * Math.PI) / 180);
      expect(left + width, name.textContent).toBeLessThanOrEqual(figureWidth);
    }
  });

  it('call steps between checkpoints segments', async () => {
    const figures = (iteration: Int32Array) => analyseThemes({ ...dividedView(30), iteration }).then((analyses) => [...drawn(analyses).values()].map(({ svg, caption }) => svg + caption).join('\n')); // prettier-ignore
    const far = await figures(Int32Array.from({ length: 31 }, (_, t) => 500 * t));
    for (const text of ['in the segment after it helped', 'of their segments', 'any segment', 'stand at segments that', 'segments that help (%', 'How many segments all layers share'])
      expect(far).toContain(text);
    const each = await figures(Int32Array.from({ length: 31 }, (_, t) => t));
    expect(each).not.toMatch(/segment/i);
    expect(each).toContain('in the iteration after it helped');
  }); // prettier-ignore

  it('have fewer ticks beside long names, so that none covers another', () => {
    const { svg } = createCanvas('light').panel({
      height: 120,
      marginLeft: 198,
      marginRight: 86,
      x: { ticks: 4, nice: true },
      y: { type: 'band', domain: [0], label: null },
      marks: [Plot.barX([-0.1886, 0.0029], { x: (value: number) => value, y: () => 0 })],
    });
    expect(ticksOf(svg, 'x')).toEqual(['−0.2', '−0.1', '0.0']);
  });

  it('count a single parameter as one', async () => {
    const view = syntheticView({ segments: 3, layers: { a: 1 }, zeroShare: 0 });
    expect(extentOf(await analyseRun(view))).toContain(' · 1 parameter · ');
  });

  it('say nothing of the kind where all is shown', async () => {
    const all = drawn(await analyseThemes(dividedView(), { theta: dividedTheta() }));
    for (const { svg, name } of [
      ...all.values(),
      ...drawn(await analyseThemes(singleSegmentView())).values(),
    ])
      expect(svg, name).not.toContain('>Only');
  });
});
