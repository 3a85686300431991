import { JSDOM } from 'jsdom';
import { beforeAll, describe, expect, it } from 'vitest';
import { syntheticView } from '../../../../test/support/synthetic-view.js';
import { analyseRun, type ObjectiveAnalysis, type RunAnalysis } from '../../../analysis/index.js';
import type { LedgerView } from '../../../ledger/view.js';
import { drawFigures } from '../figures.js';

const segments = 4;
let plain: RunAnalysis;

beforeAll(async () => {
  plain = await analyseRun(syntheticView({ segments }));
});

/** The figures of a run of one objective of which more is known. */
function drawn(known: Partial<ObjectiveAnalysis>) {
  const analysis = { ...plain, objectives: [{ ...plain.objectives[0]!, ...known }] };
  return new Map(drawFigures(analysis).map((figure) => [figure.name, figure]));
}

const marks = (svg: string, description: string) =>
  [...new JSDOM(svg, { contentType: 'image/svg+xml' }).window.document.querySelectorAll(`[aria-description="${description}"] > *`)]; // prettier-ignore

describe('parts', () => {
  it('are added up by what they are parts by, blocks of samples left out, and drawn over time and by layer', async () => {
    const view = syntheticView({ segments });
    const layers = view.layout.layers.length;
    const [main] = view.objectives;
    // Part p of layer l: −(p + 1) in every segment.
    const row = Float64Array.from({ length: 4 * layers }, (_, k) => -(Math.floor(k / layers) + 1));
    const losses = Float64Array.from({ length: 4 * (segments + 1) }, (_, k) => 10 - k);
    const divided: LedgerView = {
      ...view,
      objectives: [{ ...main!, parts: ['class 0', 'class 1', 'red', 'block 0'], by: ['class', 'class', 'colour', 'block'] }],
      has: (name, objective) => name === 'part_loss' || view.has(name, objective),
      column: (name, objective) => (name === 'part_loss' ? losses : view.column(name, objective)) as never,
      rows: (name, ...of) =>
        name === 'part_layer_sums'
          ? (async function* () { for (let t = 0; t < segments; t++) yield await Promise.resolve(row); })()
          : view.rows(name, ...of),
    }; // prettier-ignore
    const { partTotals } = await import('../../../analysis/parts/parts.js');
    const parts = (await partTotals(divided, main!.name))!;
    expect(parts.map(({ by, parts: own }) => [by, own.map(({ total }) => total)])).toEqual([
      ['class', [-segments * layers, -2 * segments * layers]],
      ['colour', [-3 * segments * layers]],
    ]);
    expect(parts[0]!.parts[1]!.loss).toEqual([9, 5, 1, -3, -7]);
    // Each segment is a window of its own, where there are few.
    const [layersOf] = parts[0]!.times;
    expect(layersOf!.entity).toBe('layer');
    expect(layersOf!.until).toEqual([1, 2, 3, 4]);
    expect(layersOf!.sums).toEqual(
      [1, 2].map((size) => layersOf!.cells.map(() => Array<number>(segments).fill(-size))),
    );
    const figures = drawn({ parts });
    const when = figures.get('when-class')!;
    expect(when.title).toBe('Layers by class, over time');
    expect(when.caption).toMatch(/class 1 gained most in .* \(.8\.00 nats, half of it by iteration 2\)/);
    expect(when.svg).toMatch(/>class 0<[^]*>class 1</);
    const total = (size: number): string => `−${(size * segments * layersOf!.cells.length).toPrecision(2)}`;
    for (const text of ['sum (nats)', total(1), total(2), 'each from iteration 0 to 4'])
      expect(when.svg).toContain(`>${text}<`);
    // Cells of one width that stand for more and fewer iterations say so.
    const uneven = parts.map((own) => ({
      ...own,
      times: own.times.map((times) => ({ ...times, until: [1, 2, 10, 40] })),
    }));
    expect(drawn({ parts: uneven }).get('when-class')!.svg).toContain(
      '>each from iteration 0 to 40, a cell for 1 to 30 iterations<',
    );
    expect([...figures.keys()]).toEqual(expect.arrayContaining(['parts-class', 'parts-colour']));
    const { svg, caption } = figures.get('parts-class')!;
    expect(marks(svg, 'part total')).toHaveLength(2 * layers);
    expect(marks(svg, 'loss of class 1')).toHaveLength(1);
    expect(caption).toMatch(/class 1 .* gained most, class 0 .* least/);
    expect(drawn({}).has('parts-class')).toBe(false);
  });
});

describe('certainty', () => {
  it('is drawn over time, beside what was allowed', () => {
    const certainty = {
      undetermined: 10, unresolved: 0, share: 0.1, helping: { least: 0.5, most: 0.6 }, perIteration: [0.1, null, 0.2, 0.1],
      perLayer: plain.objectives[0]!.layers.map(({ layer }) => ({ layer, share: 0.1, error: 0 })), missed: { wanted: 0.95, segments: 4, byRounding: 1 },
    }; // prettier-ignore
    const { svg, caption } = drawn({ certainty }).get('certainty')!;
    expect(marks(svg, 'undetermined share')).toHaveLength(1);
    expect(caption).toMatch(/between 50\.0 % and 60\.0 % help.*as many as were allowed/);
  });
});

describe('a sample', () => {
  it('shows the intervals of the loss and of layers', () => {
    const { layers } = plain.objectives[0]!;
    const sampling = {
      examples: 64, from: 640, blocks: 16, loss: Array<number>(segments + 1).fill(0.1), lossChange: 0.1, totals: Array<number>(segments).fill(0.1),
      layers: layers.map(() => 0.2), helping: null,
    }; // prettier-ignore
    const figures = drawn({ sampling });
    expect(marks(figures.get('layer-totals')!.svg, 'interval of 95 %')).toHaveLength(layers.length);
    expect(figures.get('layer-totals')!.caption).toContain('intervals of 95 %');
    expect(marks(figures.get('loss')!.svg, `${plain.objectives[0]!.name} interval of 95 %`)).toHaveLength(2);
    expect(drawn({}).get('loss')!.caption).not.toContain('95 %');
  });
});
