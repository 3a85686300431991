import { JSDOM } from 'jsdom';
import { beforeAll, describe, expect, it } from 'vitest';
import { dividedExampleShape, dividedTheta, dividedView } from '../../../test/support/divided-view.js';
import { hugeView, singleSegmentView, syntheticView } from '../../../test/support/synthetic-view.js';
import {
  analyseRun,
  analyseThemes,
  layersOverRuns,
  type ThemeAnalyses,
  toyPath,
  studentT,
} from '../../analysis/index.js';
import { createCanvas } from '../plots/canvas.js';
import { renderReport } from '../report/report.js';
import { columns } from '../text.js';
import { csvText } from './drawing.js';
import { drawLayersOverRuns, layersOverRunsData } from './layers.js';
import { layersOverRunsTable } from './tables/layers.js';
import { tableText } from './tables/table.js';
import { overviewTable, themesText } from './tables/tables.js';
import { drawThemes, drawToy, themeData } from './themes.js';
import { useDrawings } from './use.js';

let full: ThemeAnalyses;
/** Without weights. */
let less: ThemeAnalyses;

beforeAll(async () => {
  full = await analyseThemes(dividedView(), { theta: dividedTheta(), exampleShape: dividedExampleShape });
  less = await analyseThemes(dividedView());
});

const figuresOf = (analyses: ThemeAnalyses) =>
  drawThemes(analyses, 'light').flatMap(({ figures }) => figures);

/** Numbers in the attributes of a figure that are none. */
const broken = (svg: string): string[] =>
  [...svg.matchAll(/[\w-]+="[^"]*(?:NaN|undefined|Infinity)[^"]*"/g)].map(([found]) => found);

