import * as Plot from '@observablehq/plot';
import type { LayersOverRuns, ThemeAnalyses } from '../../analysis/index.js';
import { formatCount, formatNumber, scaledUnit } from '../format.js';
import { wholeTicks } from '../plots/axes.js';
import {
  type Canvas,
  createCanvas,
  type Figure,
  type LegendEntry,
  lineKey,
  type Panel,
} from '../plots/canvas.js';
import { layerRows, selectLayers, valueColumn } from '../plots/layer-rows.js';
import { largestMagnitude, thin } from '../plots/thin.js';
import { shortNames } from '../text.js';
import type { Theme } from '../theme.js';
import { type DataTable, markers, type ThemeDrawing, rowsNote, rowsShown } from './drawing.js';
import { repeatsNote } from './tables/layers.js';

/** Rows of a figure over runs, with their test. */
const rowsOf = ({ layers }: LayersOverRuns) => layers.map((own) => ({ ...own, total: own.test.mean }));

/** Layers whose curves are drawn: those that went furthest. */
const curveLimit = 6;

/** Mean running totals with the interval that covers them, of the layers that went furthest. */
function drawCurves(canvas: Canvas, over: LayersOverRuns, unit: string): { panel: Panel; legend: LegendEntry[] } {
  const chosen = over.layers.toSorted((a, b) => Math.abs(b.test.mean) - Math.abs(a.test.mean)).slice(0, curveLimit);
  const names = shortNames(chosen.map(({ layer }) => layer), 22);
  const { factor, unit: scaled } = scaledUnit(largestMagnitude(chosen.flatMap(({ mean }) => mean)), unit);
  const styles = chosen.map((_, i) => ({ stroke: canvas.palette.layers[i]!, strokeWidth: 1.75, ...(i % 2 === 1 ? { strokeDasharray: '6 3' } : {}) }));
  const segments = over.layers[0]!.mean.map((_, t) => t);
  const bands = chosen.map(({ mean, halfWidth }) =>
    thin(segments, mean, 300).map(({ x, y }) => ({ x, low: (y - (halfWidth?.[x] ?? 0)) * factor, high: (y + (halfWidth?.[x] ?? 0)) * factor })),
  );
  const panel = canvas.panel({
    height: 220,
    x: { label: 'segment', labelArrow: 'none', ticks: wholeTicks(0, segments.at(-1)!), tickFormat: formatCount },
    y: { label: `mean Σ so far (${scaled})`, labelArrow: 'none', grid: true, ticks: 5, nice: true },
    marks: [
      Plot.ruleY([0], { stroke: canvas.palette.muted }),
      ...bands.map((band, i) => Plot.areaY(band, { x: 'x', y1: 'low', y2: 'high', fill: styles[i]!.stroke, fillOpacity: 0.2 })),
      ...chosen.map(({ mean }, i) => Plot.lineY(thin(segments, mean, 300).map(({ x, y }) => ({ x, y: y * factor })), { x: 'x', y: 'y', ...styles[i]! })),
    ],
  });
  return { panel, legend: styles.map((style, i) => lineKey(names[i]!, style)) };
} // prettier-ignore

function draw(canvas: Canvas, over: LayersOverRuns, unit: string): Figure {
  const curves = drawCurves(canvas, over, unit);
  const { palette } = canvas;
  const all = rowsOf(over);
  const selection = selectLayers(all);
  const which = 'those whose means are largest';
  const shown = selection.shown.map((i) => all[i]!);
  const values = shown.map(({ test: { p } }) => (p === null ? '–' : `p ${formatNumber(p, 2)}`));
  const scale = scaledUnit(largestMagnitude(shown.flatMap(({ totals }) => totals)), unit);
  const bars = shown.map(({ test }, row) => ({ row, mean: test.mean * scale.factor, low: (test.interval?.[0] ?? NaN) * scale.factor, high: (test.interval?.[1] ?? NaN) * scale.factor }));
  const dots = shown.flatMap(({ totals }, row) => totals.map((total) => ({ row, total: total * scale.factor })));
  return canvas.figure({
    name: 'layers-over-runs',
    title: `Layers over ${over.runs.length} runs`,
    caption:
      `Mean total of each layer (bars: to the left helped), the interval that covers it with probability 0.95 (line), single runs (dots), and the probability of a mean so far from zero by chance (at the right); below, mean running totals with such intervals. ` +
      `The paper finds, over ten runs of ResNet with SGD, that the first and the last layer hurt and all others help (its Figure 4).${repeatsNote(over.settings)}${rowsNote(selection, which)}`,
    note: rowsShown(selection, which),
    legend: [
      { label: 'helped', colour: palette.helping, kind: 'area' },
      { label: 'hurt', colour: palette.hurting, kind: 'area' },
      { label: 'one run', colour: palette.text, kind: 'symbol', path: markers.circle },
      ...curves.legend,
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
      curves.panel,
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
            columns: ['iteration', ...layers.layers.map(({ layer }) => layer)],
            rows: layers.iteration.map((at, t) => [at, ...layers.layers.map(({ cumulative }) => cumulative[t]!)]),
          }
        : null,
    draw: () => null,
  },
]; // prettier-ignore
