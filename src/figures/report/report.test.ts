import { JSDOM } from 'jsdom';
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
import { formatLoss, formatNumber } from '../format.js';
import { terminalSummary } from '../terminal/summary.js';
import { renderReport } from './report.js';

const facts = [
  ['preset', 'mnist-fc-sgd'],
  ['seed', '0'],
] as const;

let analysis: RunAnalysis;
let html: string;
let page: Document;

const parse = (text: string): Document => new JSDOM(text).window.document;

beforeAll(async () => {
  analysis = await analyseRun(syntheticView({ segments: 200 }), { preset: 'mnist-fc-sgd' });
  html = renderReport({ analysis, facts, title: 'mnist-fc-sgd' });
  page = parse(html);
});

describe('report', () => {
  it('asks for nothing outside itself and runs nothing', () => {
    expect(html.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(
      /https?:|\/\/[a-z]|url\(|@import|src=|href=/,
    );
    expect(page.querySelectorAll('script, link, iframe, object, img, [onload], [onclick]')).toHaveLength(0);
    expect(
      page.querySelector('meta[http-equiv="Content-Security-Policy"]')!.getAttribute('content'),
    ).toContain("default-src 'none'");
  });

  it('defines every colour that its figures use, in both schemes', () => {
    const used = new Set([...html.matchAll(/var\((--[a-z0-9-]+)\)/g)].map((match) => match[1]!));
    expect(used.size).toBeGreaterThan(10);
    const [light, dark] = html.split('prefers-color-scheme: dark');
    for (const name of used) {
      expect(light, name).toContain(`${name}:`);
      expect(dark, name).toContain(`${name}:`);
    }
  });

  it('keeps numbers and their units on one line', () => {
    const prose = [...page.querySelectorAll('.banner p, .note, figcaption')].map((each) => each.textContent);
    expect(prose.join('\n')).toMatch(/limit 1\u00a0%/);
    expect(prose.filter((text) => /\d (%|nats)/.test(text))).toEqual([]);
  });

  it('states the unit of the loss that was measured', async () => {
    const view = syntheticView({ segments: 20 });
    const squared = await analyseRun({ ...view, unit: 'squared units' });
    for (const text of [
      renderReport({ analysis: squared, facts: [], title: 'regression' }),
      terminalSummary(squared),
    ]) {
      expect(text).toContain('squared units');
      expect(text).not.toMatch(/\bnats\b/);
    }
  });

  it('says over how many iterations the paper compares', () => {
    expect(page.body.textContent).toContain(
      'Paper: MNIST-FC, SGD, 880 iterations, here 200; Table S1 of Lan',
    );
  });

  it('begins with the verdict and the headline numbers', () => {
    const main = page.querySelector('main')!;
    expect(main.firstElementChild!.className).toBe('banner balanced');
    expect(main.children[1]!.className).toBe('headlines');
    const value = (label: string): string =>
      [...page.querySelectorAll('.headlines div')].find(
        (card) => card.querySelector('dt')!.textContent === label,
      )!.textContent;
    expect(value('train loss')).toContain('2.33 → 0.0503');
    const helping = analysis.objectives[0]!.shares.run.shares.ofNonzero.helping!;
    expect(value('parameters helping')).toContain(`${(100 * helping).toFixed(1)}\u00a0%`);
    const best = [...analysis.objectives[0]!.layers].sort((a, b) => a.total - b.total)[0]!;
    expect(value('helped most')).toContain(best.layer);
  });

  it('has a labelled figure with a caption for everything drawn', () => {
    const figures = [...page.querySelectorAll('.figures figure')];
    expect(figures).toHaveLength(8);
    for (const figure of figures) {
      expect(figure.querySelector('svg')!.getAttribute('role')).toBe('img');
      expect(figure.querySelector('svg')!.getAttribute('aria-label')).toBeTruthy();
      expect(figure.querySelector('figcaption')!.textContent).toBeTruthy();
    }
    expect(page.querySelectorAll('[id]')).toHaveLength(0);
  });

  it('sets its errors beside those of the paper', () => {
    const rows = [...page.querySelectorAll('[aria-label="Errors of the integration"] tbody tr')].map((row) =>
      [...row.children].map((cell) => cell.textContent),
    );
    expect(rows.map(([what]) => what)).toEqual([
      'simpson rule, train',
      'simpson rule, validation',
      'left rule, train',
      'left rule, validation',
      'paper, RK4 (Simpson)',
      'paper, first order (left)',
    ]);
    expect(rows[4]!.slice(1, 3)).toEqual(['0.00108 %', '2.94·10⁻⁶']);
    expect(rows[5]!.slice(1, 3)).toEqual(['−171 %', '0.00459']);
  });

  it('lists every layer and every fact', () => {
    const names = (table: string): (string | null)[] =>
      [...page.querySelectorAll(`table[aria-label="${table}"] tbody th`)].map((cell) => cell.textContent);
    expect(names('Layers in numbers')).toEqual(['fc1', 'fc2', 'fc3']);
    expect(names('Settings of the run')).toEqual(['preset', 'seed']);
  });

  it('names the parameters that helped and hurt most, with their totals', () => {
    const { helped, hurt } = analysis.objectives[0]!.parameters!;
    const rows = (table: string): (string | null)[][] =>
      [...page.querySelectorAll(`table[aria-label="${table}"] tbody tr`)].map((row) =>
        [...row.children].map((cell) => cell.textContent),
      );
    const found = rows('Parameters that helped most');
    expect(found).toHaveLength(10);
    expect(found[0]!.slice(0, 2)).toEqual([
      `${helped[0]!.tensor!}[${helped[0]!.index[0]!}]`,
      formatNumber(helped[0]!.total),
    ]);
    expect(rows('Parameters that hurt most')[0]![1]).toBe(formatNumber(hurt[0]!.total));
    expect(page.body.textContent).not.toContain('Neurons that');
  });

  it('says in plain words why many parameters hurt, with the numbers of the run, and what its words mean', () => {
    const text = page.body.textContent;
    const { helping, hurting } = analysis.objectives[0]!.distribution!;
    expect(text).toContain('Why do so many parameters hurt?');
    expect(text).toContain(`${formatLoss(-helping.mass, 'nats')} and all hurting ones to ${formatLoss(hurting.mass, 'nats')}`.replaceAll(' nats', '\u00a0nats')); // prettier-ignore
    const terms = [...page.querySelectorAll('.glossary dt')].map((term) => term.textContent);
    for (const term of ['allocation', 'helping, hurting', 'residual, error', 'nat'])
      expect(terms).toContain(term);
  });

  it('lists what was read into files, with what may not be meant at the top, and what was held constant', () => {
    const readings = [
      { about: 'order of θ', decision: 'a, b', evidence: '<names>' },
      { about: 'labels', decision: 'classes', evidence: 'one-hot', warning: true },
    ];
    const labels = ['m.onnx on d.npz', '2026-11-25'];
    const heldConstant = ['Frozen by groups: fc1.<weight>'];
    const text = renderReport({ analysis, facts, title: 'Mine', labels, readings, heldConstant });
    const document = parse(text);
    expect(document.querySelector('.doubts')!.textContent).toBe('Was this meant?labels: classes (one-hot)');
    const rows = [...document.querySelectorAll('table[aria-label="How files were read"] tbody tr')];
    expect(rows.map((row) => row.textContent)).toEqual(['order of θa, b<names>', 'labelsCheck: classesone-hot']);
    expect(document.body.textContent).toContain(heldConstant[0]);
    expect([...document.querySelectorAll('.labels li')].map((label) => label.textContent)).toEqual(labels);
    expect(page.querySelector('.doubts, .labels, table[aria-label="How files were read"]')).toBeNull();
    expect(page.body.textContent).toContain('Nothing: all parameters were free to move');
  }); // prettier-ignore

  it('names each thing that was held constant once', () => {
    const { objectives, coverage } = analysis;
    const perLayer = objectives[0]!.shares.perLayer.map((own, k) => (k === 0 ? { ...own, helping: 0, hurting: 0, zero: own.helping + own.hurting + own.zero } : own));
    const still = {
      ...analysis,
      objectives: [{ ...objectives[0]!, shares: { ...objectives[0]!.shares, perLayer } }, ...objectives.slice(1)],
      coverage: { ...coverage, leftOut: [{ name: 'emb', numbers: 3, why: 'held constant', motion: 0 } as const] },
    };
    const { layer } = perLayer[0]!;
    const text = (more: object) => parse(renderReport({ analysis: still, facts, title: 'Mine', ...more })).body.textContent;
    const alone = text({});
    expect(alone).toContain(`Every allocation is exactly zero, whether they were frozen or cannot move the loss: ${layer}`);
    expect(alone).toContain('Held constant, as the model file has it: emb (3)');
    const said = text({ heldConstant: [`Frozen by groups: ${layer}.w`], frozenLayers: [layer] });
    expect(said).toContain(`Frozen by groups: ${layer}.w`);
    expect(said).not.toContain('Every allocation is exactly zero');
  }); // prettier-ignore

  it('is deterministic', () => {
    expect(renderReport({ analysis, facts, title: 'mnist-fc-sgd' })).toBe(html);
  });
});

describe('report of an unusual run', () => {
  it('warns so that it cannot be missed when the ledger does not balance', async () => {
    const bad = await analyseRun(syntheticView({ segments: 50, leak: 0.001 }));
    const document = parse(renderReport({ analysis: bad, facts, title: 'bad' }));
    const banner = document.querySelector('main')!.firstElementChild!;
    expect(banner.className).toBe('banner unbalanced');
    expect(banner.getAttribute('role')).toBe('alert');
    expect(banner.textContent).toMatch(
      /does not balance.*a cumulative error of 2\.\d\d\u00a0%.*Do not trust/,
    );
  });

  it('says that training diverged, and names layers that did nothing', async () => {
    const view = syntheticView({ segments: 20, objectives: ['mine'], zeroShare: 0.8 });
    const loss = view.column('loss', 'mine').slice();
    loss[7] = 1e9;
    const text = renderReport({ analysis: await analyseRun(withColumns(view, 'mine', { loss })), facts, title: 'up' });
    expect(text).toContain('Training diverged: the mine loss rose from');
    expect(text).toContain('Every allocation is exactly zero, whether they were frozen or cannot move the loss: fc1');
    loss[0] = 0;
    const fromZero = await analyseRun(withColumns(view, 'mine', { loss }));
    expect(renderReport({ analysis: fromZero, facts, title: 'from zero' })).not.toContain('Training diverged');
  }); // prettier-ignore

  it('says that sums contradict residuals when that is what is wrong', async () => {
    const view = syntheticView({ segments: 20, objectives: ['mine'] });
    const residual = view.column('residual', 'mine').slice();
    residual[3] = 0.0005;
    const spoiled = withColumns(view, 'mine', { residual });
    const text = renderReport({ analysis: await analyseRun(spoiled), facts, title: 'spoiled' });
    expect(text).toContain('The stored sums of mine contradict its stored losses and residuals');
    expect(text).not.toContain('Do not trust the allocations of this run');
  });

  it('is honest and short when nothing was measured', async () => {
    const document = parse(renderReport({ analysis: await analyseRun(emptyView()), facts, title: 'empty' }));
    expect(document.querySelector('main')!.textContent).toContain('Nothing has been measured yet');
    expect(document.querySelectorAll('.figures, .headlines')).toHaveLength(0);
    expect(document.querySelectorAll('table')).toHaveLength(1);
  });

  it('works for one segment, and stays below 1 MB for 5,000 segments and 60 layers', async () => {
    for (const view of [singleSegmentView(), hugeView()]) {
      const text = renderReport({ analysis: await analyseRun(view), facts, title: 'run' });
      expect(text).not.toMatch(/NaN|undefined|Infinity/);
      expect(text.length).toBeLessThan(1_000_000);
    }
  });

  it.each([[['mine']], [['mine', 'yours']], [['test', 'train', 'shifted.2']]])(
    'names the objectives %j everywhere, in their order',
    async (names) => {
      const named = await analyseRun(syntheticView({ segments: 20, objectives: names }));
      const text = renderReport({ analysis: named, facts, title: 'named' });
      const document = parse(text);
      const texts = (selector: string): (string | null)[] =>
        [...document.querySelectorAll(selector)].map((element) => element.textContent);
      expect(texts('.headlines dt').slice(0, names.length)).toEqual(names.map((name) => `${name} loss`));
      const verdicts = texts('.banner p').map((line) => /the (\S+) loss changed/.exec(line!)?.[1]);
      expect(verdicts).toEqual(names);
      expect(texts('[aria-label="Errors of the integration"] tbody th')).toEqual([
        ...names.map((name) => `simpson rule, ${name}`),
        ...names.map((name) => `left rule, ${name}`),
      ]);
      const head = texts('table[aria-label="Layers in numbers"] thead th');
      expect(head.slice(2, 2 + names.length)).toEqual(names.map((name) => `${name} total`));
      expect(head.at(-1)).toBe(
        names.length > 1 ? `helping, of those not zero (${names[0]})` : 'helping, of those not zero',
      );
      const cells = texts('table[aria-label="Layers in numbers"] tbody tr:first-child > *');
      expect(cells).toHaveLength(head.length);
      if (!names.includes('train')) expect(text).not.toMatch(/\btrain\b/);
      if (!names.includes('validation')) expect(text).not.toMatch(/\bvalidation\b/);
    },
  );

  it('escapes titles, facts, units and names of layers and objectives', async () => {
    const hostile = `</style></svg><script>alert(1)</script><img src=x onerror="alert(1)">'`;
    const layers = { [hostile]: 60, ok: 20 };
    const view = syntheticView({ segments: 10, layers, objectives: [hostile, 'b'] });
    const named = await analyseRun({ ...view, unit: hostile });
    const document = parse(renderReport({ analysis: named, facts: [[hostile, hostile]], title: hostile }));
    expect(document.querySelectorAll('script, img')).toHaveLength(0);
    expect(document.querySelector('h1')!.textContent).toBe(hostile);
    expect(document.title).toContain(hostile);
    expect(document.querySelector('table[aria-label="Layers in numbers"] tbody th')!.textContent).toBe(
      hostile,
    );
    expect(document.querySelectorAll('style')).toHaveLength(1);
  });

  it('calls steps between checkpoints segments, in words, figures, tables and in the terminal', async () => {
    const view = syntheticView({ segments: 9 });
    const textsOf = async (apart: number) => {
      const analysis = await analyseRun({ ...view, iteration: Int32Array.from({ length: 10 }, (_, t) => apart * t) }); // prettier-ignore
      return (
        parse(renderReport({ analysis, facts, title: 'x' })).body.textContent + terminalSummary(analysis)
      );
    };
    const forms = ['In an average # ', 'not exactly zero, per #', 'mean error of an? # ', '#s over tolerance', 'entries of all #s', 'over all #s']; // prettier-ignore
    const found = { segment: await textsOf(500), iteration: await textsOf(1) };
    for (const [word, text] of Object.entries(found))
      for (const form of forms) expect(text).toMatch(new RegExp(form.replace('#', word)));
    for (const form of forms) expect(found.segment).not.toMatch(new RegExp(form.replace('#', 'iteration')));
    expect(found.segment).toMatch(/\(from iteration \d/);
  });
});
