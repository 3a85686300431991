import * as Plot from '@observablehq/plot';
import type { RunAnalysis, RunSummary } from '../../analysis/index.js';
import { iterationAxis, logAxis } from './axes.js';
import type { Canvas, Figure, LegendEntry, Panel } from './canvas.js';
import { formatCount, formatLoss } from '../format.js';
import { binSegments } from './thin.js';
import type { Bin } from './thin.js';

const binLimit = 100;

interface Series {
  readonly label: string;
  readonly colour: string;
  /** [T] nats. */
  readonly residual: readonly number[];
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

function seriesOf(canvas: Canvas, { train, validation, summary }: RunAnalysis): Series[] {
  const { palette } = canvas;
  const split = train ?? validation;
  return [
    ...(split && summary.rule !== 'left'
      ? [
          {
            label: `left rule, ${train ? 'train' : 'validation'}`,
            colour: palette.muted,
            residual: split.loss.leftResidual,
          },
        ]
      : []),
    ...(validation
      ? [
          {
            label: `${summary.rule}, validation`,
            colour: palette.validation,
            residual: validation.loss.residual,
          },
        ]
      : []),
    ...(train
      ? [{ label: `${summary.rule}, train`, colour: palette.train, residual: train.loss.residual }]
      : []),
  ];
}

function captionOf({ summary }: RunAnalysis, zeros: number): string {
  const audit = (summary.train ?? summary.validation)!;
  const over = audit.overTolerance;
  const [mean, left] = [audit.chosen.meanIterationError, audit.left.meanIterationError];
  const tolerance =
    over === null
      ? ''
      : ` ${over === 0 ? 'No iteration exceeds' : `${formatCount(over)} iterations exceed`} the tolerance.`;
  const omitted = zeros > 0 ? ` ${formatCount(zeros)} residuals are exactly zero and not drawn.` : '';
  return (
    `The error of an average iteration is ${formatLoss(mean, summary.unit)} with the ${summary.rule} rule and ${formatLoss(left, summary.unit)} with the ` +
    `left rule; shades span the least to the greatest of neighbouring iterations.${tolerance}${omitted}`
  );
}

function marksOf({ label, colour }: Series, spread: readonly Spread[]): Plot.Markish[] {
  return [
    Plot.areaY(spread, { x: 'x', y1: 'low', y2: 'high', fill: colour, fillOpacity: 0.22 }),
    Plot.lineY(spread, { x: 'x', y: 'middle', stroke: colour, strokeWidth: 1.5, ariaDescription: label }),
  ];
}

function drawResiduals(
  canvas: Canvas,
  { iteration, summary }: RunAnalysis,
  series: readonly Series[],
  sizes: readonly number[],
): Panel {
  const bins = binSegments(iteration, binLimit);
  const shown = summary.tolerance ? [...sizes, summary.tolerance] : sizes;
  const [least, most] = [shown.reduce((a, b) => Math.min(a, b)), shown.reduce((a, b) => Math.max(a, b))];
  return canvas.panel({
    height: 250,
    x: iterationAxis(iteration),
    y: {
      label: `abs(residual) of one iteration (${summary.unit})`,
      grid: true,
      ...logAxis(Math.max(least, most * 1e-12), most, 6),
      clamp: true,
    },
    marks: [
      ...series.flatMap((each) => marksOf(each, spreadOf(each.residual, bins))),
      ...(summary.tolerance ? [toleranceLine(canvas, summary.tolerance)] : []),
    ],
  });
}

function toleranceLine({ palette }: Canvas, tolerance: number): Plot.Markish {
  return Plot.ruleY([tolerance], { stroke: palette.bad, strokeDasharray: '6 3', strokeWidth: 1.5 });
}

function legendOf(
  { palette }: Canvas,
  series: readonly Series[],
  { tolerance, unit }: RunSummary,
): LegendEntry[] {
  const lines = series.map(({ label, colour }): LegendEntry => ({ label, colour, kind: 'line' }));
  if (!tolerance) return lines;
  return [...lines, { label: `tolerance ${tolerance} ${unit}`, colour: palette.bad, kind: 'dashed' }];
}

/** Magnitude of each segment's residual on a logarithmic axis, beside the left rule's and the tolerance (Table S1, Section 2). */
export function residualFigure(canvas: Canvas, analysis: RunAnalysis): Figure | null {
  const series = seriesOf(canvas, analysis);
  const residuals = series.flatMap(({ residual }) => residual);
  const sizes = residuals.map(Math.abs).filter((size) => size > 0);
  if (sizes.length === 0) return null;
  return canvas.figure({
    name: 'residual',
    title: 'Error of each iteration',
    caption: captionOf(analysis, residuals.length - sizes.length),
    legend: legendOf(canvas, series, analysis.summary),
    panels: [drawResiduals(canvas, analysis, series, sizes)],
  });
}
