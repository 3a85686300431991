import { UsageError } from '../../errors.js';
import type { Numbers, ParameterLayout } from '../../ledger/types.js';
import { scaledUnit } from '../format.js';
import { palettes } from '../theme.js';
import {
  type Backdrop,
  drawBackdrop,
  headerHeight,
  lossHeight,
  lossText,
  margin,
  places,
} from './backdrop.js';
import { coloursInto, type IndexedColours, indexedColours } from './colours.js';
import { gridOf } from './grids.js';
import { drawIndexed, numberPrinter } from './image.js';
import { headHeight, pack, type PlacedLayer, type Room } from './packing.js';
import { paint, pixelMap } from './raster.js';

/** What an animation shows besides allocations. */
export interface AnimationSetting extends Omit<Backdrop, 'sumUnit'> {
  readonly layout: ParameterLayout;
  /** Shape of one example, such as [1, 28, 28]: where it is an image, the first dense layer is drawn as images. */
  readonly exampleShape: readonly number[];
  /** Largest magnitude of a layer's sum in any frame, in the loss's unit. */
  readonly largestSum: number;
}

/** One frame's numbers. */
export interface FrameValues {
  /** Allocations [K] in the loss's unit. */
  readonly values: Numbers;
  /** Their sums by layer [layers]. */
  readonly sums: Numbers;
  /** Row of θ at which the frame ends: where the cursor stands. */
  readonly row: number;
}

/** Draws frames one after the other into the same memory. */
export interface Animation {
  readonly colours: IndexedColours;
  readonly size: Room;
  /** The frame as indices of colours [height · width], to be used before the next one is drawn. */
  readonly draw: (frame: FrameValues) => Uint8Array;
}

/** Places the layers. Throws UsageError where the size is too small for them. */
function placeLayers({ layout, exampleShape, size }: AnimationSetting): PlacedLayer[] {
  const kernels = layout.tensors.findIndex(({ shape }) => shape.length > 1);
  const layers = layout.layers.map((layer) => ({
    layer,
    grids: layout.tensors
      .filter((tensor) => tensor.layer === layer)
      .sort((a, b) => b.size - a.size)
      .map((tensor) => gridOf(tensor, tensor === layout.tensors[kernels], exampleShape)),
  }));
  const room = { width: size.width - 2 * margin, height: size.height - headerHeight - lossHeight - 8 };
  const placed = room.width > 0 && room.height > 0 ? pack(layers, room) : null;
  if (placed !== null) return placed;
  throw new UsageError({
    given: `${size.width}x${size.height} pixels for ${layout.layers.length} layers with ${layout.size} parameters`,
    expected: 'room for a picture of each layer, its name and the loss',
    remedy: 'choose a larger --size, such as 1920x1080',
  });
}

const signed = (value: number, factor: number): string =>
  `${value < 0 ? '−' : '+'}${Math.abs(value * factor).toFixed(3)}`;

/**
 * Prepares the frames of one run (paper Figure 2): all parameters by layer, allocation as colour, the loss with a cursor.
 *
 * @throws UsageError where the size is too small, and where `pngProblem` names a problem.
 */
export function createAnimation(setting: AnimationSetting): Animation {
  const { size, iteration, lines, layout } = setting;
  const palette = palettes[setting.theme];
  const colours = indexedColours(palette);
  const layers = placeLayers(setting);
  const sums = scaledUnit(setting.largestSum, setting.unit);
  const stage = drawBackdrop({ ...setting, sumUnit: sums.unit }, layers);
  const base = drawIndexed(stage.svg, colours).pixels;
  const map = pixelMap(layers, { x: margin, y: headerHeight }, size.width);
  const style = { fill: palette.text, background: palette.background };
  const large = numberPrinter(colours, { size: 16, weight: 600, ...style });
  const small = numberPrinter(colours, { size: 13, weight: 400, ...style });
  const ink = colours.nearest(...rgbOf(palette.text));
  const frame = new Uint8Array(base.length);
  const own = new Uint8Array(layout.size);
  const drawCursor = (row: number): void => {
    const [first, last] = [iteration[0]!, iteration.at(-1)!];
    const share = last > first ? (iteration[row]! - first) / (last - first) : 1;
    const x = places.cursor(size, stage.lossLeft, share);
    for (let y = places.cursorFrom; y <= places.cursorTo; y++) {
      const at = (places.lossTop(size) + y) * size.width + x;
      frame.fill(ink, at - 1, at + 1);
    }
  };
  const draw = ({ values, sums: layerSums, row }: FrameValues): Uint8Array => {
    frame.set(base);
    coloursInto(own, values, setting.largest);
    paint(frame, map, own);
    large.print(frame, size.width, countText(iteration[row]!), places.iteration.x, places.iteration.y);
    large.print(frame, size.width, lossText(lines, row), places.loss.x, places.loss.y);
    layers.forEach(({ x, y }, i) => {
      const at = [margin + x, headerHeight + y + headHeight - 5] as const;
      small.print(frame, size.width, signed(layerSums[i]!, sums.factor), ...at);
    });
    drawCursor(row);
    return frame;
  };
  return { colours, size, draw };
}

const countText = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ',');

const rgbOf = (colour: string): [number, number, number] => {
  const value = Number.parseInt(colour.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
};
