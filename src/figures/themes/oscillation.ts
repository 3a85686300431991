import * as Plot from '@observablehq/plot';
import type { ThemeAnalyses } from '../../analysis/index.js';
import { formatNumber } from '../format.js';
import type { Canvas, Figure } from '../plots/canvas.js';
import { layerRows, othersNote, selectLayers, valueColumn } from '../plots/layer-rows.js';
import { markers, type ThemeDrawing } from './drawing.js';

const number = (value: number | null): string => (value === null ? '–' : formatNumber(value, 3));

function draw(canvas: Canvas, { oscillation }: ThemeAnalyses): Figure | null {
  if (!oscillation || oscillation.run.turns === 0) return null;
  const { palette } = canvas;
  const layers = oscillation.perLayer.map((own) => ({ ...own, layer: own.name, total: own.turns }));
  const selection = selectLayers(layers);
  const shown = [...selection.shown.map((i) => layers[i]!), oscillation.run];
  const labels = [...selection.labels.slice(0, selection.shown.length), 'all'];
  const values = shown.map(({ iterationsPerTurn }) => number(iterationsPerTurn));
  return canvas.figure({
    name: 'oscillation',
    title: 'Iterations per turn of a weight',
    caption:
      `How many iterations pass between two turns of a weight's motion, all parameters of a layer pooled (bars), and in the median of those that turn (diamonds); the number at the right is the bar's. ` +
      `The paper gives 3.49 for MNIST-FC without momentum, 13.57 with, 12.68 with Adam, and about 7 on CIFAR (its Table S2).${othersNote({ ...selection, others: [] })}`,
    legend: [
      { label: 'pooled', colour: palette.layers[0]!, kind: 'area' },
      { label: 'median of parameters', colour: palette.text, kind: 'symbol', path: markers.diamond2 },
    ],
    panels: [
      canvas.panel({
        ...layerRows({ ...selection, others: [], labels }, values),
        x: { label: 'iterations per turn', labelAnchor: 'center', labelArrow: 'none', ticks: 5, nice: true },
        marks: [
          Plot.gridX({ ticks: 5 }),
          Plot.barX(shown.map((own, row) => ({ ...own, row })), { x: 'iterationsPerTurn', y: 'row', fill: palette.layers[0]!, fillOpacity: 0.8 }),
          Plot.dot(shown.map((own, row) => ({ x: own.medianOfParameters ?? NaN, row })), { x: 'x', y: 'row', symbol: 'diamond2', r: 6, fill: palette.background, stroke: palette.text, strokeWidth: 2 }),
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
    data: ({ oscillation }) =>
      oscillation
        ? {
            columns: ['layer', 'parameters', 'turns', 'pooled', 'of moving', 'mean', 'median'],
            rows: [...oscillation.perLayer, oscillation.run].map((own) => [
              own.name, own.parameters, own.turns, own.iterationsPerTurn, own.ofMoving, own.meanOfParameters, own.medianOfParameters,
            ]),
          }
        : null,
    draw,
  },
]; // prettier-ignore
