import * as Plot from '@observablehq/plot';
import type { LayersOverRuns, ThemeAnalyses } from '../../analysis/index.js';
import { formatNumber, scaledUnit } from '../format.js';
import { type Canvas, createCanvas, type Figure } from '../plots/canvas.js';
import { layerRows, othersNote, selectLayers, valueColumn } from '../plots/layer-rows.js';
import { largestMagnitude } from '../plots/thin.js';
import type { Theme } from '../theme.js';
import { type DataTable, markers, type ThemeDrawing } from './drawing.js';

/** Rows of a figure over runs, with their test. */
const rowsOf = ({ layers }: LayersOverRuns) => layers.map((own) => ({ ...own, total: own.test.mean }));

function draw(canvas: Canvas, over: LayersOverRuns, unit: string): Figure {
  const { palette } = canvas;
  const all = rowsOf(over);
  const selection = selectLayers(all);
  const shown = selection.shown.map((i) => all[i]!);
  const values = shown.map(({ test: { p } }) => (p === null ? '–' : `p ${formatNumber(p, 2)}`));
  const scale = scaledUnit(largestMagnitude(shown.flatMap(({ totals }) => totals)), unit);
  const bars = shown.map(({ test }, row) => ({ row, mean: test.mean * scale.factor, low: (test.interval?.[0] ?? NaN) * scale.factor, high: (test.interval?.[1] ?? NaN) * scale.factor }));
  const dots = shown.flatMap(({ totals }, row) => totals.map((total) => ({ row, total: total * scale.factor })));
  return canvas.figure({
    name: 'layers-over-runs',
    title: `Layers over ${over.runs.length} runs`,
    caption:
      `Mean total of each layer (bars: to the left helped), the interval that covers it with probability 0.95 (line), single runs (dots), and the probability of a mean so far from zero by chance (at the right). ` +
      `The paper finds, over ten runs of ResNet with SGD, that the first and the last layer hurt and all others help (its Figure 4).${othersNote({ ...selection, others: [] })}`,
    legend: [
      { label: 'helped', colour: palette.helping, kind: 'area' },
      { label: 'hurt', colour: palette.hurting, kind: 'area' },
      { label: 'one run', colour: palette.text, kind: 'symbol', path: markers.circle },
    ],
    panels: [
      canvas.panel({
        ...layerRows({ ...selection, others: [], labels: selection.labels.slice(0, shown.length) }, values),
        x: { label: `Σ allocations (${scale.unit})`, labelAnchor: 'center', labelArrow: 'none', ticks: 4, nice: true },
        marks: [
          Plot.gridX({ ticks: 4 }),
          Plot.barX(bars, { x: 'mean', y: 'row', fill: ({ mean }: { mean: number }) => (mean > 0 ? palette.hurting : palette.helping), fillOpacity: 0.75 }),
          Plot.ruleY(bars.filter(({ low }) => !Number.isNaN(low)), { y: 'row', x1: 'low', x2: 'high', stroke: palette.text, strokeWidth: 2 }),
          Plot.dot(dots, { x: 'total', y: 'row', r: 3, fill: palette.background, stroke: palette.text, strokeWidth: 1.25 }),
          Plot.ruleX([0], { stroke: palette.text }),
          valueColumn(values),
        ],
      }),
    ],
  });
} // prettier-ignore

/** Layers over several runs (paper Figures 4 and S11). */
export function drawLayersOverRuns(over: LayersOverRuns, unit: string, theme: Theme = 'light'): Figure {
  return draw(createCanvas(theme), over, unit);
}

/** The numbers of that figure. */
export const layersOverRunsData = (over: LayersOverRuns): DataTable => ({
  columns: ['layer', 'mean', 'low', 'high', 't', 'p', ...over.runs],
  rows: over.layers.map(({ layer, test, totals }) => [
    layer, test.mean, test.interval?.[0] ?? null, test.interval?.[1] ?? null, test.statistic, test.p, ...totals,
  ]),
}); // prettier-ignore

/** Layers of one run are drawn by the report's own figures; here are their numbers. */
export const layersDrawings: readonly ThemeDrawing[] = [
  {
    name: 'layers-over-time',
    theme: 'layers',
    data: ({ layers }: ThemeAnalyses) =>
      layers
        ? {
            columns: ['row', ...layers.layers.map(({ layer }) => layer)],
            rows: layers.layers[0]!.cumulative.map((_, t) => [t, ...layers.layers.map(({ cumulative }) => cumulative[t]!)]),
          }
        : null,
    draw: () => null,
  },
]; // prettier-ignore
