import * as Plot from '@observablehq/plot';
import type { LossAnalysis, RunAnalysis } from '../../analysis/index.js';
import { iterationAxis } from './axes.js';
import type { Canvas, Figure, LegendEntry, Panel } from './canvas.js';
import { formatLoss, formatNumber, scaledUnit } from '../format.js';
import { largestMagnitude, thin } from './thin.js';

interface Curve {
  readonly split: 'train' | 'validation';
  readonly colour: string;
  readonly loss: LossAnalysis;
}

const pointsPerLine = 800;

function curvesOf(canvas: Canvas, { train, validation }: RunAnalysis): Curve[] {
  return [
    ...(train ? [{ split: 'train' as const, colour: canvas.palette.train, loss: train.loss }] : []),
    ...(validation
      ? [{ split: 'validation' as const, colour: canvas.palette.validation, loss: validation.loss }]
      : []),
  ];
}

/** Integrated minus measured loss [T+1] in nats. */
const driftOf = ({ measured, integrated }: LossAnalysis): number[] =>
  measured.map((loss, t) => integrated[t]! - loss);

function lossPanel(canvas: Canvas, { iteration, summary }: RunAnalysis, curves: readonly Curve[]): Panel {
  const line = (values: readonly number[], options: Plot.LineYOptions): Plot.Markish =>
    Plot.lineY(thin(iteration, values, pointsPerLine), { x: 'x', y: 'y', ...options });
  return canvas.panel({
    height: 230,
    x: iterationAxis(iteration),
    y: { label: `loss (${summary.unit})`, labelArrow: 'none', grid: true, ticks: 5, nice: true },
    marks: [
      ...curves.map(({ split, colour, loss }) =>
        line(loss.measured, {
          stroke: colour,
          strokeWidth: 4,
          strokeOpacity: 0.55,
          ariaDescription: `${split} loss`,
        }),
      ),
      ...curves.map(({ split, loss }) =>
        line(loss.integrated, {
          stroke: canvas.palette.text,
          strokeWidth: 1.25,
          strokeDasharray: '4 3',
          ariaDescription: `${split} integrated`,
        }),
      ),
    ],
  });
}

function driftPanel(canvas: Canvas, { iteration, summary }: RunAnalysis, curves: readonly Curve[]): Panel {
  const largest = largestMagnitude(curves.flatMap(({ loss }) => driftOf(loss)));
  const { factor, unit } = scaledUnit(largest, summary.unit);
  return canvas.panel({
    height: 140,
    x: iterationAxis(iteration),
    y: { label: `integrated − measured (${unit})`, labelArrow: 'none', grid: true, ticks: 4, nice: true },
    marks: [
      Plot.ruleY([0], { stroke: canvas.palette.muted }),
      ...curves.map(({ split, colour, loss }) =>
        Plot.lineY(
          thin(
            iteration,
            driftOf(loss).map((drift) => drift * factor),
            pointsPerLine,
          ),
          { x: 'x', y: 'y', stroke: colour, ariaDescription: `${split} drift` },
        ),
      ),
    ],
  });
}

function captionOf(curves: readonly Curve[], unit: string): string {
  const { split, loss } = curves[0]!;
  const [start, end] = [loss.measured[0]!, loss.measured.at(-1)!];
  const largest = largestMagnitude(driftOf(loss));
  const verb = end < start ? 'falls' : end > start ? 'rises' : 'stays';
  return (
    `The ${split} loss ${verb} from ${formatNumber(start)} to ${formatLoss(end, unit)}; the first loss plus all ` +
    `allocations so far (dashed) stays within ${formatLoss(largest, unit)} of it (lower panel, in its own unit).`
  );
}

/** Loss against the first loss plus all allocations so far, and their difference (paper Section 2). */
export function lossFigure(canvas: Canvas, analysis: RunAnalysis): Figure | null {
  const curves = curvesOf(canvas, analysis);
  if (curves.length === 0) return null;
  const legend: LegendEntry[] = [
    ...curves.map(({ split, colour }) => ({ label: `${split} loss`, colour, kind: 'line' as const })),
    { label: 'integrated from allocations', colour: canvas.palette.text, kind: 'dashed' },
  ];
  return canvas.figure({
    name: 'loss',
    title: 'Loss, and the loss that the ledger adds up to',
    caption: captionOf(curves, analysis.summary.unit),
    legend,
    panels: [lossPanel(canvas, analysis, curves), driftPanel(canvas, analysis, curves)],
  });
}
