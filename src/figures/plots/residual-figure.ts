import * as Plot from '@observablehq/plot';
import type { RunAnalysis, RunSummary } from '../../analysis/index.js';
import { iterationAxis, logAxis } from './axes.js';
import { lineKey } from './canvas.js';
import type { Canvas, Figure, LegendEntry, Panel } from './canvas.js';
import { formatCount, formatLoss } from '../format.js';
import { drawnObjectives, type LineStyle, objectiveLabel } from '../objectives.js';
import { printable, stepOf } from '../text.js';
import { binSegments } from './thin.js';
import type { Bin } from './thin.js';

const binLimit = 100;
const toleranceDash = '6 3';

interface Series {
  readonly label: string;
  readonly style: LineStyle;
  /** [T] in the loss's unit. */
  readonly residual: readonly number[];
  /** Whether the spread of neighbouring iterations is shaded; shades of many lines would hide each other. */
  readonly shaded: boolean;
}

interface Spread {
  readonly x: number;
  readonly low: number;
  readonly middle: number;
  readonly high: number;
}

/** Least, median and greatest magnitude of a stretch, at both of its ends; exact zeros have no place on a logarithmic axis. */
function spreadOf(residual: readonly number[], bins: readonly Bin[]): Spread[] {
  return bins.flatMap(({ from, to, x1, x2 }) => {
    const sizes = residual
      .slice(from, to)
      .map(Math.abs)
      .filter((size) => size > 0);
    sizes.sort((a, b) => a - b);
    const [low, middle, high] = [sizes[0], sizes[sizes.length >>> 1], sizes.at(-1)].map((v) => v ?? NaN);
    return [x1, x2].map((x) => ({ x, low: low!, middle: middle!, high: high! }));
  });
}

/** In the order of drawing: the left rule, then this run's rule with the first objective below the others. */
function seriesOf({ palette }: Canvas, analysis: RunAnalysis): Series[] {
  const { rule } = analysis.summary;
  const objectives = drawnObjectives(analysis, palette);
  const left = objectives.slice(0, rule === 'left' ? 0 : 1).flatMap(({ label, loss: { leftResidual } }) =>
    leftResidual === null
      ? []
      : [{
          label: `left rule, ${label}`,
          style: { stroke: palette.muted, strokeWidth: 1.5 },
          residual: leftResidual,
          shaded: true,
        }],
  ); // prettier-ignore
  const own = objectives.map(({ label, style, loss }, index) => ({
    label: `${printable(rule)}, ${label}`,
    style,
    residual: loss.residual,
    shaded: index === 0,
  }));
  return [...left, ...own];
}

function captionOf(analysis: RunAnalysis, zeros: number, below: number): string {
  const { summary, objectives } = analysis;
  const step = stepOf(summary);
  const audit = objectives[0]!.conservation;
  const over = audit.overTolerance;
  const mean = audit.chosen.meanIterationError;
  const left =
    audit.left === null
      ? ''
      : ` and ${formatLoss(audit.left.meanIterationError, summary.unit)} with the left rule`;
  const tolerance =
    over === null
      ? ''
      : ` ${over === 0 ? `No ${step} exceeds` : over === 1 ? `One ${step} exceeds` : `${formatCount(over)} ${step}s exceed`} the tolerance.`;
  const omitted = zeros > 0 ? ` ${formatCount(zeros)} residuals are exactly zero and not drawn.` : '';
  const lower =
    below > 0 ? ` ${formatCount(below)} are smaller than the axis shows, and drawn at its lower end.` : '';
  return (
    `The error of an average ${step} is ${formatLoss(mean, summary.unit)} with the ${summary.rule} rule${left}` +
    `${objectives.length > 1 ? ` (${objectiveLabel(objectives[0]!)} loss)` : ''}; shades span the least to the greatest of neighbouring ${step}s.${tolerance}${omitted}${lower}`
  );
}

function marksOf({ label, style, shaded }: Series, spread: readonly Spread[]): Plot.Markish[] {
  return [
    ...(shaded
      ? [Plot.areaY(spread, { x: 'x', y1: 'low', y2: 'high', fill: style.stroke, fillOpacity: 0.22 })]
      : []),
    Plot.lineY(spread, { x: 'x', y: 'middle', ...style, strokeWidth: 1.5, ariaDescription: label }),
  ];
}

/** Limits of the vertical axis, which ends at the power of ten below and above them. */
function rangeOf(sizes: readonly number[], tolerance: number | null): { least: number; most: number } {
  const [least, most] = [sizes.reduce((a, b) => Math.min(a, b)), sizes.reduce((a, b) => Math.max(a, b))];
  const limit = tolerance || null;
  // A residual of a step that was hit by chance may be tiny; what is near the tolerance is always seen.
  return {
    least: Math.min(limit ?? Infinity, Math.max(least, Math.min(most * 1e-12, (limit ?? Infinity) * 1e-3))),
    most: Math.max(limit ?? 0, most),
  };
}

function drawResiduals(
  canvas: Canvas,
  { iteration, summary }: RunAnalysis,
  series: readonly Series[],
  { least, most }: { least: number; most: number },
): Panel {
  const bins = binSegments(iteration, binLimit);
  return canvas.panel({
    height: 250,
    x: iterationAxis(iteration),
    y: {
      label: `abs(residual) of one ${stepOf(summary)} (${summary.unit})`,
      grid: true,
      ...logAxis(least, most, 6),
      clamp: true,
    },
    marks: [
      ...series.flatMap((each) => marksOf(each, spreadOf(each.residual, bins))),
      ...(summary.tolerance ? [toleranceLine(canvas, summary.tolerance)] : []),
    ],
  });
}

function toleranceLine({ palette }: Canvas, tolerance: number): Plot.Markish {
  return Plot.ruleY([tolerance], { stroke: palette.bad, strokeDasharray: toleranceDash, strokeWidth: 1.5 });
}

function legendOf(
  { palette }: Canvas,
  series: readonly Series[],
  { tolerance, unit }: RunSummary,
): LegendEntry[] {
  const lines = series.map(({ label, style }) => lineKey(label, style));
  if (!tolerance) return lines;
  return [
    ...lines,
    { label: `tolerance ${tolerance} ${unit}`, colour: palette.bad, kind: 'line', dash: toleranceDash },
  ];
}

/** Magnitude of each segment's residual on a logarithmic axis, beside the left rule's and the tolerance (Table S1, Section 2). */
export function residualFigure(canvas: Canvas, analysis: RunAnalysis): Figure | null {
  const series = seriesOf(canvas, analysis);
  const residuals = series.flatMap(({ residual }) => residual);
  const sizes = residuals.map(Math.abs).filter((size) => size > 0);
  if (sizes.length === 0) return null;
  const range = rangeOf(sizes, analysis.summary.tolerance);
  const lowest = 10 ** Math.floor(Math.log10(range.least));
  const below = sizes.filter((size) => size < lowest).length;
  return canvas.figure({
    name: 'residual',
    title: `Error of each ${stepOf(analysis.summary)}`,
    caption: captionOf(analysis, residuals.length - sizes.length, below),
    legend: legendOf(canvas, series, analysis.summary),
    note: below > 0 ? `${formatCount(below)} smaller residuals are drawn at the axis’s lower end.` : null,
    panels: [drawResiduals(canvas, analysis, series, range)],
  });
}
