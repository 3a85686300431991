import * as Plot from '@observablehq/plot';
import type { LayerTotal, ObjectiveAnalysis, RunAnalysis } from '../../analysis/index.js';
import { iterationAxis } from './axes.js';
import { lineKey } from './canvas.js';
import type { Canvas, Figure, LegendEntry, Panel } from './canvas.js';
import { formatNumber, scaledUnit } from '../format.js';
import { type LineStyle, objectiveLabel } from '../objectives.js';
import { printable, shortNames } from '../text.js';
import { largestMagnitude, type Point, thin } from './thin.js';

/** Points of all lines of a panel together, so that sixty layers do not make a huge file. */
const pointBudget = 12_000;
/** Objectives that have a panel: more would make a figure that nobody sees as a whole. */
const panelLimit = 4;

/** Colours for the layers with the largest totals, by index; all other layers share a muted grey. */
function prominent(canvas: Canvas, layers: readonly LayerTotal[]): Map<number, LineStyle> {
  const { layers: colours } = canvas.palette;
  const order = layers.map((_, i) => i);
  order.sort((a, b) => Math.abs(layers[b]!.total) - Math.abs(layers[a]!.total) || a - b);
  const chosen = order.slice(0, colours.length).sort((a, b) => a - b);
  return new Map(
    chosen.map((index, i) => [
      index,
      {
        stroke: colours[i]!,
        strokeWidth: 1.75,
        ...(i >= Math.ceil(colours.length / 2) ? { strokeDasharray: '6 3' } : {}),
      },
    ]),
  );
}

function layerLine(
  canvas: Canvas,
  iteration: readonly number[],
  { layer, cumulative }: LayerTotal,
  style: LineStyle | undefined,
  { limit, factor }: { readonly limit: number; readonly factor: number },
): Plot.Markish {
  return Plot.lineY(thin(iteration, cumulative, limit), {
    x: 'x',
    y: ({ y }: Point) => y * factor,
    ...(style ?? { stroke: canvas.palette.zero, strokeWidth: 1 }),
    ariaDescription: printable(layer),
  });
}

/** Least and greatest value of any line, so that all panels share a scale. */
function rangeOf(objectives: readonly ObjectiveAnalysis[]): [number, number] {
  let [low, high] = [0, 0];
  for (const { layers } of objectives)
    for (const { cumulative } of layers)
      for (const value of cumulative) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return [low, high];
}

function drawLayers(
  canvas: Canvas,
  iteration: readonly number[],
  objective: ObjectiveAnalysis,
  unit: string,
  domain: [number, number],
  styles: ReadonlyMap<number, LineStyle>,
): Panel {
  const { layers } = objective;
  const scale = scaledUnit(largestMagnitude(domain), unit);
  const limit = Math.max(100, Math.min(800, Math.floor(pointBudget / layers.length)));
  const line = (layer: LayerTotal, i: number): Plot.Markish =>
    layerLine(canvas, iteration, layer, styles.get(i), { limit, factor: scale.factor });
  const lines = layers.map(line);
  return canvas.panel({
    height: 220,
    x: iterationAxis(iteration),
    y: {
      label: `${objectiveLabel(objective)}: Σ so far (${scale.unit})`,
      labelArrow: 'none',
      grid: true,
      ticks: 5,
      domain: domain.map((end) => end * scale.factor),
      nice: true,
    },
    marks: [
      Plot.ruleY([0], { stroke: canvas.palette.muted }),
      ...lines.filter((_, i) => !styles.has(i)),
      ...lines.filter((_, i) => styles.has(i)),
    ],
  });
}

const namesOf = (layers: readonly LayerTotal[], length: number): string[] =>
  shortNames(
    layers.map(({ layer }) => layer),
    length,
  );

function legendOf(
  canvas: Canvas,
  layers: readonly LayerTotal[],
  styles: ReadonlyMap<number, LineStyle>,
): LegendEntry[] {
  const others = layers.length - styles.size;
  const names = namesOf(layers, 26);
  return [
    ...[...styles].map(([i, style]) => lineKey(names[i]!, style)),
    ...(others > 0
      ? [{ label: `${others} other layers`, colour: canvas.palette.zero, kind: 'line' as const }]
      : []),
  ];
}

/** Names the panels where there are several. */
function panelsNote(shown: readonly ObjectiveAnalysis[], count: number): string {
  if (count === 1) return '';
  const names = shown.map(objectiveLabel);
  return `, for ${names.slice(0, -1).join(', ')} and ${names.at(-1)!}${count > shown.length ? ` (the first of ${count} objectives)` : ''}`;
}

function captionOf({ objectives, summary }: RunAnalysis, shown: readonly ObjectiveAnalysis[]): string {
  const { layers } = shown[0]!;
  const most = layers.reduce((a, b) => (Math.abs(b.total) > Math.abs(a.total) ? b : a));
  const name = namesOf(layers, 44)[layers.indexOf(most)]!;
  const still = largestMagnitude(rangeOf(shown)) === 0;
  const end =
    most.total === 0
      ? 'all end at 0'
      : `${name} goes furthest, to ${formatNumber(most.total, 3)} ${summary.unit}`;
  return (
    `Each layer's allocations added up so far${panelsNote(shown, objectives.length)}: falling lines help, rising lines hurt; ` +
    `${still ? 'nothing changed: all stay at 0' : end}.`
  );
}

/** Cumulative allocation of each layer over training (paper Section 5: each layer's own loss curve), one panel for each objective. */
export function layersOverTimeFigure(canvas: Canvas, analysis: RunAnalysis): Figure | null {
  const { iteration, summary } = analysis;
  const shown = analysis.objectives.slice(0, panelLimit);
  const layers = shown[0]?.layers ?? [];
  if (layers.length === 0) return null;
  const styles = prominent(canvas, layers);
  const domain = rangeOf(shown);
  return canvas.figure({
    name: 'layers-over-time',
    title: 'Layers over time',
    caption: captionOf(analysis, shown),
    legend: legendOf(canvas, layers, styles),
    panels: shown.map((objective) => drawLayers(canvas, iteration, objective, summary.unit, domain, styles)),
  });
}
