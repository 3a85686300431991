import * as Plot from '@observablehq/plot';
import type { LayerTurns, ThemeAnalyses } from '../../analysis/index.js';
import { formatNumber } from '../format.js';
import type { Canvas, Figure } from '../plots/canvas.js';
import { layerRows, selectLayers, valueColumn } from '../plots/layer-rows.js';
import { countedSteps } from './tables/oscillation.js';
import { markers, type ThemeDrawing, rowsNote, rowsShown } from './drawing.js';

const number = (value: number | null): string => (value === null ? '–' : formatNumber(value, 3));

function draw(canvas: Canvas, { oscillation, segments, iterations }: ThemeAnalyses): Figure | null {
  const weights = oscillation?.weights;
  if (!weights || weights.run.turns === 0) return null;
  const [counted, apart] = countedSteps(segments, iterations);
  const crossings = oscillation.gradients;
  const gradients = crossings && [...crossings.perLayer, crossings.run];
  const { palette } = canvas;
  const layers = weights.perLayer.map((own) => ({ ...own, layer: own.name, total: own.turns }));
  const selection = selectLayers(layers);
  const which = 'those with the most turns';
  const shown = [...selection.shown.map((i) => layers[i]!), weights.run];
  const rows = [...selection.shown, layers.length];
  const labels = [...selection.labels.slice(0, selection.shown.length), 'all'];
  const values = shown.map(({ iterationsPerTurn }) => number(iterationsPerTurn));
  return canvas.figure({
    name: 'oscillation',
    title: `${counted === 'segments' ? 'Segments' : 'Iterations'} per turn of a weight`,
    caption:
      `How many ${counted} pass between two turns of a weight's motion, all parameters of a layer pooled (bars), and in the median of those that turn (diamonds)${gradients ? '; crosses: between two zero crossings of the gradient over all examples, pooled' : ''}; the number at the right is the bar's. ` +
      `The paper gives 3.49 for MNIST-FC without momentum, 13.57 with, 12.68 with Adam, and about 7 on CIFAR, and of gradients about as much (its Table S2).${apart}${rowsNote(selection, which)}`,
    note: rowsShown(selection, which),
    legend: [
      { label: 'pooled', colour: palette.layers[0]!, kind: 'area' },
      { label: 'median of parameters', colour: palette.text, kind: 'symbol', path: markers.diamond2 },
      ...(gradients ? [{ label: 'gradient, pooled', colour: palette.text, kind: 'symbol' as const, path: 'M-4,-4L4,4M-4,4L4,-4' }] : []),
    ],
    panels: [
      canvas.panel({
        ...layerRows({ ...selection, others: [], labels }, values),
        x: { label: `${counted} per turn`, labelAnchor: 'center', labelArrow: 'none', ticks: 5, nice: true, insetRight: 10 },
        marks: [
          Plot.gridX({ ticks: 5 }),
          Plot.barX(shown.map((own, row) => ({ ...own, row })), { x: 'iterationsPerTurn', y: 'row', fill: palette.layers[0]!, fillOpacity: 0.8 }),
          Plot.dot(shown.map((own, row) => ({ x: own.medianOfParameters ?? NaN, row })), { x: 'x', y: 'row', symbol: 'diamond2', r: 6, fill: palette.background, stroke: palette.text, strokeWidth: 2 }),
          ...(gradients ? [Plot.dot(rows.map((own, row) => ({ x: gradients[own]!.iterationsPerTurn ?? NaN, row })), { x: 'x', y: 'row', symbol: 'times', r: 6, stroke: palette.text, strokeWidth: 2.5 })] : []),
          Plot.ruleX([0], { stroke: palette.text }),
          valueColumn(values),
        ],
      }),
    ],
  });
} // prettier-ignore

export const oscillationDrawings: readonly ThemeDrawing[] = [
  {
    name: 'oscillation',
    theme: 'oscillation',
    data({ oscillation }) {
      const { weights, gradients } = oscillation ?? { weights: null, gradients: null };
      if (weights === null && gradients === null) return null;
      const rowsOf = (of: string, turns: LayerTurns | null) =>
        turns === null
          ? []
          : [...turns.perLayer, turns.run].map((own) => [
              of, own.name, own.parameters, own.turns, own.iterationsPerTurn, own.ofMoving, own.meanOfParameters, own.medianOfParameters,
            ]);
      return {
        columns: ['of', 'layer', 'parameters', 'turns', 'pooled', 'of moving', 'mean', 'median'],
        rows: [...rowsOf('weight', weights), ...rowsOf('gradient', gradients)],
      };
    },
    draw,
  },
]; // prettier-ignore
