import * as Plot from '@observablehq/plot';
import { scaledUnit } from '../format.js';
import { type Canvas, figureWidth, fontSize, type Figure } from '../plots/canvas.js';
import { largestMagnitude } from '../plots/thin.js';
import { estimateWidth, shortNames } from '../text.js';
import { seriesKeys, seriesNote, type SeriesStyle, seriesStyles } from './series.js';
import type { Estimate } from './layer-dots.js';

/** A number at one setting: its mean over runs, and each run's own. */
export interface SettingPoint extends Estimate {
  readonly singles: readonly number[];
}

/** How a number depends on a setting; series that differ in something else. */
export interface AxisPlot {
  /** Fit for a file. */
  readonly name: string;
  readonly title: string;
  readonly caption: string;
  readonly setting: string;
  /** Values of the setting, as numbers where they are, else as names. */
  readonly at: readonly number[] | readonly string[];
  readonly measure: string;
  /** Unit of the numbers, which are scaled; null: they are percentages. */
  readonly unit: string | null;
  /** Null where a series has no number there [at]. */
  readonly series: readonly { readonly label: string; readonly points: readonly (SettingPoint | null)[] }[];
  /** Whether a line marks zero. */
  readonly zero?: boolean;
}

interface DrawnPoint {
  readonly x: number;
  readonly y: number;
  readonly low: number;
  readonly high: number;
  readonly singles: readonly number[];
}

/** Points of a series in the figure's unit. */
function drawnPoints(points: AxisPlot['series'][number]['points'], xs: readonly number[], factor: number): DrawnPoint[] {
  return points.flatMap((point, i) =>
    point === null
      ? []
      : [{
          x: xs[i]!,
          y: point.mean * factor,
          low: (point.interval?.[0] ?? NaN) * factor,
          high: (point.interval?.[1] ?? NaN) * factor,
          singles: point.singles.map((value) => value * factor),
        }],
  );
} // prettier-ignore

/** The setting on the horizontal axis: logarithmic where its numbers span a factor of ten or more, evenly spaced names else. */
function settingScale({ at, setting }: AxisPlot): { xs: number[]; scale: Plot.ScaleOptions } {
  const label = { label: setting, labelAnchor: 'center', labelArrow: 'none' } as const;
  if (at.every((value) => typeof value === 'number')) {
    const xs = [...at];
    const isWide = Math.min(...xs) > 0 && Math.max(...xs) / Math.min(...xs) >= 10;
    const ticks = xs.length <= 10 ? xs : 6;
    return { xs, scale: { ...label, ...(isWide ? { type: 'log' } : {}), ticks, tickFormat: (tick: number) => String(tick), insetLeft: 8, insetRight: 8 } };
  }
  const xs = at.map((_, i) => i);
  const names = shortNames(at.map(String), 18);
  return { xs, scale: { ...label, type: 'point', domain: xs, tickFormat: (i: number) => names[i]! } };
} // prettier-ignore

/** Pixels between series at one name: their intervals must not hide each other. */
const dodge = 16;

function seriesMarks(points: readonly DrawnPoint[], { symbol, filled, line }: SeriesStyle, background: string, dx: number | null): Plot.Markish[] {
  const singles = points.flatMap(({ x, singles: own }) => own.map((y) => ({ x, y })));
  const shift = { dx: dx ?? 0 };
  return [
    ...(dx === null ? [Plot.lineY(points, { x: 'x', y: 'y', ...line })] : []),
    Plot.link(points.filter(({ low }) => !Number.isNaN(low)), { x: 'x', y1: 'low', y2: 'high', stroke: line.stroke, strokeWidth: 1.5, ...shift }),
    Plot.dot(singles.length > points.length ? singles : [], { x: 'x', y: 'y', r: 1.75, fill: line.stroke, fillOpacity: 0.55, ...shift }),
    Plot.dot(points, { x: 'x', y: 'y', symbol, r: 4, stroke: line.stroke, strokeWidth: 1.5, fill: filled ? line.stroke : background, ...shift }),
  ];
} // prettier-ignore

/** A number over a setting, with 95 % intervals and single runs (paper Figures 5 and S9). */
export function axisFigure(canvas: Canvas, plot: AxisPlot): Figure {
  const { palette } = canvas;
  const styles = seriesStyles(plot.series.map(({ label }) => label), palette);
  const drawn = plot.series.slice(0, styles.length);
  const largest = largestMagnitude(drawn.flatMap(({ points }) => points.flatMap((point) => point?.singles ?? [])));
  const { factor, unit } = plot.unit === null ? { factor: 100, unit: '%' } : scaledUnit(largest, plot.unit);
  const { xs, scale } = settingScale(plot);
  const isNumeric = scale.type !== 'point';
  const isCrowded = !isNumeric && estimateWidth(shortNames(plot.at.map(String), 18).join('  '), fontSize) > figureWidth - 90;
  return canvas.figure({
    name: plot.name,
    title: plot.title,
    caption: `${plot.caption}${seriesNote(plot.series.length)}`,
    legend: plot.series.length > 1 ? seriesKeys(styles, 'symbol') : [],
    panels: [
      canvas.panel({
        height: isCrowded ? 340 : 260,
        ...(isCrowded ? { marginBottom: 122 } : {}),
        x: { ...scale, ...(isCrowded ? { tickRotate: -35, label: null } : {}) },
        y: { label: `${plot.measure} (${unit})`, labelArrow: 'none', grid: true, ticks: 5, nice: true },
        marks: [
          ...(plot.zero ? [Plot.ruleY([0], { stroke: palette.text })] : []),
          ...drawn.flatMap(({ points }, i) => seriesMarks(drawnPoints(points, xs, factor), styles[i]!, palette.background, isNumeric ? null : dodge * (i - (drawn.length - 1) / 2))),
        ],
      }),
    ],
  });
} // prettier-ignore
