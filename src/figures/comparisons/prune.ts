import * as Plot from '@observablehq/plot';
import { bandOpacity, type Canvas, createCanvas, type Figure, type Panel } from '../plots/canvas.js';
import type { PrunedBy, PruningAnalysis, PruningCurve, PruningMethod } from '../../analysis/use/pruning.js';
import { formatCount, formatNumber, formatShare, scaledUnit } from '../format.js';
import { largestMagnitude } from '../plots/thin.js';
import type { Theme } from '../theme.js';
import { type DataTable, percentAxis } from '../themes/drawing.js';
import type { ReadTable } from '../themes/tables/table.js';
import { seriesKeys, type SeriesStyle, seriesStyles } from './series.js';

/** What methods are called. */
const labels: Readonly<Record<PruningMethod, string>> = {
  allocation: 'allocation, hurting first',
  size: 'allocation, idle first',
  magnitude: 'magnitude',
  random: 'random',
};

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Mean, least and most of the draws at one share. */
const spreadOf = (draws: readonly (readonly number[])[], s: number) => {
  const values = draws.map((own) => own[s]!);
  return { mean: mean(values), low: Math.min(...values), high: Math.max(...values) };
};

const curveOf = ({ curves }: PrunedBy, objective: string): PruningCurve => curves.find((own) => own.objective === objective)!; // prettier-ignore

interface PanelOf {
  readonly label: string;
  readonly factor: number;
  readonly values: (curve: PruningCurve) => readonly (readonly number[])[];
  /** Limits of the axis; losses of networks without weights may leave it. */
  readonly domain?: readonly [number, number];
}

function panelOf(canvas: Canvas, analysis: PruningAnalysis, styles: readonly SeriesStyle[], { label, factor, values, domain }: PanelOf): Panel {
  const { shares, methods, judged } = analysis;
  const marks = methods.flatMap((own, m) => {
    const { symbol, filled, line } = styles[m]!;
    const draws = values(curveOf(own, judged.objective));
    const points = shares.map((share, s) => {
      const { mean: y, low, high } = spreadOf(draws, s);
      return { x: 100 * share, y: y * factor, low: low * factor, high: high * factor };
    });
    return [
      ...(draws.length > 1 ? [Plot.areaY(points, { x: 'x', y1: 'low', y2: 'high', fill: line.stroke, fillOpacity: bandOpacity })] : []),
      Plot.lineY(points, { x: 'x', y: 'y', ...line }),
      Plot.dot(points, { x: 'x', y: 'y', symbol, r: 3, stroke: line.stroke, strokeWidth: 1.25, fill: filled ? line.stroke : canvas.palette.background }),
    ];
  });
  return canvas.panel({
    height: 230,
    x: percentAxis('weights removed (%)'),
    y: { label, labelArrow: 'none', grid: true, ticks: 5, ...(domain ? { domain: domain.map((end) => end * factor), clamp: true } : {}), nice: true },
    marks,
  });
} // prettier-ignore

/** Of which weights of an unfinished run all is told; nothing of a finished one. */
const unfinishedNote = ({ segments, iterations }: PruningAnalysis): string =>
  segments === iterations
    ? ''
    : ` The run is unfinished: weights and allocations are those after ${segments} of ${iterations} segments, up to which it is measured without a gap.`;

/** Accuracy, where labels are classes, and loss over the share of weights removed. */
export function drawPruning(analysis: PruningAnalysis, theme: Theme = 'light'): Figure[] {
  const canvas = createCanvas(theme);
  const { methods, judged, unit, weights, to, scope, shares } = analysis;
  const styles = seriesStyles(methods.map(({ method }) => labels[method]), canvas.palette);
  const all = methods.flatMap((own) => curveOf(own, judged.objective).losses.flat());
  const whole = curveOf(methods[0]!, judged.objective).losses[0]![0]!;
  const most = Math.min(Math.max(...all), 8 * Math.max(whole, 1e-9) + 2);
  const scale = scaledUnit(largestMagnitude([most]), unit);
  const hasAccuracy = curveOf(methods[0]!, judged.objective).accuracies !== null;
  const random = methods.find(({ method }) => method === 'random');
  return [
    canvas.figure({
      name: 'pruning',
      title: `Removing weights: ${judged.objective}`,
      caption:
        `${hasAccuracy ? 'Share of right answers (upper panel) and loss' : 'Loss'} on ${judged.objective} when up to ${formatShare(shares.at(-1)!)} of ${formatCount(weights)} weights are set ${to === 'zero' ? 'to zero' : 'back to where they started'}, ${scope === 'all' ? 'those that come first of all layers' : 'the same share of each layer'}` +
        `${random ? `; at random: mean and range of ${curveOf(random, judged.objective).losses.length} orders` : ''}. ` +
        `The paper proposes allocation as a measure of a weight's importance for pruning, beside its final value, and leaves the test to later work (its Section 6.2).${unfinishedNote(analysis)}`,
      legend: seriesKeys(styles, 'symbol'),
      panels: [
        ...(hasAccuracy ? [panelOf(canvas, analysis, styles, { label: 'right (%)', factor: 100, values: ({ accuracies }) => accuracies! })] : []),
        panelOf(canvas, analysis, styles, { label: `loss (${scale.unit})`, factor: scale.factor, values: ({ losses }) => losses, domain: [Math.min(0, ...all), most] }),
      ],
    }),
  ];
} // prettier-ignore

