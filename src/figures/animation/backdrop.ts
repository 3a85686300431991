import * as Plot from '@observablehq/plot';
import { formatNumber, scaledUnit } from '../format.js';
import { iterationAxis } from '../plots/axes.js';
import { createCanvas, type Canvas } from '../plots/canvas.js';
import { largestMagnitude, thin } from '../plots/thin.js';
import { estimateWidth, escapeMarkup, shorten, shortNames } from '../text.js';
import type { Theme } from '../theme.js';
import { depths } from './colours.js';
import { headHeight, type PlacedLayer, type Room } from './packing.js';

/** The loss of an objective at each row of θ [T + 1], in the loss's unit. */
export interface LossLine {
  readonly name: string;
  readonly losses: readonly number[];
}

/** What does not change from frame to frame. */
export interface Backdrop {
  readonly size: Room;
  readonly theme: Exclude<Theme, 'page'>;
  readonly title: string;
  /** What a colour stands for, such as `running totals`. */
  readonly shown: string;
  readonly iteration: readonly number[];
  readonly lines: readonly LossLine[];
  readonly unit: string;
  /** Allocation of the deepest colours. */
  readonly largest: number;
  /** Unit of the layers' sums. */
  readonly sumUnit: string;
}

export const margin = 16;
export const headerHeight = 82;
export const lossHeight = 128;
/** Of the loss's plot, where its tick labels need no more. */
const usualLeft = 70;
const lossRight = 24;
const font = 13;
const barWidth = 260;

/** Base lines and left ends of what is printed into each frame. */
export const places = {
  iteration: { x: margin + 84, y: 56 },
  loss: { x: margin + 250, y: 56 },
  lossTop: ({ height }: Room): number => height - lossHeight,
  /** Column of the cursor at a share of the training, in a plot that begins at `left`. */
  cursor: ({ width }: Room, left: number, share: number): number => Math.round(left + share * (width - left - lossRight)),
  cursorFrom: 10,
  cursorTo: lossHeight - 34,
} as const; // prettier-ignore

const text = (content: string, x: number, y: number, rest = ''): string =>
  `<text x="${x}" y="${y}"${rest}>${escapeMarkup(content)}</text>`;

/** The scale: squares of each depth, and what zero, the quarters and the ends stand for. */
function drawScale({ palette }: Canvas, { size, largest, unit }: Backdrop): string {
  const left = size.width - margin - barWidth - 40;
  const half = barWidth / 2;
  const step = half / depths;
  const steps = Array.from({ length: 2 * depths }, (_, i) => {
    const helps = i < depths;
    const share = (helps ? depths - i : i - depths + 1) / depths;
    return `<rect x="${left + i * step}" y="12" width="${step + 0.5}" height="14" fill="${helps ? palette.helping : palette.hurting}" fill-opacity="${share}"/>`;
  });
  const scaled = scaledUnit(largest, unit);
  const label = (value: number): string => formatNumber(value * scaled.factor, 2);
  const ticks = [-1, -0.25, 0, 0.25, 1].map((value) => {
    const x = left + half + Math.sign(value) * Math.sqrt(Math.abs(value)) * half;
    return `<line x1="${x}" x2="${x}" y1="26" y2="30" stroke="${palette.text}"/>${text(`${value > 0 ? '+' : ''}${label(value * largest)}`, x, 44, ' text-anchor="middle"')}`;
  });
  return `${steps.join('')}<rect x="${left}" y="12" width="${barWidth}" height="14" fill="none" stroke="${palette.muted}"/>${ticks.join('')}${text('helped', left, 62)}${text(scaled.unit, left + half, 62, ` text-anchor="middle" fill="${palette.muted}"`)}${text('hurt', left + barWidth, 62, ' text-anchor="end"')}`;
} // prettier-ignore

/** The loss at a row, as it is printed into a frame. */
export const lossText = (lines: readonly LossLine[], row: number): string =>
  lines[0]!.losses[row]!.toFixed(4).replace('-', '−');

/** Pixels from the printed loss to its unit: what the longest text of any row takes in bold digits. */
function unitAfter({ lines }: Backdrop): number {
  const longest = lines[0]!.losses.reduce((most, _, row) => Math.max(most, lossText(lines, row).length), 0);
  return Math.max(66, 11 * longest);
}

