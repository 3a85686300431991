import * as Plot from '@observablehq/plot';
import type { Density, Fits, ThemeAnalyses } from '../../analysis/index.js';
import { formatNumber, formatShare } from '../format.js';
import { logAxis } from '../plots/axes.js';
import type { Canvas, Figure } from '../plots/canvas.js';
import type { DataTable, ThemeDrawing } from './drawing.js';

/** Densities of ln magnitude under the fits, both signs together. */
const densities = {
  Gaussian: ({ gaussian: { scale } }: Fits, x: number) => Math.sqrt(2 / Math.PI) * (x / scale) * Math.exp(-((x / scale) ** 2) / 2),
  Laplace: ({ laplace: { scale } }: Fits, x: number) => (x / scale) * Math.exp(-x / scale),
  'double Weibull': ({ weibull: { scale, shape } }: Fits, x: number) => shape! * (x / scale) ** shape! * Math.exp(-((x / scale) ** shape!)),
} as const; // prettier-ignore

/** Bins that hold anything, from the first to the last. */
function filled({ helping, hurting, edges }: Density): { middle: number; helping: number; hurting: number }[] {
  const bins = helping.map((value, i) => ({ middle: Math.sqrt(edges[i]! * edges[i + 1]!), helping: value, hurting: hurting[i]! }));
  const has = bins.map((bin) => bin.helping + bin.hurting > 0);
  return bins.slice(Math.max(0, has.indexOf(true)), has.lastIndexOf(true) + 1);
} // prettier-ignore

function dataOf({ tails }: ThemeAnalyses): DataTable | null {
  if (!tails?.run.fits) return null;
  const { fits } = tails.run;
  return {
    columns: ['magnitude', 'helping', 'hurting', ...Object.keys(densities)],
    rows: filled(tails.density).map(({ middle, helping, hurting }) => [
      middle,
      helping,
      hurting,
      ...Object.values(densities).map((of) => of(fits, middle)),
    ]),
  };
}

/** One sample of a curve. */
interface Sample {
  readonly x: number;
  readonly y: number;
}

/** Magnitudes between two, sixteen a decade. */
function gridOf(from: number, to: number): number[] {
  const count = Math.max(1, Math.ceil(16 * Math.log10(to / from)));
  return Array.from({ length: count + 1 }, (_, i) => from * (to / from) ** (i / count));
}

/** What lies under the axis interrupts a line. */
const above = (floor: number, samples: readonly Sample[]): Sample[] =>
  samples.map(({ x, y }) => ({ x, y: y >= floor ? y : NaN }));

function draw(canvas: Canvas, analyses: ThemeAnalyses): Figure | null {
  const { tails, unit } = analyses;
  const table = dataOf(analyses);
  if (table === null || !tails?.run.fits) return null;
  const { palette } = canvas;
  const rows = table.rows as readonly (readonly number[])[];
  const most = Math.max(...rows.map(([, helping, hurting]) => Math.max(helping!, hurting!)));
  const floor = most / 1e6;
  const fine = gridOf(rows[0]![0]!, rows.at(-1)![0]!);
  const curves = Object.values(densities).map((of) => above(floor, fine.map((x) => ({ x, y: of(tails.run.fits!, x) / 2 }))));
  const top = Math.max(most, ...curves.flat().map(({ y }) => (y > 0 ? y : 0)));
  const styles = [
    { stroke: palette.layers[4]!, strokeDasharray: '2 3' },
    { stroke: palette.layers[3]!, strokeDasharray: '6 3' },
    { stroke: palette.text, strokeDasharray: '10 3 2 3' },
  ];
  const found = (column: number) => above(floor, rows.map((row) => ({ x: row[0]!, y: row[column]! })));
  const two = tails.run.concentration!.tails[1]!;
  const { weibull, gaussian, laplace } = tails.run.fits;
  return canvas.figure({
    name: 'tails',
    title: 'Tails of single allocations',
    caption:
      `Density of the logarithm of magnitudes not zero, of each sign, with three distributions fitted by maximum likelihood (half of each; distance to what was ` +
      `found: Gaussian ${formatNumber(gaussian.distance, 2)}, Laplace ${formatNumber(laplace.distance, 2)}, double Weibull ${formatNumber(weibull.distance, 2)} with shape ${formatNumber(weibull.shape!, 3)}). ` +
      `${formatShare(two.share)} of the magnitude lies beyond 2σ, ${formatNumber(two.ratio, 3)} times a Gaussian's; the paper finds about three times, and a Weibull distribution the better model (its Figure S10).`,
    legend: [
      { label: 'helping', colour: palette.helping, kind: 'line' },
      { label: 'hurting', colour: palette.hurting, kind: 'line', dash: '4 2' },
      ...Object.keys(densities).map((name, i) => ({ label: name, colour: styles[i]!.stroke, kind: 'line' as const, dash: styles[i]!.strokeDasharray })),
    ],
    panels: [
      canvas.panel({
        height: 270,
        x: { label: `magnitude of one allocation (${unit})`, ...logAxis(rows[0]![0]!, rows.at(-1)![0]!, 6) },
        y: { label: 'density of its logarithm', grid: true, ...logAxis(floor, top, 6) },
        marks: [
          ...styles.map((style, i) => Plot.lineY(curves[i], { x: 'x', y: 'y', strokeWidth: 1.75, ...style })),
          Plot.lineY(found(2), { x: 'x', y: 'y', stroke: palette.hurting, strokeWidth: 2.25, strokeDasharray: '4 2' }),
          Plot.lineY(found(1), { x: 'x', y: 'y', stroke: palette.helping, strokeWidth: 2.25 }),
        ],
      }),
    ],
  });
} // prettier-ignore

export const tailsDrawings: readonly ThemeDrawing[] = [{ name: 'tails', theme: 'tails', data: dataOf, draw }];
