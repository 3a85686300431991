import * as Plot from '@observablehq/plot';
import type { ObjectiveCompared, RunsCompared } from '../../analysis/comparison/compare.js';
import type { Comparability } from '../../analysis/comparison/comparable.js';
import { differencesIn, notesInWords, obstaclesInWords } from '../../analysis/comparison/verdicts.js';
import { formatCount, formatNumber, formatShare, scaledUnit } from '../format.js';
import { iterationAxis } from '../plots/axes.js';
import { type Canvas, createCanvas, type Figure } from '../plots/canvas.js';
import { largestMagnitude, thin } from '../plots/thin.js';
import type { Theme } from '../theme.js';
import type { DataTable } from '../themes/drawing.js';
import type { ReadTable } from '../themes/tables/table.js';
import { layerDotsFigure } from './layer-dots.js';
import { seriesKeys, seriesNote, seriesStyles } from './series.js';

const pointsPerLine = 600;

/** Losses of runs, and how far each is from the first. */
function lossFigure(canvas: Canvas, { runs, steps, unit }: RunsCompared, own: ObjectiveCompared): Figure {
  const styles = seriesStyles(runs, canvas.palette);
  const drawn = own.losses.slice(0, styles.length);
  const gaps = drawn.map((losses) => losses.map((loss, s) => loss - own.losses[0]![s]!));
  const scales = [drawn, gaps].map((curves) => scaledUnit(largestMagnitude(curves.flat()), unit));
  const lines = (curves: readonly (readonly number[])[], panel: number) =>
    curves.map((values, i) => Plot.lineY(thin(steps, values.map((value) => value * scales[panel]!.factor), pointsPerLine), { x: 'x', y: 'y', ...styles[i]!.line }));
  const last = (r: number): string => formatNumber(own.losses[r]!.at(-1)!);
  return canvas.figure({
    name: `compare-loss-${own.name}`,
    title: `${own.name} loss of ${runs.length} runs`,
    caption:
      `The ${own.name} loss of each run at the iterations that all have, and below how far it is from that of ${runs[0]!} (below zero: lower). ` +
      `They end at ${drawn.map((_, r) => last(r)).join(', ')} ${unit}.${seriesNote(runs.length)}`,
    legend: seriesKeys(styles, 'line'),
    panels: [
      canvas.panel({
        height: 220,
        x: iterationAxis(steps),
        y: { label: `loss (${scales[0]!.unit})`, labelArrow: 'none', grid: true, ticks: 5, nice: true },
        marks: lines(drawn, 0),
      }),
      canvas.panel({
        height: 160,
        x: iterationAxis(steps),
        y: { label: `difference (${scales[1]!.unit})`, labelArrow: 'none', grid: true, ticks: 3, nice: true },
        marks: [Plot.ruleY([0], { stroke: canvas.palette.muted }), ...lines(gaps, 1)],
      }),
    ],
  });
} // prettier-ignore

function layersFigure(canvas: Canvas, { runs, steps, unit }: RunsCompared, own: ObjectiveCompared): Figure[] {
  if (own.layers === null) return [];
  const { layers } = own;
  return [
    layerDotsFigure(canvas, {
      name: `compare-layers-${own.name}`,
      title: `Layers of ${runs.length} runs on ${own.name}`,
      caption: `What each layer did to the ${own.name} loss from iteration ${steps[0]!} to ${steps.at(-1)!}: symbols to the left of zero helped. Single runs say nothing about chance; lca sweep runs several seeds.`,
      unit,
      layers: layers.map(({ layer }) => layer),
      series: runs.map((label, r) => ({
        label,
        values: layers.map(({ totals }) => ({ mean: totals[r]!, interval: null })),
      })),
    }),
  ];
}

/** Figures of compared runs: losses of each objective, and layers of the first. */
export function drawComparison(compared: RunsCompared, theme: Theme = 'light'): Figure[] {
  const canvas = createCanvas(theme);
  return compared.objectives.flatMap((own, index) => [
    lossFigure(canvas, compared, own),
    ...(index === 0 ? layersFigure(canvas, compared, own) : []),
  ]);
}

/** The numbers of these figures, and of all layers. */
export function comparisonData({ runs, steps, objectives }: RunsCompared): { readonly name: string; readonly table: DataTable }[] {
  return objectives.flatMap(({ name, losses, layers }) => [
    {
      name: `compare-loss-${name}`,
      table: { columns: ['iteration', ...runs], rows: steps.map((step, s) => [step, ...losses.map((own) => own[s]!)]) },
    },
    ...(layers === null
      ? []
      : [{
          name: `compare-layers-${name}`,
          table: { columns: ['layer', ...runs], rows: layers.map(({ layer, totals }) => [layer, ...totals]) },
        }]),
  ]);
} // prettier-ignore

/** In what the definitions of runs differ, and what follows from it. */
export function comparabilityTable(runs: readonly string[], comparability: Comparability): ReadTable {
  const compared = comparability.objectives.filter(({ obstacles }) => obstacles.length === 0);
  const verdicts = [
    ...obstaclesInWords(comparability),
    ...(compared.length > 0 ? [`Compared: ${compared.map(({ name }) => name).join(', ')}.`] : []),
    ...notesInWords(comparability),
  ];
  return {
    title: `In what ${runs.length} runs differ`,
    head: ['what', 'bears on', 'values'],
    isText: true,
    rows: differencesIn(comparability).map(({ about, bearsOn, values }) => [about, bearsOn, values.join(' | ')]),
    note: verdicts.join(' '),
  };
} // prettier-ignore

/** Runs side by side, for each objective. */
export function comparisonTables({ runs, steps, objectives, unit }: RunsCompared): ReadTable[] {
  return objectives.map(({ name, losses, layers, helping, parting }) => ({
    title: `${name}: iterations ${steps[0]!} to ${steps.at(-1)!}, ${formatCount(steps.length)} rows in all runs`,
    head: ['', ...runs],
    rows: [
      [`loss at ${steps[0]!}`, ...losses.map((own) => formatNumber(own[0]!))],
      [`loss at ${steps.at(-1)!}`, ...losses.map((own) => formatNumber(own.at(-1)!))],
      ['less the first', ...losses.map((own) => formatNumber(own.at(-1)! - losses[0]!.at(-1)!))],
      ['share helping', ...helping.map(formatShare)],
      ['parts at iteration', ...parting.map((step) => (step === null ? '–' : String(step)))],
      ...(layers ?? []).map(({ layer, totals }) => [layer, ...totals.map((total) => formatNumber(total))]),
    ],
    note: `Losses and totals of layers in ${unit}, the latter over these iterations; below zero helped. Share helping: of the entries that are not exactly zero.`,
  }));
}
