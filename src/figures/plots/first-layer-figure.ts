import type { Cells, FirstLayer, RunAnalysis } from '../../analysis/index.js';
import { formatCount, formatNumber } from '../format.js';
import { shownNote } from '../objectives.js';
import { escapeMarkup, shorten } from '../text.js';
import { type Canvas, type Figure, figureWidth, fontSize, type Panel } from './canvas.js';
import { largestMagnitude } from './thin.js';

/** Depths of a colour. */
const depths = 8;
const perRow = 4;
const gap = 12;
const captionHeight = 24;

interface Picture {
  readonly label: string;
  readonly cells: Cells;
  /** Magnitude of the deepest colour. */
  readonly largest: number;
}

interface Box {
  readonly x: number;
  readonly y: number;
  /** Pixels on the longer side. */
  readonly size: number;
}

/** Signed depth of a cell's colour, from −8 to 8; it grows with the square root of the magnitude, so that small ones are seen. */
function depthOf(value: number, largest: number): number {
  if (value === 0) return 0;
  return Math.sign(value) * Math.max(1, Math.ceil(depths * Math.sqrt(Math.abs(value) / largest)));
}

/** Outline of all cells of each depth; neighbours in a row are joined. */
function outlines({ cells, largest }: Picture, width: number): Map<number, string> {
  const paths = new Map<number, string>();
  for (let from = 0; from < cells.length;) {
    const depth = depthOf(cells[from]!, largest);
    const end = (Math.floor(from / width) + 1) * width;
    let to = from + 1;
    while (to < end && depthOf(cells[to]!, largest) === depth) to++;
    const [x, y] = [from % width, Math.floor(from / width)];
    if (depth !== 0) paths.set(depth, `${paths.get(depth) ?? ''}M${x},${y}h${to - from}v1h${from - to}z`);
    from = to;
  }
  return paths;
}

function drawPicture({ palette }: Canvas, { height, width }: FirstLayer, picture: Picture, box: Box): string {
  const scale = box.size / Math.max(height, width);
  const paths = [...outlines(picture, width)].map(([depth, path]) => {
    const fill = depth < 0 ? palette.helping : palette.hurting;
    return `<path d="${path}" fill="${fill}" fill-opacity="${Math.abs(depth) / depths}"/>`;
  });
  const frame = `<rect width="${width}" height="${height}" fill="none" stroke="${palette.zero}" stroke-width="${1 / scale}"/>`;
  return (
    `<g transform="translate(${box.x.toFixed(1)},${box.y.toFixed(1)})"><g transform="scale(${scale.toFixed(4)})" shape-rendering="crispEdges">` +
    `${frame}${paths.join('')}</g><text y="${(height * scale + 16).toFixed(1)}" font-size="${fontSize - 2}">${escapeMarkup(picture.label)}</text></g>`
  );
}

/** All neurons in one large picture, and below it the single ones that moved the loss most. */
function drawPictures(canvas: Canvas, layer: FirstLayer): Panel {
  const tall = layer.height / Math.max(layer.height, layer.width);
  const large = 200;
  const small = (figureWidth - gap * (perRow - 1)) / perRow;
  const largest = largestMagnitude(layer.neurons.flatMap(({ cells }) => cells));
  const what = layer.kind === 'pixels' ? 'neuron' : 'channel';
  const total = {
    label: `all ${what}s together`,
    cells: layer.total,
    largest: largestMagnitude(layer.total),
  };
  const top = large * tall + captionHeight + gap;
  const pictures = layer.neurons.map(({ neuron, total: sum, cells }, i) =>
    drawPicture(
      canvas,
      layer,
      { label: `#${neuron}: ${formatNumber(sum, 2)}`, cells, largest },
      {
        x: (i % perRow) * (small + gap),
        y: top + Math.floor(i / perRow) * (small * tall + captionHeight + gap),
        size: small,
      },
    ),
  );
  const rows = Math.ceil(layer.neurons.length / perRow);
  return {
    height: top + rows * (small * tall + captionHeight + gap),
    svg: drawPicture(canvas, layer, total, { x: 0, y: 4, size: large }) + pictures.join(''),
  };
}

function captionOf(layer: FirstLayer, unit: string): string {
  const { kind, tensor, channels, block, neurons } = layer;
  const name = shorten(tensor, 44);
  const what =
    kind === 'pixels'
      ? `Allocations of ${name} over the run, each weight at the pixel that it reads`
      : `Allocations of the kernels ${name} over the run, each weight at its place in the kernel`;
  const blocks =
    block > 1 ? ` A cell is the sum of ${formatCount(block)} × ${formatCount(block)} pixels.` : '';
  const below = `Below: the ${neurons.length} ${kind === 'pixels' ? 'neurons' : 'output channels'} whose weights moved the loss most, each #number with its total (${unit}), on a scale of their own.`;
  const added = channels > 1 ? ` summed over the ${channels} channels of the input;` : '';
  return `${what};${added} deeper colours are larger, by the square root.${blocks} ${below}`;
}

/** Allocations of the first layer, laid out as the image that it reads; null where the input is none. */
export function firstLayerFigure(canvas: Canvas, analysis: RunAnalysis): Figure | null {
  const layer = analysis.objectives[0]?.firstLayer;
  if (!layer || largestMagnitude(layer.total) === 0) return null;
  const { palette } = canvas;
  return canvas.figure({
    name: 'first-layer',
    title: 'The first layer, as an image',
    caption: captionOf(layer, analysis.summary.unit) + shownNote(analysis),
    legend: [
      { label: 'helped', colour: palette.helping, kind: 'area' },
      { label: 'hurt', colour: palette.hurting, kind: 'area' },
    ],
    panels: [drawPictures(canvas, layer)],
  });
}
