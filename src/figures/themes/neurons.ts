import * as Plot from '@observablehq/plot';
import type { ClassAnalysis, KernelCorrelation, ThemeAnalyses } from '../../analysis/index.js';
import { formatNumber } from '../format.js';
import { type Canvas, type Figure, figureWidth, fontSize, type Panel } from '../plots/canvas.js';
import { layerRows, selectLayers, valueColumn } from '../plots/layer-rows.js';
import { estimateWidth, shorten, shortNames } from '../text.js';
import {
  type DataTable,
  firstShown,
  markers,
  percentAxis,
  type ThemeDrawing,
  rowsNote,
  rowsShown,
} from './drawing.js';
import { drawHeatMap, label } from './heat-map.js';

const kinds = [
  ['output', 'same output', 'circle'],
  ['input', 'same input', 'triangle'],
  ['all', 'any pair', 'square'],
] as const;

/** Value below which a share of an ascending sample lies. */
const quantile = (sample: readonly number[], share: number): number =>
  sample.length === 0 ? NaN : sample[Math.min(sample.length - 1, Math.floor(share * sample.length))]!;

function drawCorrelations(canvas: Canvas, kernels: readonly KernelCorrelation[]): Panel {
  const { palette } = canvas;
  const colours = [palette.helping, palette.hurting, palette.text];
  const labels = shortNames(kernels.map(({ tensor }) => tensor), 22);
  const rows = kernels.flatMap(({ cumulative }, k) =>
    kinds.map(([kind], i) => {
      const { mean, sample } = cumulative.find((pair) => pair.kind === kind)!;
      return { mean: mean ?? NaN, low: quantile(sample, 0.25), high: quantile(sample, 0.75), y: k * 4 + i, i, colour: colours[i]! };
    }),
  );
  return canvas.panel({
    height: 60 + kernels.length * 62,
    marginLeft: 16 + Math.max(...labels.map((name) => estimateWidth(name, fontSize))),
    marginTop: 10,
    x: { label: 'correlation of running totals over training', labelAnchor: 'center', labelArrow: 'none', domain: [-1, 1], ticks: 5 },
    y: { domain: [kernels.length * 4 - 1.5, -0.75], ticks: labels.map((_, k) => k * 4 + 1), tickFormat: (y: number) => labels[Math.floor(y / 4)]!, tickSize: 0, label: null },
    marks: [
      Plot.gridX({ ticks: 5 }),
      Plot.ruleX([0], { stroke: palette.muted }),
      Plot.ruleY(rows, { y: 'y', x1: 'low', x2: 'high', stroke: ({ colour }: { colour: string }) => colour, strokeWidth: 6, strokeOpacity: 0.3 }),
      ...kinds.map(([, , symbol], i) =>
        Plot.dot(rows.filter((row) => row.i === i), { x: 'mean', y: 'y', symbol, r: 5, fill: palette.background, stroke: colours[i]!, strokeWidth: 2 }),
      ),
    ],
  });
} // prettier-ignore

function drawCorrelationFigure(canvas: Canvas, { neurons }: ThemeAnalyses): Figure | null {
  const kernels = neurons?.kernels?.slice(0, 12) ?? [];
  const known = kernels.some(({ cumulative }) => cumulative.some(({ mean }) => mean !== null));
  if (!known) return null;
  const { palette } = canvas;
  const colours = [palette.helping, palette.hurting, palette.text];
  return canvas.figure({
    name: 'trajectory-correlation',
    title: 'Do neighbours learn together?',
    caption:
      `Correlation of the running totals of two parameters of a kernel: its mean over all pairs that share an output neuron, an input, or nothing in particular; bands hold the middle half of 1,000 pairs. ` +
      `The paper finds stronger correlations between parameters of the same output or input than between random ones (its Section S6.1, Figure S20).` +
      (neurons!.kernels!.length > kernels.length ? ` The first ${kernels.length} of ${neurons!.kernels!.length} kernels.` : ''),
    note: firstShown(kernels.length, neurons!.kernels!.length, 'kernels'),
    legend: kinds.map(([, text, marker], i) => ({ label: text, colour: colours[i]!, kind: 'symbol', path: markers[marker] })),
    panels: [drawCorrelations(canvas, kernels)],
  });
} // prettier-ignore

function drawClasses(canvas: Canvas, { neurons }: ThemeAnalyses): Figure | null {
  const classes = neurons?.classes;
  if (!classes) return null;
  const { palette } = canvas;
  const rows = classes.perLayer.map((own) => ({ ...own, total: own.neurons }));
  const selection = selectLayers(rows);
  const which = 'those with the most neurons';
  const shown = selection.shown.map((i) => rows[i]!);
  const labels = selection.labels.slice(0, shown.length);
  const values = shown.map(({ meanEffective }) => (meanEffective === null ? '–' : formatNumber(meanEffective, 3)));
  const ticks = shown.flatMap(({ largest }, row) => largest.map((share) => ({ row, x: 100 * share })));
  return canvas.figure({
    name: 'class-concentration',
    title: 'Neurons that serve few classes',
    caption:
      `Each tick is a neuron: the share of its help that goes to its best class; diamonds are means, and at the right stands on how many classes help is spent (exp of the entropy). ` +
      `The paper finds neurons of later layers the more specialised (its Section S6.2, Figure S21); those of the last layer are classes themselves.${rowsNote(selection, which)}`,
    note: rowsShown(selection, which),
    legend: [
      { label: 'neuron', colour: palette.layers[0]!, kind: 'line' },
      { label: 'mean', colour: palette.text, kind: 'symbol', path: markers.diamond2 },
    ],
    panels: [
      canvas.panel({
        ...layerRows({ ...selection, others: [], labels }, values),
        x: percentAxis("best class's share of a neuron's help (%)"),
        marks: [
          Plot.gridX({ ticks: 5 }),
          Plot.tickX(ticks, { x: 'x', y: 'row', stroke: palette.layers[0]!, strokeOpacity: 0.6 }),
          Plot.dot(shown.map(({ meanLargest }, row) => ({ row, x: 100 * (meanLargest ?? NaN) })), { x: 'x', y: 'row', symbol: 'diamond2', r: 6, fill: palette.background, stroke: palette.text, strokeWidth: 2 }),
          valueColumn(values),
        ],
      }),
    ],
  });
} // prettier-ignore

