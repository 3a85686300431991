import type { Cells, Saliency, SaliencyMap, ThemeAnalyses } from '../../analysis/index.js';
import { formatShare } from '../format.js';
import { type Canvas, type Figure, figureWidth, type Panel } from '../plots/canvas.js';
import { largestMagnitude } from '../plots/thin.js';
import { shorten } from '../text.js';
import type { DataTable, ThemeDrawing } from './drawing.js';
import { drawHeatMap, label } from './heat-map.js';

const gap = 10;
const top = 20;

/** One column of pictures: its name, what it shows of a map, and whether below zero is help. */
interface Column {
  readonly name: string;
  readonly cells: (map: SaliencyMap) => Cells | null;
  readonly isHelp: boolean;
}

function columnsOf({ maps }: Saliency): Column[] {
  const byPart = maps.some(({ helpedPart }) => helpedPart !== null);
  return [
    { name: 'help', cells: ({ helped }) => helped.map((value) => -value), isHelp: true },
    ...(byPart
      ? [{ name: 'its class', cells: (map: SaliencyMap) => map.helpedPart?.map((value) => -value) ?? null, isHelp: true }]
      : []),
    { name: 'weight', cells: ({ weights }) => weights, isHelp: false },
    { name: 'change', cells: ({ change }) => change, isHelp: false },
  ];
} // prettier-ignore

const rowsOf = (cells: Cells, width: number): number[][] =>
  Array.from({ length: cells.length / width }, (_, y) => cells.slice(y * width, (y + 1) * width));

function drawMaps(canvas: Canvas, saliency: Saliency): Panel {
  const { palette } = canvas;
  const columns = columnsOf(saliency);
  const left = 96;
  const size = Math.min(100, (figureWidth - left - gap * columns.length) / columns.length);
  const height = (size * saliency.height) / saliency.width;
  const signs: readonly [string, string] = [palette.layers[2]!, palette.layers[3]!];
  const heads = columns.map(({ name }, c) => label(name, left + c * (size + gap) + size / 2, 12, { anchor: 'middle' }));
  const rows = saliency.maps.map((map, r) => {
    const y = top + r * (height + gap);
    const pictures = columns.map(({ cells, isHelp }, c) => {
      const own = cells(map);
      if (own === null) return '';
      const picture = { cells: rowsOf(own, saliency.width), largest: largestMagnitude(own), ...(isHelp ? {} : { colours: signs }) };
      return drawHeatMap(canvas, picture, { x: left + c * (size + gap), y, width: size, height });
    });
    const names = [`neuron ${map.neuron}`, ...(map.part === null ? [] : [shorten(map.part, 13), formatShare(map.share)])];
    return names.map((name, i) => label(name, 0, y + 16 + 17 * i)).join('') + pictures.join('');
  });
  return { height: top + saliency.maps.length * (height + gap), svg: heads.join('') + rows.join('') };
} // prettier-ignore

function draw(canvas: Canvas, { neurons }: ThemeAnalyses): Figure | null {
  const saliency = neurons?.saliency;
  if (!saliency || saliency.maps.length === 0) return null;
  const { palette } = canvas;
  const hasClasses = saliency.maps.some(({ part }) => part !== null);
  return canvas.figure({
    name: 'saliency',
    title: 'What neurons learn to look at',
    caption:
      `Incoming weights of four neurons of ${shorten(saliency.layer, 30)} at the pixels that they read: help over the run, final weight, and change of the weight, each on its own scale by the square root.${hasClasses ? ` Below a neuron's number stands the class that has most of its help.` : ''} ` +
      `The paper finds shapes in the help of specialised neurons that weights alone do not show (its Figure S22).`,
    legend: [
      { label: 'helped (full)', colour: palette.helping, kind: 'area' },
      { label: 'hurt (narrow)', colour: palette.hurting, kind: 'area' },
      { label: 'below zero (full)', colour: palette.layers[2]!, kind: 'area' },
      { label: 'above (narrow)', colour: palette.layers[3]!, kind: 'area' },
    ],
    panels: [drawMaps(canvas, saliency)],
  });
}

function dataOf({ neurons }: ThemeAnalyses): DataTable | null {
  const saliency = neurons?.saliency;
  if (!saliency) return null;
  return {
    columns: ['neuron', 'y', 'x', 'helped', 'helped its class', 'weight', 'change'],
    rows: saliency.maps.flatMap(({ neuron, helped, helpedPart, weights, change }) =>
      helped.map((value, i) => [
        neuron,
        Math.floor(i / saliency.width),
        i % saliency.width,
        value,
        helpedPart?.[i] ?? null,
        weights[i]!,
        change[i]!,
      ]),
    ),
  };
}

export const saliencyDrawings: readonly ThemeDrawing[] = [
  { name: 'saliency', theme: 'neurons', data: dataOf, draw },
];
