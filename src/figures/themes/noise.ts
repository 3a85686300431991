import * as Plot from '@observablehq/plot';
import type { ThemeAnalyses } from '../../analysis/index.js';
import { formatCount, formatShare } from '../format.js';
import { wholeTicks } from '../plots/axes.js';
import type { Canvas, Figure } from '../plots/canvas.js';
import { layerRows, selectLayers, valueColumn } from '../plots/layer-rows.js';
import { stepWord } from '../text.js';
import { markers, percentAxis, type ThemeDrawing, rowsNote, rowsShown } from './drawing.js';

const paperShares =
  'The paper finds that parameters help in about half of their iterations (its Figure 3(d)): none help always.';

function drawHistogram(canvas: Canvas, { noise, segments, iterations }: ThemeAnalyses): Figure | null {
  const histogram = noise?.histogram;
  if (!histogram) return null;
  const steps = `${stepWord(segments, iterations)}s`;
  const { edges, ofNonzero, coins, never, always, dispersion } = histogram;
  const { palette } = canvas;
  const bars = ofNonzero.map((count, i) => ({ x1: 100 * edges[i]!, x2: 100 * edges[i + 1]!, count }));
  const stairs = coins.flatMap((count, i) => [
    { x: 100 * edges[i]!, count },
    { x: 100 * edges[i + 1]!, count },
  ]);
  const fill = palette.layers[0]!;
  const line = { stroke: palette.text, strokeWidth: 1.75, strokeDasharray: '5 3' };
  return canvas.figure({
    name: 'share-of-iterations',
    title: 'How often each parameter helps',
    caption:
      `Bars: parameters by the share of their ${steps} (those not exactly zero) in which they help; dashed: what independent coins would give. ` +
      `Shares vary ${dispersion === null ? '–' : dispersion.toPrecision(3)} times as much as coins'; ${formatCount(never)} parameters never helped or hurt and are left out, and the ` +
      `${formatCount(always.parameters)} at 95 % and more have ${always.medianIterations ?? 0} such ${steps} in the median. ${paperShares}`,
    legend: [
      { label: 'parameters', colour: fill, kind: 'area' },
      { label: 'independent coins', colour: palette.text, kind: 'line', dash: '5 3' },
    ],
    panels: [
      canvas.panel({
        height: 250,
        x: percentAxis(`${steps} that help (% of those not zero)`),
        y: { label: 'parameters', labelArrow: 'none', grid: true, ticks: wholeTicks(0, Math.max(...ofNonzero, ...coins)), tickFormat: formatCount },
        marks: [
          Plot.rectY(bars, { x1: 'x1', x2: 'x2', y: 'count', fill, fillOpacity: 0.8, insetLeft: 0.5, insetRight: 0.5 }),
          Plot.lineY(stairs, { x: 'x', y: 'count', ...line, ariaDescription: 'coins' }),
          Plot.ruleY([0], { stroke: palette.text }),
        ],
      }),
    ],
  });
} // prettier-ignore

/** The three probabilities of a row. */
const series = [
  ['after helping', 'circle', 'helpsAfterHelping'],
  ['after hurting', 'triangle', 'helpsAfterHurting'],
] as const;

function drawAlternation(canvas: Canvas, { noise, segments, iterations }: ThemeAnalyses): Figure | null {
  if (!noise?.alternation) return null;
  const step = stepWord(segments, iterations);
  const { palette } = canvas;
  const rows = noise.perLayer.map((own) => ({ ...own, total: own.walk!.reach }));
  const selection = selectLayers(rows);
  const which = "those whose parameters' totals add up to most";
  const shown = selection.shown.map((i) => rows[i]!);
  const labels = selection.labels.slice(0, shown.length);
  const values = shown.map(({ alternation }) => formatShare(alternation!.changes));
  const colours = [palette.helping, palette.hurting];
  return canvas.figure({
    name: 'alternation',
    title: 'Helping after helping, and after hurting',
    caption:
      `How likely a parameter helps in the ${step} after it helped, and after it hurt; bar: in any ${step}, where both would stand if signs were ` +
      `independent coins. At the right, pairs with opposite signs. The paper finds that parameters alternate between helping and hurting all through training.${rowsNote(selection, which)}`,
    note: rowsShown(selection, which),
    legend: [
      ...series.map(([text, marker], i) => ({ label: text, colour: colours[i]!, kind: 'symbol' as const, path: markers[marker] })),
      { label: `any ${step}`, colour: palette.text, kind: 'line' as const },
    ],
    panels: [
      canvas.panel({
        ...layerRows({ ...selection, others: [], labels }, values),
        x: percentAxis('probability of helping (%)'),
        marks: [
          Plot.gridX({ ticks: 5 }),
          Plot.tickX(shown.map(({ shares }, row) => ({ row, x: 100 * (shares.ofNonzero.helping ?? NaN) })), { x: 'x', y: 'row', stroke: palette.text, strokeWidth: 3 }),
          ...series.map(([, symbol, key], i) =>
            Plot.dot(shown.map(({ alternation }, row) => ({ row, x: 100 * (alternation![key] ?? NaN) })), {
              x: 'x', y: 'row', symbol, r: 5, fill: palette.background, stroke: colours[i]!, strokeWidth: 2,
            }),
          ),
          valueColumn(values),
        ],
      }),
    ],
  });
} // prettier-ignore

export const noiseDrawings: readonly ThemeDrawing[] = [
  {
    name: 'share-of-iterations',
    theme: 'noise',
    data({ noise }) {
      const histogram = noise?.histogram;
      if (!histogram) return null;
      const { edges, ofNonzero, ofAll, coins } = histogram;
      return {
        columns: ['from', 'to', 'parameters', 'parameters of all iterations', 'coins'],
        rows: ofNonzero.map((count, i) => [edges[i]!, edges[i + 1]!, count, ofAll[i]!, coins[i]!]),
      };
    },
    draw: drawHistogram,
  },
  {
    name: 'alternation',
    theme: 'noise',
    data: ({ noise }) =>
      noise?.alternation
        ? {
            columns: ['layer', 'helps after helping', 'helps after hurting', 'turned', 'turned by coins', 'walk ratio'],
            rows: noise.perLayer.map(({ layer, alternation, walk }) => [
              layer, alternation!.helpsAfterHelping, alternation!.helpsAfterHurting, alternation!.changes, alternation!.changesOfCoins, walk!.ratio,
            ]),
          }
        : null,
    draw: drawAlternation,
  },
]; // prettier-ignore