/** Classes with a row at most. */
const classLimit = 20;

function drawMatrix(canvas: Canvas, { classes, conflictMatrix }: ClassAnalysis): Panel {
  const count = Math.min(classes.length, classLimit);
  const names = shortNames(classes.slice(0, count), 10);
  const left = 92;
  // Names at a slant go beyond their column, and those of the last columns beyond the picture.
  const pitch = (figureWidth - left - 12) / count;
  const beyond = Math.max(...names.map((name, i) => 0.65 * estimateWidth(name, fontSize - 2) - (count - i - 0.6) * pitch));
  const size = figureWidth - left - Math.max(12, Math.ceil(beyond) + 6);
  const cell = size / count;
  const cells = conflictMatrix.slice(0, count).map((row) => row.slice(0, count).map((value) => -value));
  const largest = Math.max(...conflictMatrix.flat());
  const { hurting } = canvas.palette;
  const picture = { cells, largest, colours: [hurting, hurting] as const };
  const map = drawHeatMap(canvas, picture, { x: left, y: 66, width: size, height: size });
  const rows = names.map((name, i) => label(name, left - 8, 66 + (i + 0.65) * cell, { anchor: 'end' }));
  const columns = names.map((name, i) => `<g transform="translate(${(left + (i + 0.6) * cell).toFixed(1)},58) rotate(-50)">${label(name, 0, 0)}</g>`);
  return { height: 66 + size + 10, svg: map + rows.join('') + columns.join('') };
} // prettier-ignore

function drawConflicts(canvas: Canvas, { neurons, unit }: ThemeAnalyses): Figure | null {
  const classes = neurons?.classes;
  if (!classes || Math.max(0, ...classes.conflictMatrix.flat()) === 0) return null;
  const all = classes.conflictMatrix.flatMap((row, helped) => row.map((value, hurt) => ({ value, helped, hurt })));
  const most = all.reduce((a, b) => (b.value > a.value ? b : a));
  const name = (index: number): string => shorten(classes.classes[index]!, 20);
  return canvas.figure({
    name: 'conflicts',
    title: 'Classes helped at the cost of others',
    caption:
      `Rows are helped, columns hurt: neurons that helped the class of a row raised the loss of the class of a column, by the square root; most, ${name(most.helped)} at the cost of ${name(most.hurt)} ` +
      `(${formatNumber(most.value, 3)} ${unit}). The paper does not look at conflicts; its Section S6.2 looks at which classes a neuron learns.`,
    note: firstShown(Math.min(classes.classes.length, classLimit), classes.classes.length, 'classes'),
    legend: [{ label: 'hurt', colour: canvas.palette.hurting, kind: 'area' }],
    panels: [drawMatrix(canvas, classes)],
  });
} // prettier-ignore

function correlationData({ neurons }: ThemeAnalyses): DataTable | null {
  if (!neurons?.kernels?.length) return null;
  return {
    columns: ['kernel', 'curves', 'pairs', 'mean', 'quarter', 'median', 'three quarters', 'distance', 'p'],
    rows: neurons.kernels.flatMap(({ tensor, cumulative, single }) =>
      (['cumulative', 'single'] as const).flatMap((curves) =>
        ({ cumulative, single })[curves].map(({ kind, mean, sample, test }) => [
          tensor, curves, kind, mean, ...[0.25, 0.5, 0.75].map((share) => (sample.length > 0 ? quantile(sample, share) : null)), test?.distance ?? null, test?.p ?? null,
        ]),
      ),
    ),
  };
} // prettier-ignore

const classData = ({ neurons }: ThemeAnalyses): DataTable | null =>
  neurons?.classes
    ? {
        columns: ['layer', 'largest share'],
        rows: neurons.classes.perLayer.flatMap(({ layer, largest }) =>
          largest.map((share) => [layer, share]),
        ),
      }
    : null;

const conflictData = ({ neurons }: ThemeAnalyses): DataTable | null =>
  neurons?.classes
    ? {
        columns: ['helped', ...neurons.classes.classes],
        rows: neurons.classes.conflictMatrix.map((row, i) => [neurons.classes!.classes[i]!, ...row]),
      }
    : null;

export const neuronsDrawings: readonly ThemeDrawing[] = [
  { name: 'trajectory-correlation', theme: 'neurons', data: correlationData, draw: drawCorrelationFigure },
  { name: 'class-concentration', theme: 'neurons', data: classData, draw: drawClasses },
  { name: 'conflicts', theme: 'neurons', data: conflictData, draw: drawConflicts },
];
