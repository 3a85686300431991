import type { Grid } from './grids.js';

/** A grid's place in pixels, and the size of its cells. */
export interface PlacedGrid {
  readonly grid: Grid;
  /** Tiles in a row. */
  readonly columns: number;
  /** Pixels on a side of a cell; below 1 several cells share a pixel, and tiles do not stand apart. */
  readonly scale: number;
  /** Pixels between tiles. */
  readonly gap: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A layer's grids side by side, below two lines of text. */
export interface PlacedLayer {
  readonly layer: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly grids: readonly PlacedGrid[];
}

/** A layer's tensors as pictures, its largest one first. */
export interface LayerGrids {
  readonly layer: string;
  readonly grids: readonly Grid[];
}

export interface Room {
  readonly width: number;
  readonly height: number;
}

/** Pixels of the two lines of text above a layer. */
export const headHeight = 36;
const leastWidth = 104;
const layerGap = 16;
const gridGap = 4;
/** Room that is left for vectors beside a picture that fills a row. */
const vectorRoom = 48;

const scales = [16, 12, 8, 6, 4, 3, 2, 1, 1 / 2, 1 / 3, 1 / 4, 1 / 6, 1 / 8, 1 / 12, 1 / 16];

const even = (pixels: number): number => 2 * Math.ceil(pixels / 2);

/** A grid at a scale with so many tiles in a row, at the origin. */
function sized(grid: Grid, scale: number, columns: number): PlacedGrid {
  const gap = scale < 1 || grid.width * grid.height === 1 ? 0 : Math.min(2, scale);
  const rows = Math.ceil(grid.tiles / columns);
  const extent = (tiles: number, cells: number): number => Math.ceil(tiles * (cells * scale + gap) - gap);
  return { grid, columns, scale, gap, x: 0, y: 0, width: extent(columns, grid.width), height: extent(rows, grid.height) };
} // prettier-ignore

/** Tiles in a row of a layer's first grid, where they are free: vectors are twice as wide as high, pictures fill the room. */
function freeColumns({ tiles, together, width, height }: Grid, scale: number, room: number): number {
  if (width * height === 1) return Math.ceil(Math.sqrt(2 * tiles));
  const gap = scale < 1 ? 0 : Math.min(2, scale);
  const fitting = Math.floor((room - vectorRoom + gap) / (width * scale + gap) / together) * together;
  return Math.min(tiles, Math.max(together, fitting));
}

/** A layer at a scale; vectors stand as columns beside the first grid, as high as that at most. */
function sizedLayer({ layer, grids }: LayerGrids, scale: number, room: number): PlacedLayer {
  const [first, ...rest] = grids as readonly [Grid, ...Grid[]];
  const main = sized(first, scale, first.columns ?? freeColumns(first, scale, room));
  const high = Math.max(1, Math.floor(main.height / Math.max(1, scale)));
  const placed = [main];
  for (const grid of rest) {
    const before = placed.at(-1)!;
    const own = sized(grid, scale, grid.columns ?? Math.ceil(grid.tiles / high));
    placed.push({ ...own, x: even(before.x + before.width + gridGap) });
  }
  const last = placed.at(-1)!;
  return {
    layer,
    x: 0,
    y: 0,
    width: Math.max(leastWidth, last.x + last.width),
    height: headHeight + Math.max(...placed.map(({ height }) => height)),
    grids: placed,
  };
}

/** Layers in rows from the left; null where there is no room for them. */
function inRows(layers: readonly PlacedLayer[], room: Room): PlacedLayer[] | null {
  let [x, y, height] = [0, 0, 0];
  const placed: PlacedLayer[] = [];
  for (const layer of layers) {
    if (x > 0 && x + layer.width > room.width) [x, y, height] = [0, even(y + height + layerGap), 0];
    if (layer.width > room.width || y + layer.height > room.height) return null;
    placed.push(moved(layer, x, y));
    x = even(x + layer.width + layerGap);
    height = Math.max(height, layer.height);
  }
  return placed;
}

const moved = (layer: PlacedLayer, x: number, y: number): PlacedLayer => ({
  ...layer,
  x,
  y,
  grids: layer.grids.map((grid) => ({ ...grid, x: grid.x + x, y: grid.y + y + headHeight })),
});

/**
 * Places all layers, cells of all equally large and as large as there is room for; then smaller layers are enlarged while all still fit.
 * Null where even the smallest cells do not fit.
 */
export function pack(layers: readonly LayerGrids[], room: Room): PlacedLayer[] | null {
  const place = (sizes: readonly number[]): PlacedLayer[] | null =>
    inRows(layers.map((layer, i) => sizedLayer(layer, sizes[i]!, room.width)), room); // prettier-ignore
  const common = scales.find((scale) => place(layers.map(() => scale)) !== null);
  if (common === undefined) return null;
  const chosen = layers.map(() => common);
  const size = (i: number): number => layers[i]!.grids.reduce((total, { tensor }) => total + tensor.size, 0);
  const order = layers.map((_, i) => i).sort((a, b) => size(a) - size(b));
  for (const i of order) {
    const better = scales.find((scale) => scale > common && scale <= 8 && place(chosen.with(i, scale)) !== null);
    chosen[i] = better ?? common;
  }
  return place(chosen);
} // prettier-ignore
