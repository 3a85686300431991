import * as Plot from '@observablehq/plot';
import type { LossAnalysis, RunAnalysis } from '../../analysis/index.js';
import { iterationAxis, logAxis } from './axes.js';
import { bandOpacity, lineKey } from './canvas.js';
import type { Canvas, Figure, LegendEntry, Panel } from './canvas.js';
import { formatLoss, formatNumber, scaledUnit } from '../format.js';
import { type DrawnObjective, drawnObjectives } from '../objectives.js';
import { largestMagnitude, type Point, thin } from './thin.js';

const pointsPerLine = 800;

/** Integrated minus measured loss [T+1] in the loss's unit. */
const driftOf = ({ measured, integrated }: LossAnalysis): number[] =>
  measured.map((loss, t) => integrated[t]! - loss);

/** How the losses are drawn: on which axis, in which multiple of the unit, and whether integrated losses leave the panel. */
interface LossScale {
  readonly axis: Plot.ScaleOptions;
  readonly factor: number;
  readonly leaves: boolean;
  readonly logarithmic: boolean;
}

const extentOf = (values: readonly number[]): [number, number] => [
  values.reduce((a, b) => Math.min(a, b)),
  values.reduce((a, b) => Math.max(a, b)),
];

/**
 * The measured losses fill the panel, and integrated ones as far as a quarter of that beyond it: where a ledger does not add up they can
 * be anywhere. Logarithmic where a loss rises to over a thousand times its first value, as it does in a run that diverges.
 */
function scaleOf(curves: readonly DrawnObjective[], lossUnit: string): LossScale {
  const [low, high] = extentOf(curves.flatMap(({ loss }) => loss.measured));
  const [least, most] = extentOf(curves.flatMap(({ loss }) => loss.integrated));
  const air = 0.25 * (high - low || Math.abs(high) || 1);
  const leaves = least < low - air || most > high + air;
  const label = (unit: string): string => `loss (${unit})`;
  if (low > 0 && high > 1000 * curves[0]!.loss.measured[0]!) {
    const axis = { label: label(lossUnit), grid: true, ...logAxis(low, high, 5), clamp: true };
    return { axis, factor: 1, leaves, logarithmic: true };
  }
  const domain = [Math.max(low - air, Math.min(low, least)), Math.min(high + air, Math.max(high, most))];
  const { factor, unit } = scaledUnit(largestMagnitude(domain), lossUnit);
  const axis = {
    label: label(unit),
    labelArrow: 'none' as const,
    grid: true,
    ticks: 5,
    nice: true,
    domain: domain.map((end) => end * factor),
    clamp: true,
  };
  return { axis, factor, leaves, logarithmic: false };
}

/** The 95 % interval of a loss that was measured on a sample. */
function intervalBand(
  { iteration }: RunAnalysis,
  { label, loss, sampling, style }: DrawnObjective,
  factor: number,
): Plot.Markish[] {
  if (sampling === null) return [];
  const end = (sign: 1 | -1) =>
    thin(
      iteration,
      loss.measured.map((value, row) => value + sign * sampling.loss[row]!),
      pointsPerLine,
    );
  return ([1, -1] as const).map((sign) =>
    Plot.lineY(end(sign), { x: 'x', y: ({ y }: Point) => y * factor, stroke: style.stroke, strokeWidth: 1, strokeOpacity: 0.8, ariaDescription: `${label} interval of 95 %` }),
  ); // prettier-ignore
}

function lossPanel(
  canvas: Canvas,
  analysis: RunAnalysis,
  curves: readonly DrawnObjective[],
  { axis, factor, logarithmic }: LossScale,
): Panel {
  const { iteration } = analysis;
  const line = (values: readonly number[], options: Plot.LineYOptions): Plot.Markish =>
    Plot.lineY(thin(iteration, values, pointsPerLine), {
      x: 'x',
      y: ({ y }: Point) => (logarithmic ? Math.max(y, Number.MIN_VALUE) : y * factor),
      ...options,
    });
  // Bands that lie on each other must not become opaque.
  const opacity = Math.min(bandOpacity, 0.6 / curves.length);
  return canvas.panel({
    height: 230,
    x: iterationAxis(iteration),
    y: axis,
    marks: [
      ...curves.map(({ label, style, loss }) =>
        line(loss.integrated, {
          stroke: style.stroke,
          strokeWidth: 8,
          strokeOpacity: opacity,
          ariaDescription: `${label} integrated`,
        }),
      ),
      ...curves.flatMap((curve) => intervalBand(analysis, curve, factor)),
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
    height: 150,
    x: iterationAxis(iteration),
    y: { label: `integrated − measured (${unit})`, labelArrow: 'none', grid: true, ticks: 3, nice: true },
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

function captionOf(curves: readonly DrawnObjective[], unit: string, { leaves }: LossScale): string {
  const { label, loss } = curves[0]!;
  const [start, end] = [loss.measured[0]!, loss.measured.at(-1)!];
  const largest = largestMagnitude(driftOf(loss));
  const [from, to] = [formatNumber(start), formatLoss(end, unit)];
  const verb = end < start ? 'falls' : 'rises';
  // What four digits do not tell apart is said as a difference.
  const by = from === formatNumber(end) ? ` by ${formatLoss(Math.abs(end - start), unit)},` : '';
  const course = end === start ? `stays at ${to}` : `${verb}${by} from ${from} to ${to}`;
  const band = leaves
    ? `is as far as ${formatLoss(largest, unit)} from it and leaves the upper panel: the allocations do not add up`
    : `stays within ${formatLoss(largest, unit)} of it (lower panel, in its own unit)`;
  return (
    `The ${label} loss ${course}; the first loss plus all ` +
    `allocations so far (broad band) ${band}.${curves.some(({ sampling }) => sampling !== null) ? ' Thin lines: intervals of 95 %, since it was measured on a sample.' : ''}`
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
  const scale = scaleOf(curves, analysis.summary.unit);
  return canvas.figure({
    name: 'loss',
    title: 'Loss, and the loss that the ledger adds up to',
    caption: captionOf(curves, analysis.summary.unit, scale),
    legend,
    panels: [lossPanel(canvas, analysis, curves, scale), driftPanel(canvas, analysis, curves)],
  });
}