/** Every number of every curve, and what single weights did by layer. */
export function pruningData({ shares, methods, evidence }: PruningAnalysis): { readonly name: string; readonly table: DataTable }[] {
  const rows = methods.flatMap(({ method, curves }) =>
    curves.flatMap(({ objective, losses, accuracies }) =>
      losses.flatMap((own, draw) => shares.map((share, s) => [method, draw, objective, share, own[s]!, accuracies?.[draw]?.[s] ?? null])),
    ),
  );
  return [
    { name: 'pruning', table: { columns: ['method', 'draw', 'objective', 'share removed', 'loss', 'accuracy'], rows } },
    {
      name: 'pruning-evidence',
      table: {
        columns: ['layer', 'weights', 'hurt', 'idle', 'hurting', 'helping'],
        rows: evidence.map((own) => [own.layer, own.weights, own.hurt, own.idle, own.hurting, own.helping]),
      },
    },
  ];
} // prettier-ignore

/** Evidence by layer, curves of the judged objective, and verdicts. */
export function pruningTables(analysis: PruningAnalysis): ReadTable[] {
  const { run, unit, objective, shares, methods, evidence, judged, verdicts } = analysis;
  const isAccuracy = judged.by === 'accuracy';
  const values = (own: PrunedBy) => {
    const curve = curveOf(own, judged.objective);
    return isAccuracy ? curve.accuracies! : curve.losses;
  };
  const format = (value: number): string => (isAccuracy ? formatShare(value) : formatNumber(value, 3));
  return [
    {
      title: `${run}: what single weights did, on ${objective}`,
      head: ['layer', 'weights', 'hurt', 'idle', `hurting (${unit})`, `helping (${unit})`],
      rows: evidence.map((own) => [
        own.layer, formatCount(own.weights), formatShare(own.hurt / own.weights), formatShare(own.idle / own.weights), formatNumber(own.hurting, 3), formatNumber(own.helping, 3),
      ]),
      note: `hurt: weights whose allocations add up to more than zero; idle: to exactly zero. These are candidates: what removing them does stands below.${unfinishedNote(analysis)}`,
    },
    {
      title: `${run}: ${isAccuracy ? 'right answers' : `loss (${unit})`} on ${judged.objective} by share removed`,
      head: ['removed', ...methods.map(({ method }) => method), 'range'],
      rows: shares.map((share, s) => {
        const random = methods.find(({ method }) => method === 'random');
        const spread = random === undefined ? null : spreadOf(values(random), s);
        return [
          formatShare(share),
          ...methods.map((own) => format(spreadOf(values(own), s).mean)),
          spread === null ? '' : `${format(spread.low)} to ${format(spread.high)}`,
        ];
      }),
      note: 'allocation: weights that raised the loss most are removed first, those that lowered it most last; size: those whose total is nearest to zero first; magnitude: the smallest weights first; random: mean and range of several orders.',
    },
    {
      title: `${run}: what may be removed`,
      head: ['method', 'removable', 'over random', '95 %', 'p'],
      rows: verdicts.map(({ method, removable, overRandom }) => [
        labels[method],
        formatShare(removable),
        overRandom === null ? '' : format(overRandom.mean),
        overRandom?.interval ? `${format(overRandom.interval[0])} to ${format(overRandom.interval[1])}` : '',
        overRandom === null || overRandom.p === null ? '' : formatNumber(overRandom.p, 2),
      ]),
      note: `removable: the largest of the shares up to which ${isAccuracy ? 'right answers stay within one percent of all examples' : 'the loss stays within 5 %'} of those with all weights. over random: ${isAccuracy ? 'right answers' : 'minus the loss'} in the mean over shares, less that of random orders (Student's test over these orders: chance of the orders, not of the training). Nothing is trained again after removing.`,
    },
  ];
} // prettier-ignore