function drawLoss(canvas: Canvas, { size, iteration, lines, unit }: Backdrop): Stage {
  const { factor, unit: scaled } = scaledUnit(largestMagnitude(lines.flatMap(({ losses }) => losses)), unit);
  const panel = canvas.panel({
    width: size.width,
    height: lossHeight,
    marginRight: lossRight,
    marginTop: places.cursorFrom,
    marginBottom: lossHeight - places.cursorTo,
    x: iterationAxis(iteration),
    y: { label: null, ticks: 4, grid: true },
    marks: lines.map(({ losses }, i) =>
      Plot.lineY(thin(iteration, losses, 800), {
        x: 'x',
        y: ({ y }: { y: number }) => y * factor,
        stroke: canvas.palette.objectives[i % 3]!,
        strokeWidth: 1.75,
        ...(i > 0 ? { strokeDasharray: '6 3' } : {}),
      }),
    ),
  });
  const lossLeft = Math.max(usualLeft, panel.left!.margin);
  const plot = panel.left!.redrawn(lossLeft);
  let x = size.width - lossRight;
  const keys = lines.toReversed().map(({ name }, back) => {
    const i = lines.length - 1 - back;
    const label = `${shorten(name, 20)} loss (${scaled})`;
    const width = estimateWidth(label, font) + 12;
    x -= width + 30;
    // A loss that ends high runs behind its own key.
    const ground = `<rect x="${x - 4}" y="11" width="${width + 32}" height="18" fill="${canvas.palette.background}" fill-opacity="0.85"/>`;
    return `${ground}<line x1="${x}" x2="${x + 24}" y1="20" y2="20" stroke="${canvas.palette.objectives[i % 3]!}" stroke-width="2.5"${i > 0 ? ' stroke-dasharray="6 3"' : ''}/>${text(label, x + 30, 24)}`;
  });
  return { svg: `<g transform="translate(0,${places.lossTop(size)})">${plot}${keys.join('')}</g>`, lossLeft };
}

/** A layer's name, and a thin frame round each of its pictures. */
function drawLayer({ palette }: Canvas, layer: PlacedLayer, name: string): string {
  const frames = layer.grids.map(
    ({ x, y, width, height }) =>
      `<rect x="${margin + x - 0.5}" y="${headerHeight + y - 0.5}" width="${width + 1}" height="${height + 1}" fill="none" stroke="${palette.zero}"/>`,
  );
  return `${text(name, margin + layer.x, headerHeight + layer.y + headHeight - 22, ' font-weight="600"')}${frames.join('')}`;
}

/** Names with their shapes where there is room for both. */
function labelsOf(layers: readonly PlacedLayer[]): string[] {
  const names = shortNames(layers.map(({ layer }) => layer), 13); // prettier-ignore
  return layers.map(({ grids, width }, i) => {
    const long = `${names[i]!}  ${grids[0]!.grid.tensor.shape.join('×')}`;
    return estimateWidth(long, font) * 1.05 <= width ? long : names[i]!;
  });
}

/** What stands behind the frames, and the column at which the loss's plot begins. */
export interface Stage {
  readonly svg: string;
  readonly lossLeft: number;
}

/** Everything that stays, as one SVG element. */
export function drawBackdrop(backdrop: Backdrop, layers: readonly PlacedLayer[]): Stage {
  const canvas = createCanvas(backdrop.theme);
  const { palette } = canvas;
  const { width, height } = backdrop.size;
  const names = labelsOf(layers);
  const room = Math.floor((width - barWidth - 100) / (16 * 0.62));
  const loss = drawLoss(canvas, backdrop);
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="'DejaVu Sans', sans-serif" font-size="${font}" fill="${palette.text}" color="${palette.text}">`,
    `<rect width="${width}" height="${height}" fill="${palette.background}"/>`,
    text(shorten(backdrop.title, room), margin, 24, ' font-size="16" font-weight="600"'),
    text('iteration', margin, places.iteration.y),
    text('loss', places.loss.x - 36, places.loss.y),
    text(backdrop.unit, places.loss.x + unitAfter(backdrop), places.loss.y),
    text(`${backdrop.shown}; below each layer's name its sum in ${backdrop.sumUnit}`, margin, 72, ` font-size="12" fill="${palette.muted}"`),
    drawScale(canvas, backdrop),
    ...layers.map((layer, i) => drawLayer(canvas, layer, names[i]!)),
    loss.svg,
    '</svg>',
  ].join(''); // prettier-ignore
  return { ...loss, svg };
}
