import * as Plot from '@observablehq/plot';
import type { ComponentTotals, LayerTotal, RunAnalysis } from '../../../analysis/index.js';
import type { Canvas, Figure, LegendEntry, Panel } from '../canvas.js';
import { formatNumber, scaledUnit } from '../../format.js';
import {
  allocationAxis,
  type LayerSelection,
  layerRows,
  othersNote,
  type Piece,
  rowValues,
  selectLayers,
  valueColumn,
} from '../layer-rows.js';
import { shownNote } from '../../objectives.js';
import { largestMagnitude } from '../thin.js';
import { printable } from '../../text.js';

/** One component's totals by row of the figure, and its colour. */
export interface Series {
  readonly name: string;
  readonly colour: string;
  readonly rows: readonly number[];
}

const added = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** The components that have a colour of their own, and the others together. */
export function seriesOf(
  { palette }: Canvas,
  components: ComponentTotals['components'],
  selection: LayerSelection,
): readonly Series[] {
  const colours = palette.layers;
  const rowsOf = (layers: readonly number[]) => rowValues(selection, layers, added);
  const own = components.slice(0, colours.length);
  const others = components.slice(colours.length);
  const series = own.map(({ name, layers }, c) => ({ name, colour: colours[c]!, rows: rowsOf(layers) }));
  if (others.length === 0) return series;
  const together = rowsOf(others[0]!.layers.map((_, layer) => added(others.map(({ layers }) => layers[layer]!)))); // prettier-ignore
  const name = others.map((other) => other.name).join(', ');
  return [...series, { name, colour: palette.zero, rows: together }];
}

/** Pieces that helped lie end to end to the left of zero, those that hurt to the right. */
function piecesOf(
  series: readonly Series[],
  labels: readonly string[],
  factor: number,
  unit: string,
): Piece[] {
  return labels.flatMap((label, row) => {
    const ends = { left: 0, right: 0 };
    return series.map(({ name, colour, rows }) => {
      const side = rows[row]! < 0 ? 'left' : 'right';
      const from = ends[side];
      ends[side] += rows[row]! * factor;
      const text = `${printable(label)}, ${printable(name)}: ${formatNumber(rows[row]!)} ${unit}`;
      return { row, from, to: ends[side], colour, text };
    });
  });
}

/** Rows of layers whose bars are made of the series' pieces. */
export function drawPieces(
  { palette, panel }: Canvas,
  selection: LayerSelection,
  series: readonly Series[],
  unit: string,
  what: 'component' | 'part',
): Panel {
  const totals = selection.labels.map((_, row) => added(series.map(({ rows }) => rows[row]!)));
  const values = totals.map((total) => formatNumber(total, 3));
  const sizes = selection.labels.map((_, row) => added(series.map(({ rows }) => Math.abs(rows[row]!))));
  const scale = scaledUnit(largestMagnitude(sizes), unit);
  return panel({
    ...layerRows(selection, values),
    x: allocationAxis(scale.unit),
    marks: [
      Plot.gridX({ ticks: 4 }),
      Plot.barX(piecesOf(series, selection.labels, scale.factor, unit), {
        x1: 'from', x2: 'to', y: 'row', fill: 'colour', title: 'text', ariaDescription: `${what} total`,
      }), // prettier-ignore
      Plot.tickX(
        totals.map((total, row) => ({ row, x: total * scale.factor })),
        { x: 'x', y: 'row', stroke: palette.text, strokeWidth: 2.5 },
      ),
      Plot.ruleX([0], { stroke: palette.text }),
      valueColumn(values),
    ],
  });
}

/** How the figure is read, and the components that helped and hurt most. */
function captionOf({ components }: ComponentTotals, unit: string): string {
  const sorted = [...components].sort((a, b) => a.total - b.total);
  const inWords = ({ name, total }: (typeof sorted)[number]): string =>
    `${name} (${formatNumber(total, 3)} ${unit})`;
  const [helping, hurting] = [sorted[0]!, sorted.at(-1)!];
  return [
    'The pieces of a bar are what each term of the update did to the loss, those that helped to the left; the marks across are their sums. ',
    helping.total < 0 ? `Over the run ${inWords(helping)} helped most` : 'No component helped',
    hurting.total > 0 ? `, ${inWords(hurting)} hurt most.` : '; none hurt.',
    components.some(({ name }) => name === 'momentum/2-3')
      ? ' momentum/2-3 is what gradients two and three steps old moved.'
      : '',
  ].join('');
}

/** What the terms of the update (gradient, momentum by age, weight decay, …) did to the loss, layer by layer; null unless they were measured. */
export function componentsFigure(canvas: Canvas, analysis: RunAnalysis): Figure | null {
  const [main] = analysis.objectives;
  if (!main?.components) return null;
  const layers: readonly LayerTotal[] = main.layers;
  const selection = selectLayers(layers);
  const series = seriesOf(canvas, main.components.components, selection);
  const legend: LegendEntry[] = series.map(({ name, colour }) => ({ label: name, colour, kind: 'area' }));
  return canvas.figure({
    name: 'components',
    title: 'What each term of the update did to the loss',
    caption: captionOf(main.components, analysis.summary.unit) + othersNote(selection) + shownNote(analysis),
    legend,
    panels: [drawPieces(canvas, selection, series, analysis.summary.unit, 'component')],
  });
}
