import * as Plot from '@observablehq/plot';
import type { NeuronMaps, ParameterPath, ThemeAnalyses } from '../../analysis/index.js';
import { formatCount, formatNumber, scaledUnit } from '../format.js';
import { iterationAxis, wholeTicks } from '../plots/axes.js';
import { type Canvas, type Figure, figureWidth, lineKey, type Panel } from '../plots/canvas.js';
import { largestMagnitude, thin } from '../plots/thin.js';
import { shorten, shortNames } from '../text.js';
import { type DataTable, firstShown, type ThemeDrawing } from './drawing.js';
import { drawHeatMap, heatLegend, label } from './heat-map.js';

function drawLoss(canvas: Canvas, { trajectories, unit }: ThemeAnalyses): Figure | null {
  const firstOrder = trajectories?.loss.firstOrder;
  if (!trajectories || !firstOrder) return null;
  const { palette } = canvas;
  const { iteration } = trajectories;
  const loss = { ...trajectories.loss, firstOrder };
  const styles = {
    measured: { stroke: palette.zero, strokeWidth: 6 },
    converged: { stroke: palette.text, strokeWidth: 1.75 },
    firstOrder: { stroke: palette.bad, strokeWidth: 1.75, strokeDasharray: '6 3' },
  };
  const names = { measured: 'measured loss', converged: 'first loss + allocations', firstOrder: 'the same, first order' };
  const keys = ['measured', 'converged', 'firstOrder'] as const;
  const change = (path: readonly number[]): number => path.at(-1)! - path[0]!;
  const [happened, claimed] = [change(loss.measured), change(loss.firstOrder)];
  const claim =
    happened === 0
      ? `The first order claims a change of ${formatNumber(claimed, 3)} ${unit} where nothing changed`
      : `The first order claims ${formatNumber(claimed / happened, 3)} times the change that happened`;
  return canvas.figure({
    name: 'first-order',
    title: 'First order against converged',
    caption:
      `The loss as measured, and as allocations add up to, of the run's quadrature rule and of the first order (gradient at the start of each step times the step). ` +
      `${claim}; the paper finds errors of −75 % to −4,250 % (its Table S1), which is why steps are integrated.`,
    legend: keys.map((key) => lineKey(names[key], styles[key])),
    panels: [
      canvas.panel({
        height: 240,
        x: iterationAxis(iteration),
        y: { label: `loss (${unit})`, labelArrow: 'none', grid: true, ticks: 5, nice: true },
        marks: keys.map((key) => Plot.lineY(thin(iteration, loss[key], 400), { x: 'x', y: 'y', ...styles[key], ariaDescription: names[key] })),
      }),
    ],
  });
} // prettier-ignore

const mapLimit = 6;
const left = 62;

/** Magnitude of the deepest colour: only one cell in twenty is larger, so that the first steps do not pale all others. */
function deepest(cells: readonly (readonly number[])[]): number {
  const sizes = cells.flat().map(Math.abs).sort((a, b) => a - b);
  return sizes[Math.floor(0.95 * sizes.length)] || sizes.at(-1)!;
} // prettier-ignore

/** One layer's neurons as rows, in a frame whose height follows their number. */
function drawMap(canvas: Canvas, { layers, edges }: NeuronMaps): Panel {
  let y = 4;
  const width = figureWidth - left - 8;
  const pieces = layers.slice(0, mapLimit).map(({ layer, neurons, of, cells }) => {
    const height = Math.max(28, Math.min(150, neurons.length * 3));
    const top = y + 16;
    y = top + height + 10;
    const count = neurons.length < of ? `${neurons.length} of ${of} neurons` : `${of} ${of === 1 ? 'neuron' : 'neurons'}`;
    return (
      label(`${shorten(layer, 30)}, ${count}`, left, top - 5) +
      label(String(neurons[0]!), left - 6, top + 9, { anchor: 'end' }) +
      label(String(neurons.at(-1)!), left - 6, top + height, { anchor: 'end' }) +
      drawHeatMap(canvas, { cells, largest: deepest(cells) }, { x: left, y: top, width, height })
    );
  });
  // Stretches are equally wide, however many iterations lie between the rows of θ that bound them.
  const stretches = edges.length - 1;
  const ticks = wholeTicks(0, stretches).map((at) => {
    const share = at / stretches;
    return label(formatCount(edges[at]!), left + share * width, y + 8, { anchor: share === 1 ? 'end' : share === 0 ? 'start' : 'middle' });
  });
  return { height: y + 34, svg: pieces.join('') + ticks.join('') + label('training iteration', left + width / 2, y + 26, { anchor: 'middle' }) };
} // prettier-ignore

