import { JSDOM } from 'jsdom';
import { describe, expect, it } from 'vitest';
import { compareRuns } from '../../analysis/comparison/compare.js';
import { analyseSweep, type SweepAnalysis } from '../../analysis/comparison/sweep.js';
import { studentT } from '../../analysis/statistics/t-test.js';
import type { PruningAnalysis } from '../../analysis/use/pruning.js';
import { parseManifest } from '../../format/manifest.js';
import { smallManifest } from '../../../test/support/run-folder.js';
import { syntheticView } from '../../../test/support/synthetic-view.js';
import { csvText } from '../themes/drawing.js';
import { tableText } from '../themes/tables/table.js';
import { comparabilityTable, comparisonData, comparisonTables, drawComparison } from './compare.js';
import { drawPruning, pruningData, pruningTables } from './prune.js';
import { drawSweep } from './sweep.js';
import { sweepData, sweepTables } from './sweep-tables.js';

const xml = new JSDOM('');

/** Throws where an SVG is malformed, or says what is no number. */
function check(figures: readonly { readonly name: string; readonly svg: string; readonly caption: string }[]): void {
  for (const { name, svg, caption } of figures) {
    const document = new xml.window.DOMParser().parseFromString(svg, 'image/svg+xml');
    expect(document.querySelector('parsererror'), name).toBeNull();
    expect(`${svg} ${caption}`, name).not.toMatch(/NaN|undefined|Infinity/);
  }
} // prettier-ignore

const manifest = parseManifest({ format: 'lossledger', formatVersion: 2, ...smallManifest(40) }, 'test');

/** A sweep of these axes whose totals rise from cell to cell; `layers` of them, the first `trained` of parameters. */
async function sweepOf(
  axes: SweepAnalysis['grids'][number]['axes'],
  seeds: number,
  layers = 3,
  trained = layers,
) {
  const labels = axes.reduce<Record<string, string>[]>(
    (all, axis) => all.flatMap((own) => axis.labels.map((label) => ({ ...own, [axis.name]: label }))),
    [{}],
  );
  const cells = labels.map((settings, c) => ({
    label: Object.entries(settings).map(([name, value]) => `${name} ${value}`).join(', '),
    settings,
    runs: Array.from({ length: seeds }, (_, seed) => ({
      seed,
      run: `run-${c}-${seed}`,
      failure: c === 1 && seed === 0 ? 'training diverged' : null,
      outcome: c === 1 && seed === 0 ? null : {
        layers: Array.from({ length: layers }, (__, l) => ({ layer: `layer${l}`, parameters: 3, total: -1 + 0.1 * c * l + 0.01 * seed })),
        trained,
        losses: ['train', 'validation'].map((objective, o) => ({ objective, first: 2, last: 1 - 0.1 * c + o + 0.02 * seed })),
        helping: 0.5 + 0.01 * c,
        components: { components: [{ name: 'gradient', total: -1, layers: new Array<number>(layers).fill(-1 / layers) }] },
      },
    })),
  })); // prettier-ignore
  const facts = { name: 'made', about: null, unit: 'nats', objective: 'train', baseline: null };
  return analyseSweep(facts, [{ axes, cells }], await studentT());
}