describe('figures of the themes', () => {
  it('are drawn for everything that a run kept, each with how to read it and what the paper found', () => {
    const names = figuresOf(full).map(({ name }) => name);
    expect(names).toEqual([
      'share-of-iterations', 'alternation', 'tails', 'oscillation', 'moments', 'synchrony-by-chance', 'trajectory-correlation',
      'class-concentration', 'conflicts', 'saliency', 'first-order', 'neurons-over-time', 'parameters-over-time', 'overfitting',
    ]); // prettier-ignore
    for (const { name, svg, caption } of [...figuresOf(full), drawToy()]) {
      expect(caption, name).toMatch(/paper/i);
      expect(broken(svg), name).toEqual([]);
      const { documentElement } = new new JSDOM('').window.DOMParser().parseFromString(svg, 'image/svg+xml');
      expect(documentElement.nodeName, name).toBe('svg');
    }
  });

  it('have the same shapes light and dark, and take all colours from the theme', () => {
    const shapes = (svg: string): string => svg.replace(/#[0-9a-f]{6}/g, '#');
    const [light, dark] = [figuresOf(full), drawThemes(full, 'dark').flatMap(({ figures }) => figures)];
    light.forEach(({ svg, name }, i) => expect(shapes(dark[i]!.svg), name).toBe(shapes(svg)));
  });

  it('draw what hurts narrower than what helps, so that sign is not told by colour alone', () => {
    const map = figuresOf(full).find(({ name }) => name === 'neurons-over-time')!.svg;
    const paths = [...map.matchAll(/<path d="([^"]+)" fill="(#[0-9a-f]{6})"/g)];
    const colours = new Set(paths.map(([, , fill]) => fill));
    expect(colours.size).toBe(2);
    for (const [, path, fill] of paths) expect(path!.includes('h0.5v1h-0.5z'), fill).toBe(fill === '#d55e00');
  });

  it('do without what was not kept, and stand a single segment and sixty layers', async () => {
    for (const view of [
      singleSegmentView(),
      hugeView(),
      syntheticView({ segments: 3, keepAllocations: false }),
    ]) {
      const analyses = await analyseThemes(view);
      for (const { svg, name } of figuresOf(analyses)) expect(broken(svg), name).toEqual([]);
      expect(themesText(analyses)).not.toMatch(/NaN|undefined|Infinity/);
    }
  });

  it('count turns by segments where rows of θ are further apart than one iteration, and say so', async () => {
    const view = dividedView();
    const stretched = { ...view, iteration: Int32Array.from(view.iteration, (at) => 3 * at) };
    const sparse = await analyseThemes(stretched, { theta: dividedTheta() });
    const plain = await analyseThemes(view, { theta: dividedTheta() });
    expect([plain.iterations, sparse.iterations]).toEqual([view.segments, 3 * view.segments]);
    expect(sparse.oscillation).toEqual(plain.oscillation);
    const { table } = themeData(sparse).find(({ name }) => name === 'layers-over-time')!;
    expect([table.columns[0], ...table.rows.slice(0, 3).map(([at]) => at)]).toEqual(['iteration', 0, 3, 6]);
    const titleOf = (analyses: ThemeAnalyses) =>
      figuresOf(analyses).find(({ name }) => name === 'oscillation')!.title;
    expect([titleOf(plain), titleOf(sparse)]).toEqual(['Iterations per turn of a weight', 'Segments per turn of a weight']); // prettier-ignore
    expect(themesText(plain)).not.toMatch(/segments per turn|not to be compared|counted in segments/);
    const text = themesText(sparse).replace(/\s+/g, ' ');
    expect(text).toMatch(
      /segments per turn of a weight.*Rows of θ are 3\.00 iterations apart on average.*not to be compared with the paper/,
    );
    expect(text).toMatch(/Not said: counts of iterations: .* counted in segments/);
  });

  it('add up, of the toy surface, to its loss', () => {
    const { loss, allocations } = toyPath();
    const sum = allocations.flat().reduce((a, b) => a + b);
    expect(sum).toBeCloseTo(loss.at(-1)! - loss[0]!, 12);
    expect(allocations.some(([x]) => x > 0)).toBe(true);
  });
});

describe('numbers of the figures', () => {
  it('are rows as wide as their names, in full precision', () => {
    const data = themeData(full);
    expect(data.length).toBeGreaterThanOrEqual(15);
    for (const { name, table } of data) {
      expect(table.rows.length, name).toBeGreaterThan(0);
      for (const row of table.rows) expect(row.length, name).toBe(table.columns.length);
    }
    const { table } = data.find(({ name }) => name === 'tails')!;
    expect(csvText(table).split('\n')[1]!.split(',').map(Number)).toEqual(table.rows[0]);
  });

  it('are text that a spreadsheet neither breaks nor computes', () => {
    const table = {
      columns: ['a,b', 'c'],
      rows: [
        ['=1+1', -2],
        ['say "x"', null],
      ] as const,
    };
    expect(csvText(table)).toBe(`"a,b",c\n'=1+1,-2\n"say ""x""",\n`);
  });
});

describe('tables of the themes', () => {
  it('fit 80 columns, and say what could not be said', () => {
    const text = themesText(full);
    expect(text.split('\n').filter((line) => columns(line) > 80)).toEqual([]);
    for (const word of [
      'Noise',
      'Tails',
      'Oscillation',
      'Layers',
      'Synchrony',
      'Neurons',
      'Classes',
      'Trajectories',
      'Use',
    ])
      expect(text).toContain(`${word}: `);
    expect(text).not.toContain('Not said');
    expect(themesText(less)).toMatch(/Not said: weights over time/);
  });

  it('compare runs, with a figure of their layers', async () => {
    const runs = ['a', 'b', 'c'].map((run) => ({ run, analyses: full }));
    expect(
      tableText(overviewTable(runs))
        .split('\n')
        .slice(3, 6)
        .map(([name]) => name),
    ).toEqual(['a', 'b', 'c']);
    expect(tableText(overviewTable(runs))).toContain('iterations per turn');
    const coarse = { run: 'd', analyses: { ...full, iterations: 3 * full.segments } };
    const words = tableText(overviewTable([...runs, coarse])).replaceAll('\n', ' ');
    expect(words).toMatch(/; segments per turn of a weight.*on average 3\.00 iterations in d:/);
    const totals = (shift: number) =>
      full.layers!.layers.map((own) => ({ ...own, total: own.total + shift }));
    const over = layersOverRuns(
      [0, 1e-3, -1e-3].map((shift, i) => ({ run: `r${i}`, objective: 'train', unit: 'nats', iteration: full.layers!.iteration, layers: totals(shift) })), // prettier-ignore
      await studentT(),
    );
    expect(tableText(layersOverRunsTable(over, 'nats'))).toMatch(/means over 3 runs[^]*fc1[^]*helps/);
    const { svg } = drawLayersOverRuns(over, 'nats');
    expect(broken(svg)).toEqual([]);
    expect(layersOverRunsData(over).rows[0]!.slice(-3)).toEqual(over.layers[0]!.totals);
  });
});

describe('report', () => {
  it('has a section for each theme, whose colours its page defines, and stays readable in size', async () => {
    const view = dividedView();
    const html = renderReport({ analysis: await analyseRun(view), themes: less, facts: [], title: 'themes' });
    const { document } = new JSDOM(html).window;
    const headings = [...document.querySelectorAll('h2')].map(({ textContent }) => textContent);
    for (const heading of [
      'How noisy learning is',
      'How heavy the tails are',
      'Trajectories',
      'What this run cannot tell',
    ])
      expect(headings).toContain(heading);
    for (const [, name] of html.matchAll(/var\((--[a-z0-9-]+)\)/g)) expect(html).toContain(`${name!}:`);
    expect(html.length).toBeLessThan(600_000);
  });
});

it('overfitting names no layer where none helped more on what was trained on', () => {
  const captionOf = (...differences: number[]) => {
    const layers = differences.map((difference, k) => ({ layer: `fc${k}`, total: -1, heldOut: -1 - difference, difference })); // prettier-ignore
    const use = {
      freeze: [],
      overfitting: { objective: 'train', heldOut: 'validation', layers, opposed: null },
    };
    const analyses = { use, unit: 'nats' } as unknown as ThemeAnalyses;
    return useDrawings[0]!.draw(createCanvas('light'), analyses)!.caption;
  };
  expect(captionOf(0.5, -0.25)).toContain('; fc1 goes furthest, −0.250 nats. ');
  expect(captionOf(0, 0)).toContain('; here no layer did. ');
});
