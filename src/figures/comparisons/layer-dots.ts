import * as Plot from '@observablehq/plot';
import { scaledUnit } from '../format.js';
import type { Canvas, Figure } from '../plots/canvas.js';
import { allocationAxis, layerRows, rowValues, selectLayers } from '../plots/layer-rows.js';
import { largestMagnitude } from '../plots/thin.js';
import { rowsNote, rowsShown } from '../themes/drawing.js';
import { seriesKeys, seriesNote, seriesStyles } from './series.js';

/** A number with the interval that covers it; null: of one run nothing is known about chance. */
export interface Estimate {
  readonly mean: number;
  readonly interval: readonly [number, number] | null;
}

/** Totals of layers in several runs or settings. */
export interface LayerDots {
  /** Fit for a file. */
  readonly name: string;
  readonly title: string;
  /** Without what the figure says about itself. */
  readonly caption: string;
  readonly unit: string;
  readonly layers: readonly string[];
  readonly series: readonly { readonly label: string; readonly values: readonly Estimate[] }[];
}

/** Pixels between the symbols of a row. */
const step = 9;

/** A row for each layer with a symbol for each series, those left of zero helped (paper Figures 4, S13 and S14). */
export function layerDotsFigure(canvas: Canvas, dots: LayerDots): Figure {
  const { palette } = canvas;
  const styles = seriesStyles(dots.series.map(({ label }) => label), palette);
  const drawn = dots.series.slice(0, styles.length);
  const largest = dots.layers.map((_, l) => largestMagnitude(drawn.map(({ values }) => values[l]!.mean)));
  const chosen = selectLayers(dots.layers.map((layer, l) => ({ layer, total: largest[l]! })));
  // Rows that several layers share would hide which of them moved.
  const selection = { ...chosen, labels: chosen.labels.slice(0, chosen.shown.length) };
  const which = 'those whose totals are largest';
  const scale = scaledUnit(largestMagnitude(largest), dots.unit);
  const geometry = layerRows(selection, ['']);
  const rowHeight = Math.max(27, step * styles.length + 9);
  const offset = (i: number): number => (i - (styles.length - 1) / 2) * step;
  const marks = drawn.flatMap(({ values }, i) => {
    const { symbol, filled, line } = styles[i]!;
    const own = rowValues({ ...selection, others: [] }, values, () => values[0]!).map(({ mean, interval }, row) => ({
      row, x: mean * scale.factor, low: (interval?.[0] ?? NaN) * scale.factor, high: (interval?.[1] ?? NaN) * scale.factor,
    }));
    return [
      Plot.link(own.filter(({ low }) => !Number.isNaN(low)), { x1: 'low', x2: 'high', y: 'row', stroke: line.stroke, strokeWidth: 1.5, dy: offset(i) }),
      Plot.dot(own, { x: 'x', y: 'row', symbol, r: 4, stroke: line.stroke, strokeWidth: 1.5, fill: filled ? line.stroke : palette.background, dy: offset(i) }),
    ];
  });
  return canvas.figure({
    name: dots.name,
    title: dots.title,
    caption: `${dots.caption}${seriesNote(dots.series.length)}${rowsNote(selection, which)}`,
    note: rowsShown(selection, which),
    legend: seriesKeys(styles, 'symbol'),
    panels: [
      canvas.panel({
        ...geometry,
        height: geometry.marginTop + geometry.marginBottom + selection.shown.length * rowHeight,
        marginRight: 20,
        x: allocationAxis(scale.unit),
        marks: [
          Plot.gridX({ ticks: 4 }),
          Plot.gridY(selection.shown.map((_, row) => row), { strokeOpacity: 0.06, strokeWidth: rowHeight - 4 }),
          Plot.ruleX([0], { stroke: palette.text }),
          ...marks,
        ],
      }),
    ],
  });
} // prettier-ignore