describe('a comparison', () => {
  const view = (segments: number, hurtingLayers: string[] = []) =>
    syntheticView({ segments, hurtingLayers, objectives: ['train', 'mine'] });
  const compared = compareRuns([
    { name: 'plain', manifest, view: view(40) },
    { name: 'longer', manifest, view: view(60, ['fc3']) },
  ]);

  it('draws losses of each objective and layers of the first, and has the same numbers', () => {
    const figures = drawComparison(compared, 'light');
    expect(figures.map(({ name }) => name)).toEqual([
      'compare-loss-train',
      'compare-layers-train',
      'compare-loss-mine',
    ]);
    check([...figures, ...drawComparison(compared, 'dark')]);
    const [losses] = comparisonData(compared);
    expect(csvText(losses!.table).split('\n')[1]).toBe(`0,${compared.objectives[0]!.losses.map((own) => own[0]!).join(',')}`); // prettier-ignore
  });

  it('names settings whole where their values are long, in lines of 80 columns', () => {
    const groups = (match: string) =>
      JSON.stringify(Array.from({ length: 4 }, () => ({ match, learningRate: 0.01 })));
    const settings = [
      { about: 'learningRate', why: '', values: [groups('a'), groups('b')] },
      { about: 'seed', why: '', values: ['1', '2'] },
    ];
    const comparability = { objectives: [], layers: [], notes: [], settings, tracks: [] };
    const lines = tableText(comparabilityTable(['a', 'b'], comparability)).split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines[3]).toMatch(/^learningRate  setting {3}\[\{"match":"a"/);
    expect(lines[4]).toMatch(/^ {24}\S/);
    expect(lines.at(-2)).toMatch(/^seed {10}setting {3}1 \| 2$/);
  });

  it('says in the picture which of many layers it shows', () => {
    const names = Array.from({ length: 40 }, (_, l) => `l${l}.`);
    const own = (name: string) => ({ name, manifest, view: syntheticView({ segments: 9, objectives: ['train', 'mine'], layers: Object.fromEntries(names.map((layer) => [layer, 2])) }) }); // prettier-ignore
    const many = compareRuns([own('a'), own('b')]);
    const figure = drawComparison(many, 'light').find(({ name }) => name === 'compare-layers-train')!;
    const text = new xml.window.DOMParser().parseFromString(figure.svg, 'image/svg+xml').documentElement
      .textContent;
    expect(text).toMatch(/Only 23 of 40 layers are shown: those whose totals are ?largest\.$/);
    expect(figure.caption).toContain('Shown: 23 of 40 layers, those whose totals are largest');
    const sizes = many.objectives[0]!.layers!.map(({ totals }) => Math.max(...totals.map(Math.abs)));
    const largest = names
      .toSorted((a, b) => sizes[names.indexOf(b)]! - sizes[names.indexOf(a)]!)
      .slice(0, 23);
    expect(names.filter((name) => text.includes(name)).sort()).toEqual(largest.sort());
    expect(drawComparison(compared, 'light').some(({ svg }) => svg.includes('>Only'))).toBe(false);
  });

  it('says in words what keeps losses from being compared', () => {
    const other = parseManifest({ format: 'lossledger', formatVersion: 2, ...smallManifest(40, { definition: { ...smallManifest(40).definition, loss: 'squared error' } }) }, 'test'); // prettier-ignore
    const refused = compareRuns([{ name: 'a', manifest, view: view(9) }, { name: 'b', manifest: other, view: view(9) }]); // prettier-ignore
    expect(refused.objectives).toEqual([]);
    const text = tableText(comparabilityTable(refused.runs, refused.comparability));
    expect(text).toMatch(/loss +losses +softmax cross-entropy \| squared error[^]*cannot be\s+compared/);
    expect(comparisonTables(compared).map(tableText).join('\n')).toMatch(/loss at 40[^]*fc3/);
  });
});

describe('a sweep', () => {
  it.each([
    ['numbers', [{ name: 'rate', labels: ['0.01', '0.1', '1'] }], 3],
    ['names', [{ name: 'last layer', labels: ['trained', 'frozen', 'ten times smaller steps'] }], 3],
    ['one seed', [{ name: 'rate', labels: ['0', '0.5'] }], 1],
    ['two axes', [{ name: 'rate', labels: ['1', '2'] }, { name: 'kind', labels: ['a', 'b', 'c', 'd'] }], 2],
  ])('draws layers, losses and shares by %s', async (_, axes, seeds) => {
    const analysis = await sweepOf(axes, seeds);
    const figures = drawSweep(analysis, 'light');
    const ending = axes.map(({ name }) => name.replace(' ', '-')).join('-');
    expect(figures.map(({ name }) => name)).toEqual(['layers', 'loss', 'helping'].map((what) => `${what}-${ending}`)); // prettier-ignore
    check([...figures, ...drawSweep(analysis, 'dark')]);
    const text = sweepTables(analysis).map(tableText).join('\n');
    expect(text).toMatch(/Ended\s+early:[^]*training\s+diverged[^]*by the age of gradients/);
  }); // prettier-ignore

  it('has a column for each set that any cell measured, empty where a cell did not', async () => {
    const analysis = await sweepOf([{ name: 'rate', labels: ['0', '1'] }], 2);
    const [grid] = analysis.grids;
    const cells = grid!.cells.map((cell, c) => (c === 0 || cell.summary === null ? cell : { ...cell, summary: { ...cell.summary, losses: cell.summary.losses.slice(0, 1) } }));
    const [losses] = sweepTables({ ...analysis, grids: [{ ...grid!, cells }] });
    const all = grid!.cells[0]!.summary!.losses.map(({ objective }) => objective);
    expect(losses!.head.filter((_, k) => k > 1 && k % 2 === 0).slice(0, all.length)).toEqual(all.map((name) => `${name} (${analysis.unit})`));
    expect(losses!.rows[1]!.slice(4, 2 + 2 * all.length)).toEqual(all.slice(1).flatMap(() => ['–', '']));
  }); // prettier-ignore

  it('shows the layers that change most, and the last, where there are many', async () => {
    const analysis = await sweepOf([{ name: 'delay', labels: ['0', '1', '2'] }], 2, 12);
    const layers = drawSweep(analysis)[0]!;
    expect(layers.caption).toMatch(/the 7 layers, the last among them/);
    for (const layer of ['layer5', 'layer11']) expect(layers.svg).toContain(layer);
    expect(layers.svg).not.toContain('layer4<');
  });

  it('takes for the last layer one that is trained, not running statistics, which stand behind all', async () => {
    const analysis = await sweepOf([{ name: 'delay', labels: ['0', '1'] }], 2, 4, 2);
    const table = sweepTables(analysis).find(({ title }) => title.includes('by the age of gradients'))!;
    expect(table.head).toEqual(['component', 'layer0', 'layer1', 'all layers']);
  });

  it('has every number of cells and runs as CSV', async () => {
    const [cells, runs] = sweepData(await sweepOf([{ name: 'rate', labels: ['1', '2'] }], 2));
    expect([cells!.name, cells!.table.rows.length]).toEqual(['cells', 2 * (3 + 2 + 1)]);
    expect(cells!.table.rows[0]!.slice(0, 5)).toEqual(['rate 1', 'layer total', 'layer0', 2, -0.995]);
    expect(runs!.table.rows.filter((row) => row[3] === 'failed')).toHaveLength(1);
    for (const { table } of [cells!, runs!]) for (const row of table.rows) expect(row).toHaveLength(table.columns.length); // prettier-ignore
  });
});

describe('pruning', () => {
  const curve = (losses: number[], accuracies: number[] | null) => ({ objective: 'test', losses: [losses], accuracies: accuracies && [accuracies] }); // prettier-ignore
  const analysis = (hasClasses: boolean): PruningAnalysis => ({
    format: 'lossledger-pruning', version: 1, run: 'made', segments: 7, iterations: 7, unit: 'nats', objective: 'train', to: 'zero', scope: 'all', weights: 100,
    shares: [0, 0.5, 1],
    methods: (['allocation', 'magnitude', 'random'] as const).map((method, m) => ({ method, curves: [curve([1, 1.1 + m, 1e9], hasClasses ? [0.9, 0.8 - 0.1 * m, 0.1] : null)] })),
    evidence: [{ layer: 'a', weights: 100, hurt: 10, idle: 5, hurting: 0.5, helping: -2 }],
    judged: { objective: 'test', by: hasClasses ? 'accuracy' : 'loss' },
    verdicts: [{ method: 'allocation', removable: 0.5, overRandom: null }],
  }); // prettier-ignore

  it.each([true, false])('draws curves, with accuracy where labels are classes (%s)', (hasClasses) => {
    const made = analysis(hasClasses);
    const [figure] = drawPruning(made);
    check([figure!, ...drawPruning(made, 'dark')]);
    expect(figure!.svg.includes('right (%)')).toBe(hasClasses);
    expect(pruningTables(made).map(tableText).join('\n')).toMatch(
      /10\.0 %[^]*removed +allocation[^]*50\.0 %/,
    );
    expect(pruningData(made)[0]!.table.rows[1]).toEqual(['allocation', 0, 'test', 0.5, 1.1, hasClasses ? 0.8 : null]); // prettier-ignore
  });

  it('says of an unfinished run after how many segments its weights are', () => {
    const told = (made: PruningAnalysis) => [drawPruning(made)[0]!.caption, pruningTables(made)[0]!.note];
    for (const text of told({ ...analysis(true), segments: 3 }))
      expect(text).toContain('after 3 of 7 segments');
    for (const text of told(analysis(true))) expect(text).not.toContain('segments');
  });
});
