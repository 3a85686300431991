import * as Plot from '@observablehq/plot';
import type { LayerTotal, ObjectiveAnalysis, RunAnalysis } from '../../analysis/index.js';
import type { Canvas, Figure, LegendEntry, Panel } from './canvas.js';
import { formatCount, formatNumber, scaledUnit } from '../format.js';
import { objectiveLabel } from '../objectives.js';
import {
  allocationAxis,
  type LayerSelection,
  layerRows,
  othersNote,
  rowValues,
  selectLayers,
  valueColumn,
} from './layer-rows.js';
import { largestMagnitude } from './thin.js';
import { printable, shortNames } from '../text.js';

/** What marks the totals of the objectives after the first, by Plot's names and as path data for their keys. */
const symbols = [
  ['circle', 'M4,0A4,4,0,1,1,-4,0A4,4,0,1,1,4,0Z'],
  ['diamond2', 'M0,-5L5,0L0,5L-5,0Z'],
  ['square', 'M-3.5,-3.5h7v7h-7Z'],
  ['triangle', 'M0,-5L4.5,3.5L-4.5,3.5Z'],
  ['times', 'M-4,-4L4,4M-4,4L4,-4'],
] as const;

/** One row: a layer, or those that share the last. */
type Row = Pick<LayerTotal, 'layer' | 'parameters' | 'total'>;

const together = (layers: readonly Row[]): Row => ({
  layer: `${layers.length} other layers`,
  parameters: layers.reduce((sum, { parameters }) => sum + parameters, 0),
  total: layers.reduce((sum, { total }) => sum + total, 0),
});

function bars({ palette }: Canvas, rows: readonly Row[], factor: number, unit: string): Plot.Markish {
  return Plot.barX(
    rows.map((row, index) => ({ ...row, index })),
    {
      x: ({ total }: Row) => total * factor,
      y: 'index',
      fill: ({ total }: Row) => (total > 0 ? palette.hurting : palette.helping),
      title: ({ layer, total, parameters }: Row) =>
        `${printable(layer)}: ${formatNumber(total)} ${unit}, ${formatCount(parameters)} parameters`,
      ariaDescription: 'layer total',
    },
  );
}

/** Intervals of 95 % of the first objective's totals, where it was measured on a sample; rows of several layers have none. */
function intervals(
  { palette }: Canvas,
  selection: LayerSelection,
  { layers, sampling }: ObjectiveAnalysis,
  factor: number,
): Plot.Markish[] {
  if (sampling === null) return [];
  const ends = selection.shown.map((layer, row) => {
    const [total, half] = [layers[layer]!.total, sampling.layers[layer]!];
    return { row, from: (total - half) * factor, to: (total + half) * factor };
  });
  return [
    Plot.ruleY(ends, { x1: 'from', x2: 'to', y: 'row', stroke: palette.text, strokeWidth: 1.75, ariaDescription: 'interval of 95 %' }),
    ...(['from', 'to'] as const).map((end) => Plot.tickX(ends, { x: end, y: 'row', stroke: palette.text, strokeWidth: 1.75, insetTop: 4, insetBottom: 4 })),
  ]; // prettier-ignore
}

/** Totals of an objective after the first, on the bars of the first. */
function dots(
  { palette }: Canvas,
  rows: readonly Row[],
  factor: number,
  name: string,
  index: number,
): Plot.Markish {
  return Plot.dot(
    rows.map(({ total }, row) => ({ total: total * factor, row })),
    {
      x: 'total',
      y: 'row',
      r: 4,
      symbol: symbols[index]![0],
      fill: palette.background,
      stroke: palette.text,
      strokeWidth: 1.75,
      ariaDescription: `${printable(name)} total`,
    },
  );
}

function drawTotals(
  canvas: Canvas,
  selection: LayerSelection,
  objectives: readonly ObjectiveAnalysis[],
  unit: string,
): Panel {
  const [rows, ...compared] = objectives.map(({ layers }) => rowValues<Row>(selection, layers, together));
  const values = rows!.map(({ total }) => formatNumber(total, 3));
  const scale = scaledUnit(largestMagnitude([rows!, ...compared].flat().map(({ total }) => total)), unit);
  return canvas.panel({
    ...layerRows(selection, values),
    x: allocationAxis(scale.unit),
    marks: [
      Plot.gridX({ ticks: 4 }),
      bars(canvas, rows!, scale.factor, unit),
      ...intervals(canvas, selection, objectives[0]!, scale.factor),
      ...compared.map((totals, i) => dots(canvas, totals, scale.factor, objectives[i + 1]!.name, i)),
      Plot.ruleX([0], { stroke: canvas.palette.text }),
      valueColumn(values),
    ],
  });
}

function captionOf(layers: readonly LayerTotal[], unit: string): string {
  const names = shortNames(
    layers.map(({ layer }) => layer),
    44,
  );
  const sorted = layers.map(({ total }, i) => ({ total, name: names[i]! }));
  sorted.sort((a, b) => a.total - b.total);
  const inWords = ({ name, total }: { name: string; total: number }): string =>
    `${name} (${formatNumber(total, 3)} ${unit})`;
  if (sorted.every(({ total }) => total === 0))
    return 'Nothing changed: over the whole run no layer helped and none hurt.';
  const hurting = sorted.filter(({ total }) => total > 0);
  const helped = sorted[0]!.total < 0 ? `${inWords(sorted[0]!)} helped most` : 'No layer helped';
  if (hurting.length === 0) return `${helped}; no layer hurt over the whole run.`;
  const others = hurting.length > 1 ? ` the most of ${hurting.length} layers that hurt` : '';
  return `${helped}; ${inWords(hurting.at(-1)!)} hurt${others} over the whole run.`;
}

/** Σ allocations of each layer over the run: bars to the left helped, bars to the right hurt (paper Figure 4). */
export function layerTotalsFigure(canvas: Canvas, analysis: RunAnalysis): Figure | null {
  const { palette } = canvas;
  const { unit } = analysis.summary;
  const [main, ...others] = analysis.objectives;
  if (!main || main.layers.length === 0) return null;
  const compared = others.slice(0, symbols.length);
  const legend: LegendEntry[] = [
    { label: 'helped (lowered the loss)', colour: palette.helping, kind: 'area' },
    { label: 'hurt (raised it)', colour: palette.hurting, kind: 'area' },
    ...compared.map((objective, index) => ({
      label: objectiveLabel(objective),
      colour: palette.text,
      kind: 'symbol' as const,
      path: symbols[index]![1],
    })),
  ];
  const bars = others.length > 0 ? ` Bars: ${objectiveLabel(main)} loss.` : '';
  const selection = selectLayers(main.layers);
  return canvas.figure({
    name: 'layer-totals',
    title: 'What each layer did to the loss',
    caption:
      captionOf(main.layers, unit) +
      othersNote(selection) +
      bars +
      (main.sampling === null ? '' : ' Lines: intervals of 95 %, since it was measured on a sample.'),
    legend,
    panels: [drawTotals(canvas, selection, [main, ...compared], unit)],
  });
}