function drawNeurons(canvas: Canvas, { trajectories }: ThemeAnalyses): Figure | null {
  const maps = trajectories?.neurons;
  if (!maps || maps.layers.length === 0) return null;
  const more = maps.layers.length > mapLimit ? ` The first ${mapLimit} of ${maps.layers.length} layers.` : '';
  return canvas.figure({
    name: 'neurons-over-time',
    title: 'Neurons over time',
    caption:
      `Rows are neurons (numbered from 0), columns stretches of training: deeper colours moved the loss more, by the square root and on a scale of each layer's own, which the largest twentieth exceeds. ` +
      `The paper shows such maps to see bursts that neurons of a layer share (its Section S2).${more}`,
    note: firstShown(Math.min(maps.layers.length, mapLimit), maps.layers.length, 'layers'),
    legend: heatLegend(canvas),
    panels: [drawMap(canvas, maps)],
  });
}

const nameOf = ({ tensor, index }: ParameterPath): string => `${tensor!}[${index.join(', ')}]`;

function pathPanel(
  canvas: Canvas,
  paths: readonly { readonly values: readonly number[]; readonly style: { readonly stroke: string } }[],
  iteration: readonly number[],
  text: string,
): Panel {
  return canvas.panel({
    height: 180,
    x: iterationAxis(iteration),
    y: { label: text, labelArrow: 'none', grid: true, ticks: 5, nice: true },
    marks: [
      Plot.ruleY([0], { stroke: canvas.palette.muted }),
      ...paths.map(({ values, style }) =>
        Plot.lineY(thin(iteration, values, 300), { x: 'x', y: 'y', ...style }),
      ),
    ],
  });
}

function drawParameters(canvas: Canvas, { trajectories, unit }: ThemeAnalyses): Figure | null {
  const parameters = trajectories?.parameters;
  if (!parameters) return null;
  const { palette } = canvas;
  const dashes = ['', '6 3', '2 3'];
  const styled = (own: readonly ParameterPath[], stroke: string) =>
    own.map((path, i) => ({ path, style: { stroke, strokeWidth: 1.75, ...(i > 0 ? { strokeDasharray: dashes[i]! } : {}) } }));
  const all = [...styled(parameters.helped, palette.helping), ...styled(parameters.hurt, palette.hurting)];
  if (all.length === 0) return null;
  const { iteration } = trajectories;
  const scale = scaledUnit(largestMagnitude(all.flatMap(({ path }) => path.cumulative)), unit);
  const totals = all.map(({ path, style }) => ({ style, values: path.cumulative.map((value) => value * scale.factor) }));
  const weights = all.flatMap(({ path, style }) => (path.weight === null ? [] : [{ style, values: path.weight }]));
  const names = shortNames(
    all.map(({ path }) => nameOf(path)),
    26,
  );
  return canvas.figure({
    name: 'parameters-over-time',
    title: 'Single parameters over time',
    caption:
      `Running totals of the parameters that lowered the loss most and raised it most, and their weights below: falling totals help. ` +
      `The paper shows that many such weights swing to and fro around a valley's floor (its Figures S2 and S8).`,
    legend: all.map(({ style }, i) => lineKey(names[i]!, style)),
    panels: [
      pathPanel(canvas, totals, iteration, `Σ so far (${scale.unit})`),
      ...(weights.length > 0 ? [pathPanel(canvas, weights, iteration, 'weight')] : []),
    ],
  });
} // prettier-ignore

const lossData = ({ trajectories }: ThemeAnalyses): DataTable | null =>
  trajectories
    ? {
        columns: ['iteration', 'measured', 'converged', 'first order'],
        rows: trajectories.iteration.map((t, i) => {
          const { measured, converged, firstOrder } = trajectories.loss;
          return [t, measured[i]!, converged[i]!, firstOrder?.[i] ?? null];
        }),
      }
    : null;

function neuronData({ trajectories }: ThemeAnalyses): DataTable | null {
  const maps = trajectories?.neurons;
  if (!maps) return null;
  return {
    columns: ['layer', 'neuron', ...maps.edges.slice(0, -1).map((edge) => `from ${edge}`)],
    rows: maps.layers.flatMap(({ layer, neurons, cells }) => neurons.map((neuron, i) => [layer, neuron, ...cells[i]!])),
  };
} // prettier-ignore

function parameterData({ trajectories }: ThemeAnalyses): DataTable | null {
  const parameters = trajectories?.parameters;
  if (!parameters) return null;
  const all = [...parameters.helped, ...parameters.hurt];
  return {
    columns: ['iteration', ...all.flatMap((path) => [`${nameOf(path)} total`, `${nameOf(path)} weight`])],
    rows: trajectories.iteration.map((t, i) => [t, ...all.flatMap(({ cumulative, weight }) => [cumulative[i]!, weight?.[i] ?? null])]),
  };
} // prettier-ignore

export const trajectoriesDrawings: readonly ThemeDrawing[] = [
  { name: 'first-order', theme: 'trajectories', data: lossData, draw: drawLoss },
  { name: 'neurons-over-time', theme: 'trajectories', data: neuronData, draw: drawNeurons },
  { name: 'parameters-over-time', theme: 'trajectories', data: parameterData, draw: drawParameters },
];
