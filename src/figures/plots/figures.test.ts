import { beforeAll, describe, expect, it } from 'vitest';
import {
  emptyView,
  hugeView,
  singleSegmentView,
  syntheticView,
  withColumns,
} from '../../../test/support/synthetic-view.js';
import { analyseRun } from '../../analysis/index.js';
import type { RunAnalysis } from '../../analysis/index.js';
import { layoutOf } from '../../ledger/layout.js';
import { formatNumber } from '../format.js';
import { palettes } from '../theme.js';
import type { LedgerView } from '../../ledger/view.js';
import { draw, parse, pathPoints } from '../../../test/support/drawn-figures.js';
import { drawFigures } from './figures.js';

let base: RunAnalysis;
let huge: RunAnalysis;

beforeAll(async () => {
  base = await analyseRun(syntheticView({ segments: 300, hurtingLayers: ['fc3'] }), {
    preset: 'mnist-fc-sgd',
  });
  huge = await analyseRun(hugeView());
});

describe('figures', () => {
  it('are drawn in reading order, each with title and caption', () => {
    expect([...draw(base).keys()]).toEqual([
      'loss',
      'layer-totals',
      'layers-over-time',
      'shares',
      'layer-shares',
      'distribution',
      'residual',
      'subintervals',
    ]);
    for (const { title, caption, svg } of draw(base).values()) {
      expect(caption).toMatch(/^\S.*\.$/);
      expect(caption).not.toMatch(/NaN|undefined|Infinity|null/);
      expect(parse(svg).documentElement.getAttribute('aria-label')).toBe(`${title}. ${caption}`);
    }
  });

  it('are well-formed, finite, without ids, styles, scripts and references, in every theme', () => {
    for (const [analysis, themes] of [
      [base, ['page', 'light', 'dark']],
      [huge, ['page']],
    ] as const)
      for (const theme of themes)
        for (const { svg } of draw(analysis, theme).values()) {
          expect(parse(svg).documentElement.tagName).toBe('svg');
          expect(svg).not.toMatch(/NaN|undefined|Infinity/);
          expect(svg).not.toMatch(/\sid=|<style|<script|href|url\(|@import/);
          expect(svg.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:/);
        }
  });

  it('use custom properties on a page, and explicit colours with a title in files', () => {
    const page = draw(base).get('loss')!.svg;
    const file = draw(base, 'dark').get('loss')!.svg;
    expect(page).toContain('var(--lca-objectives-0)');
    expect(file).not.toContain('var(');
    expect(file).toContain(palettes.dark.objectives[0]);
    expect(parse(file).querySelector('text')!.textContent).toBe(draw(base).get('loss')!.title);
  });

  it('are deterministic', () => {
    expect(drawFigures(base)).toEqual(drawFigures(base));
  });

  it('stay small for 5,000 segments and 60 layers', () => {
    for (const { svg, name } of draw(huge).values())
      expect(svg.length, name).toBeLessThan(name === 'layers-over-time' ? 500_000 : 100_000);
  });

  it('are absent for an empty run and complete for one segment', async () => {
    expect(drawFigures(await analyseRun(emptyView()))).toEqual([]);
    const single = draw(await analyseRun(singleSegmentView()));
    expect([...single.keys()]).toHaveLength(7);
    for (const { svg } of single.values()) expect(svg).not.toMatch(/NaN|Infinity/);
  });
});

describe('what figures show', () => {
  it('a loss curve whose ends are the first and last loss, on a linear scale', () => {
    const points = pathPoints(parse(draw(base).get('loss')!.svg), 'train loss');
    const measured = base.objectives[0]!.loss.measured;
    expect(points).toHaveLength(301);
    const [first, middle, last] = [points[0]!, points[150]!, points[300]!];
    const expected = (measured[150]! - measured[0]!) / (measured[300]! - measured[0]!);
    expect((middle[1] - first[1]) / (last[1] - first[1])).toBeCloseTo(expected, 3);
    expect((middle[0] - first[0]) / (last[0] - first[0])).toBeCloseTo(0.5, 3);
    expect(last[1]).toBeGreaterThan(first[1]);
  });

  it('one bar per layer, coloured by its sign and long as its total', () => {
    const document = parse(draw(base, 'light').get('layer-totals')!.svg);
    const bars = [...document.querySelectorAll('[aria-description="layer total"] rect')];
    const layers = base.objectives[0]!.layers;
    expect(bars.map((bar) => bar.getAttribute('fill'))).toEqual(
      layers.map(({ total }) => (total > 0 ? palettes.light.hurting : palettes.light.helping)),
    );
    expect(layers.some(({ total }) => total > 0)).toBe(true);
    const length = (i: number): number => Number(bars[i]!.getAttribute('width'));
    expect(length(1) / length(0)).toBeCloseTo(Math.abs(layers[1]!.total / layers[0]!.total), 6);
    expect(bars[0]!.textContent).toContain('fc1');
  });

  it('one line per layer and objective, all layers of a deep network included', () => {
    const lines = (analysis: RunAnalysis): number => {
      const document = parse(draw(analysis).get('layers-over-time')!.svg);
      return [...document.querySelectorAll('[aria-description]')].length;
    };
    expect(lines(base)).toBe(2 * 3);
    expect(lines(huge)).toBe(2 * 60);
    expect(draw(huge).get('layers-over-time')!.svg).toContain('53 other layers');
  });

  it('at most 24 rows of layers, the last of them all others together', () => {
    const document = parse(draw(huge).get('layer-totals')!.svg);
    const bars = [...document.querySelectorAll('[aria-description="layer total"] rect')];
    expect(bars).toHaveLength(24);
    expect(bars.at(-1)!.textContent).toMatch(/^37 other layers: /);
    const layers = huge.objectives[0]!.layers;
    const total = (rows: readonly { readonly total: number }[]) => rows.reduce((sum, row) => sum + row.total, 0);
    const largest = [...layers].sort((a, b) => Math.abs(b.total) - Math.abs(a.total)).slice(0, 23);
    expect(bars.at(-1)!.textContent).toContain(formatNumber(total(layers) - total(largest)));
    expect(draw(huge).get('layer-totals')!.caption).toContain('the other 37 share one');
    const shares = parse(draw(huge).get('layer-shares')!.svg);
    expect(shares.querySelectorAll('[aria-description="layer share"] rect')).toHaveLength(3 * 24);
  }); // prettier-ignore

  it('losses of a run that diverges in short numbers, and integrated ones that leave the panel', async () => {
    const plain = syntheticView({ segments: 20, objectives: ['mine'] });
    const huge = plain.column('layer_sums', 'mine').map((sum) => 1e12 * sum);
    const view = withColumns(plain, 'mine', { layer_sums: huge });
    const linear = draw(await analyseRun(view)).get('loss')!;
    expect(linear.caption).toContain('leaves the upper panel: the allocations do not add up');
    const loss = view.column('loss', 'mine').slice();
    loss[7] = 1e9;
    const raised = draw(await analyseRun(withColumns(view, 'mine', { loss })));
    for (const name of ['loss', 'layer-totals', 'layers-over-time'])
      for (const text of parse(raised.get(name)!.svg).querySelectorAll('text'))
        expect(text.textContent, name).not.toMatch(/\d{7}|,\d{3},/);
    expect(raised.get('loss')!.svg).toContain('10⁷');
  });

  it('what each term of the update did, those that helped end to end to the left of zero', async () => {
    const names = ['gradient', 'momentum/1', 'momentum/2-3', 'weightDecay', 'rounding'];
    // Of three layers; two segments of the same.
    const row = Float64Array.from([-3, -1, 0, -1, 2, 0, 0.5, 0, 0, -0.5, 0, 1, 0, 0, 0]);
    async function* rows(): AsyncGenerator<Float64Array> {
      yield await Promise.resolve(row);
      yield row;
    }
    const plain = syntheticView({ segments: 2 });
    const view: LedgerView = { ...plain, components: names, rows: (column, ...of) => (column === 'component_sums' ? rows() : plain.rows(column, ...of)) }; // prettier-ignore
    const { svg, caption } = draw(await analyseRun(view)).get('components')!;
    expect(caption).toMatch(
      /gradient \(−8\.00 nats\) helped most, momentum\/1 \(2\.00 nats\) hurt most\. .*two and three steps old/,
    );
    const pieces = [...parse(svg).querySelectorAll('[aria-description="component total"] rect')];
    expect(pieces).toHaveLength(3 * names.length);
    const [x, width] = ['x', 'width'].map((name) => pieces.map((piece) => Number(piece.getAttribute(name))));
    expect(x![0]! + width![0]!).toBeCloseTo(x![2]!, 5);
    expect(x![1]! + width![1]!).toBeCloseTo(x![0]!, 5);
    expect(width![0]! / width![1]!).toBeCloseTo(3, 5);
    expect(draw(base).has('components')).toBe(false);
  });

  it('accuracy at the rows where it was counted, one line an objective', async () => {
    const objectives = [
      { name: 'train', labels: 2000, share: [0.1, 0.75, 1] },
      { name: 'validation', labels: 500, share: [0.1, 0.5, 0.25] },
    ];
    const view = syntheticView({ segments: 4 });
    const analysis = await analyseRun(view, { accuracy: { rows: [0, 2, 4], iteration: [0, 2, 4], objectives } });
    const { svg, caption } = draw(analysis).get('accuracy')!;
    expect(caption).toMatch(/train from 10\.0 % to 100\.0 % of 2,000 labels; validation from 10\.0 % to 25\.0 % of 500/);
    expect(caption).toContain('3 of 5 rows');
    const document = parse(svg);
    const dots = [...document.querySelectorAll('circle')].map((dot) => Number(dot.getAttribute('cy')));
    expect(dots).toHaveLength(6);
    expect((dots[0]! - dots[1]!) / (dots[0]! - dots[2]!)).toBeCloseTo(0.65 / 0.9, 6);
    expect(draw(base).has('accuracy')).toBe(false);
  }); // prettier-ignore

  it('the first layer as an image, deeper where allocations are larger', async () => {
    const layout = layoutOf([{ name: 'fc.weight', shape: [2, 36], layer: 'fc', neuronAxis: 0 }]);
    const row = Float32Array.from({ length: 72 }, (_, k) => (k === 7 ? -1 : k === 36 + 35 ? 0.04 : 0));
    async function* rows(): AsyncGenerator<Float32Array> {
      yield await Promise.resolve(row);
    }
    const base = syntheticView({ segments: 1, layers: { fc: 72 }, objectives: ['mine'] });
    const view = { ...base, layout: { ...layout, neurons: [0] }, rows: () => rows() };
    const figure = draw(await analyseRun(view, { exampleShape: [6, 6] }), 'light').get('first-layer')!;
    const paths = [...parse(figure.svg).querySelectorAll('path')].map((path) =>
      ['d', 'fill', 'fill-opacity'].map((name) => path.getAttribute(name)),
    );
    const [helped, hurt] = [['M1,1h1v1h-1z', palettes.light.helping, '1'], ['M5,5h1v1h-1z', palettes.light.hurting, '0.25']];
    expect(paths).toEqual([helped, hurt, helped, hurt]);
    expect(figure.caption).toContain('fc.weight');
  }); // prettier-ignore

  it('stacked shares that fill the whole height', () => {
    const document = parse(draw(base).get('shares')!.svg);
    const heights = ['helping', 'zero', 'hurting'].map((kind) => {
      const points = pathPoints(document, kind);
      return Math.abs(points[0]![1] - points.at(-1)![1]);
    });
    const { helping, zero, hurting } = base.objectives[0]!.shares.perIteration;
    const [from, to] = [0, Math.floor(300 / 200)];
    const first = [helping, zero, hurting].map((counts) => counts.slice(from, to).reduce((a, b) => a + b));
    const all = heights.reduce((a, b) => a + b);
    heights.forEach((height, i) => expect(height / all).toBeCloseTo(first[i]! / 2500, 3));
  });

  it('both definitions of the shares, in figures and captions', () => {
    const { ofAll, ofNonzero } = base.objectives[0]!.shares.run.shares;
    const { caption } = draw(base).get('shares')!;
    expect(caption).toContain(`${(ofAll.helping! * 100).toFixed(1)} % of all parameters help`);
    expect(caption).toContain(`${(ofNonzero.helping! * 100).toFixed(1)} % help`);
    const bars = parse(draw(base).get('layer-shares')!.svg).querySelectorAll(
      '[aria-description="layer share"] rect',
    );
    expect(bars).toHaveLength(9);
  });

  it('a distribution with one stair per bin that has entries', () => {
    const { edges, helping } = base.objectives[0]!.distribution!;
    const filled = helping.bins.filter((count) => count > 0).length;
    const drawn = pathPoints(parse(draw(base).get('distribution')!.svg), 'helping');
    expect(drawn).toHaveLength(2 * filled);
    expect(edges).toHaveLength(113);
  });

  it('the tolerance, and how many iterations exceed it', async () => {
    const leaking = await analyseRun(syntheticView({ segments: 40, leak: 0.002 }));
    expect(draw(leaking).get('residual')!.caption).toContain('40 iterations exceed the tolerance');
    expect(draw(base).get('residual')!.caption).toContain('No iteration exceeds the tolerance');
    const untold = await analyseRun({ ...syntheticView({ segments: 40 }), tolerance: null });
    expect(draw(untold).get('residual')!.svg).not.toContain('tolerance');
  });

  it('residuals far below the tolerance where they are, or told where the axis does not reach them', async () => {
    const view = syntheticView({ segments: 4, objectives: ['train'] });
    const drawResiduals = async (...residual: number[]) => {
      const [own, left] = [Float64Array.from(residual), Float64Array.from(residual)];
      const small = withColumns(view, 'train', { residual: own, left_residual: left });
      return draw(await analyseRun(small), 'light').get('residual')!;
    };
    const all = await drawResiduals(1e-30, 2e-33, 1e-30, 3e-31);
    expect(new Set(pathPoints(parse(all.svg), 'simpson, train').map(([, y]) => y)).size).toBe(3);
    expect(all.svg + all.caption).not.toContain('lower end');
    const few = await drawResiduals(1e-5, 1e-30, 1e-5, 1e-5);
    expect(few.svg).toContain('>2 smaller residuals are drawn at the axis’s lower end.<');
    expect(few.caption).toContain('2 are smaller than the axis shows, and drawn at its lower end.');
  });

  it('residuals of segments where these are more than one iteration', async () => {
    const figure = async (stride: number) =>
      draw(await analyseRun(syntheticView({ segments: 4, stride }))).get('residual')!;
    const [one, many] = [await figure(1), await figure(3)];
    expect(one.title + one.caption + one.svg).toMatch(
      /^Error of each iterationThe error of an average iteration .*of one iteration/,
    );
    expect(many.title + many.caption + many.svg).toMatch(
      /^Error of each segmentThe error of an average segment .*of one segment/,
    );
  });

  it('names with marks of XML as they are', async () => {
    const name = '<b>a</b> & "q" &lt;';
    const view = syntheticView({ segments: 4, layers: { [name]: 20, b: 10 } });
    for (const { svg } of draw(await analyseRun(view)).values())
      expect(parse(svg).documentElement.nodeName).toBe('svg');
    const figure = parse(draw(await analyseRun(view)).get('layers-over-time')!.svg);
    expect(figure.querySelector('[aria-description*="<b>"]')!.getAttribute('aria-description')).toBe(name);
  });

  it('residuals that are exactly zero are left out of a logarithmic axis and counted', async () => {
    const view = syntheticView({ segments: 40, objectives: ['train'] });
    const exact = withColumns(view, 'train', { residual: new Float64Array(40) });
    const figure = draw(await analyseRun(exact));
    expect(figure.get('residual')!.caption).toContain('40 residuals are exactly zero');
    expect(figure.get('residual')!.svg).not.toMatch(/NaN|Infinity/);
  });
});
