import * as Plot from '@observablehq/plot';
import type { LossAnalysis, RunAnalysis } from '../../analysis/index.js';
import { iterationAxis } from './axes.js';
import { bandOpacity, lineKey } from './canvas.js';
import type { Canvas, Figure, LegendEntry, Panel } from './canvas.js';
import { formatLoss, formatNumber, scaledUnit } from '../format.js';
import { type DrawnObjective, drawnObjectives } from '../objectives.js';
import { largestMagnitude, thin } from './thin.js';

const pointsPerLine = 800;

/** Integrated minus measured loss [T+1] in the loss's unit. */
const driftOf = ({ measured, integrated }: LossAnalysis): number[] =>
  measured.map((loss, t) => integrated[t]! - loss);

function lossPanel(
  canvas: Canvas,
  { iteration, summary }: RunAnalysis,
  curves: readonly DrawnObjective[],
): Panel {
  const line = (values: readonly number[], options: Plot.LineYOptions): Plot.Markish =>
    Plot.lineY(thin(iteration, values, pointsPerLine), { x: 'x', y: 'y', ...options });
  // Bands that lie on each other must not become opaque.
  const opacity = Math.min(bandOpacity, 0.6 / curves.length);
  return canvas.panel({
    height: 230,
    x: iterationAxis(iteration),
    y: { label: `loss (${summary.unit})`, labelArrow: 'none', grid: true, ticks: 5, nice: true },
    marks: [
      ...curves.map(({ label, style, loss }) =>
        line(loss.integrated, {
          stroke: style.stroke,
          strokeWidth: 8,
          strokeOpacity: opacity,
          ariaDescription: `${label} integrated`,
        }),
      ),
      ...curves.map(({ label, style, loss }) =>
        line(loss.measured, { ...style, ariaDescription: `${label} loss` }),
      ),
    ],
  });
}

function driftPanel(
  canvas: Canvas,
  { iteration, summary }: RunAnalysis,
  curves: readonly DrawnObjective[],
): Panel {
  const largest = largestMagnitude(curves.flatMap(({ loss }) => driftOf(loss)));
  const { factor, unit } = scaledUnit(largest, summary.unit);
  return canvas.panel({
    height: 140,
    x: iterationAxis(iteration),
    y: { label: `integrated − measured (${unit})`, labelArrow: 'none', grid: true, ticks: 4, nice: true },
    marks: [
      Plot.ruleY([0], { stroke: canvas.palette.muted }),
      ...curves.map(({ label, style, loss }) =>
        Plot.lineY(
          thin(
            iteration,
            driftOf(loss).map((drift) => drift * factor),
            pointsPerLine,
          ),
          { x: 'x', y: 'y', ...style, strokeWidth: 1.5, ariaDescription: `${label} drift` },
        ),
      ),
    ],
  });
}

function captionOf(curves: readonly DrawnObjective[], unit: string): string {
  const { label, loss } = curves[0]!;
  const [start, end] = [loss.measured[0]!, loss.measured.at(-1)!];
  const largest = largestMagnitude(driftOf(loss));
  const verb = end < start ? 'falls' : end > start ? 'rises' : 'stays';
  return (
    `The ${label} loss ${verb} from ${formatNumber(start)} to ${formatLoss(end, unit)}; the first loss plus all ` +
    `allocations so far (broad band) stays within ${formatLoss(largest, unit)} of it (lower panel, in its own unit).`
  );
}

/** Loss against the first loss plus all allocations so far, and their difference (paper Section 2). */
export function lossFigure(canvas: Canvas, analysis: RunAnalysis): Figure | null {
  const curves = drawnObjectives(analysis, canvas.palette);
  if (curves.length === 0) return null;
  const legend: LegendEntry[] = [
    ...curves.map(({ label, style }) => lineKey(`${label} loss`, style)),
    { label: 'integrated from allocations', colour: canvas.palette.text, kind: 'band' },
  ];
  return canvas.figure({
    name: 'loss',
    title: 'Loss, and the loss that the ledger adds up to',
    caption: captionOf(curves, analysis.summary.unit),
    legend,
    panels: [lossPanel(canvas, analysis, curves), driftPanel(canvas, analysis, curves)],
  });
}
