import * as Plot from '@observablehq/plot';
import type { LayerTotal, RunAnalysis } from '../../analysis/index.js';
import { iterationAxis } from './axes.js';
import type { Canvas, Figure, LegendEntry, Panel } from './canvas.js';
import { formatNumber } from '../format.js';
import { printable, shorten } from '../text.js';
import { thin } from './thin.js';

/** Points of all lines of a panel together, so that sixty layers do not make a huge file. */
const pointBudget = 12_000;

interface Style {
  readonly colour: string;
  readonly dashed: boolean;
}

/** Colours for the layers with the largest totals, by index; all other layers share a muted grey. */
function prominent(canvas: Canvas, layers: readonly LayerTotal[]): Map<number, Style> {
  const { layers: colours } = canvas.palette;
  const order = layers.map((_, i) => i);
  order.sort((a, b) => Math.abs(layers[b]!.total) - Math.abs(layers[a]!.total) || a - b);
  const chosen = order.slice(0, colours.length).sort((a, b) => a - b);
  return new Map(
    chosen.map((index, i) => [index, { colour: colours[i]!, dashed: i >= Math.ceil(colours.length / 2) }]),
  );
}

function layerLine(
  canvas: Canvas,
  iteration: readonly number[],
  { layer, cumulative }: LayerTotal,
  style: Style | undefined,
  limit: number,
): Plot.Markish {
  return Plot.lineY(thin(iteration, cumulative, limit), {
    x: 'x',
    y: 'y',
    stroke: style?.colour ?? canvas.palette.zero,
    strokeWidth: style ? 1.75 : 1,
    ...(style?.dashed ? { strokeDasharray: '6 3' } : {}),
    ariaDescription: printable(layer),
  });
}

/** Least and greatest value of any line, so that both panels share a scale. */
function rangeOf(splits: readonly (readonly LayerTotal[])[]): [number, number] {
  let [low, high] = [0, 0];
  for (const layers of splits)
    for (const { cumulative } of layers)
      for (const value of cumulative) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return [low, high];
}

function drawLayers(
  canvas: Canvas,
  iteration: readonly number[],
  split: { readonly name: string; readonly layers: readonly LayerTotal[] },
  unit: string,
  domain: [number, number],
  styles: ReadonlyMap<number, Style>,
): Panel {
  const { layers, name } = split;
  const limit = Math.max(100, Math.min(800, Math.floor(pointBudget / layers.length)));
  const line = (layer: LayerTotal, i: number): Plot.Markish =>
    layerLine(canvas, iteration, layer, styles.get(i), limit);
  const lines = layers.map(line);
  return canvas.panel({
    height: 220,
    x: iterationAxis(iteration),
    y: { label: `${name}: Σ so far (${unit})`, labelArrow: 'none', grid: true, ticks: 5, domain, nice: true },
    marks: [
      Plot.ruleY([0], { stroke: canvas.palette.muted }),
      ...lines.filter((_, i) => !styles.has(i)),
      ...lines.filter((_, i) => styles.has(i)),
    ],
  });
}

function legendOf(
  canvas: Canvas,
  layers: readonly LayerTotal[],
  styles: ReadonlyMap<number, Style>,
): LegendEntry[] {
  const others = layers.length - styles.size;
  return [
    ...[...styles].map(([i, { colour, dashed }]) => ({
      label: shorten(layers[i]!.layer, 26),
      colour,
      kind: dashed ? ('dashed' as const) : ('line' as const),
    })),
    ...(others > 0
      ? [{ label: `${others} other layers`, colour: canvas.palette.zero, kind: 'line' as const }]
      : []),
  ];
}

function captionOf(layers: readonly LayerTotal[], both: boolean, unit: string): string {
  const most = layers.reduce((a, b) => (Math.abs(b.total) > Math.abs(a.total) ? b : a));
  const panels = both ? ', on the training and on the validation set' : '';
  return (
    `Each layer's allocations added up so far${panels}: falling lines help, rising lines hurt; ` +
    `${shorten(most.layer, 40)} goes furthest, to ${formatNumber(most.total, 3)} ${unit}.`
  );
}

/** Cumulative allocation of each layer over training (paper Section 5: each layer's own loss curve). */
export function layersOverTimeFigure(canvas: Canvas, analysis: RunAnalysis): Figure | null {
  const { train, validation, iteration } = analysis;
  const { unit } = analysis.summary;
  const splits = [
    ...(train ? [{ name: 'train', layers: train.layers }] : []),
    ...(validation ? [{ name: 'validation', layers: validation.layers }] : []),
  ];
  const first = splits[0];
  if (!first || first.layers.length === 0) return null;
  const styles = prominent(canvas, first.layers);
  const domain = rangeOf(splits.map(({ layers }) => layers));
  return canvas.figure({
    name: 'layers-over-time',
    title: 'Layers over time',
    caption: captionOf(first.layers, splits.length > 1, unit),
    legend: legendOf(canvas, first.layers, styles),
    panels: splits.map((split) => drawLayers(canvas, iteration, split, unit, domain, styles)),
  });
}
