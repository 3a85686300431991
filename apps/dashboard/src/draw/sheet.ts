import type { ParameterLayout, TensorSpan } from 'lossledger/ledger';

/**
 * Values of one tensor (or of a layer's neurons) as a grid of tiles: value k stands in tile `floor(k / (h · w))`, row-major inside it; tiles
 * fill rows of `columns`, `gap` cells apart.
 */
export interface Tiling {
  readonly label: string;
  readonly layer: number;
  /** Place of its first value. */
  readonly offset: number;
  readonly count: number;
  readonly tile: readonly [height: number, width: number];
  readonly columns: number;
  readonly gap: number;
}

/** A tiling with its place on the sheet, in pixels at zoom 1. */
export interface Placed extends Tiling {
  readonly x: number;
  readonly y: number;
  /** Size of a cell. */
  readonly cell: number;
  /** Cells in all, gaps included. */
  readonly extent: readonly [columns: number, rows: number];
}

/** Shape of one example as stored, [channels, height, width]; empty: not stated. */
type ExampleShape = readonly number[];

function extentOf({ tile, columns, gap, count }: Tiling): [columns: number, rows: number] {
  const tiles = Math.ceil(count / (tile[0] * tile[1]));
  const rows = Math.ceil(tiles / columns);
  return [columns * (tile[1] + gap) - gap, rows * (tile[0] + gap) - gap];
}

/** How a tensor's weights are shown: kernels as tiles, a first dense layer as images of its inputs, matrices as they are. */
function tilingOf(tensor: TensorSpan, layer: number, example: ExampleShape): Tiling {
  const { name, shape, offset, size } = tensor;
  const base = { label: name, layer, offset, count: size };
  if (shape.length >= 4) {
    const [, inputs, ...kernel] = shape as [number, number, ...number[]];
    const width = kernel.at(-1)!;
    return {
      ...base,
      tile: [kernel.reduce((a, b) => a * b, 1) / width, width],
      columns: inputs,
      gap: kernel.some((n) => n > 1) ? 1 : 0,
    };
  }
  if (shape.length < 2) return { ...base, tile: [1, 1], columns: 1, gap: 0 };
  const inputs = size / shape[0]!;
  const [height, width] = example.slice(-2);
  if (
    height !== undefined &&
    width !== undefined &&
    height > 1 &&
    inputs % (height * width) === 0 &&
    inputs <= 4 * height * width
  ) {
    const per = inputs / (height * width);
    return {
      ...base,
      tile: [height, width],
      columns: per * Math.max(1, Math.round(Math.sqrt((shape[0]! * 1.6) / per))),
      gap: 1,
    };
  }
  return { ...base, tile: [shape[0]!, inputs], columns: 1, gap: 0 };
}

/** All tensors of a network. */
export function tensorTilings({ tensors, layers }: ParameterLayout, example: ExampleShape): Tiling[] {
  const largest = tensors.find(({ shape }) => shape.length >= 2);
  return tensors.map((tensor) =>
    tilingOf(tensor, layers.indexOf(tensor.layer), tensor === largest ? example : []),
  );
}

/** The neurons of each layer, where no parameters were kept. */
export function neuronTilings({ layers, neurons }: ParameterLayout): Tiling[] {
  let next = 0;
  return layers.flatMap((label, layer) => {
    const count = neurons[layer]!;
    const offset = (next += count) - count;
    return count === 0
      ? []
      : [
          {
            label,
            layer,
            offset,
            count,
            tile: [1, 1] as const,
            columns: Math.ceil(Math.sqrt(count * 1.6)),
            gap: 0,
          },
        ];
  });
}

/** One cell a layer, where nothing finer was kept. */
export function layerTilings({ layers }: ParameterLayout): Tiling[] {
  return layers.map((label, layer) => ({
    label,
    layer,
    offset: layer,
    count: 1,
    tile: [1, 1],
    columns: 1,
    gap: 0,
  }));
}

/** Room above a block for its name, and between blocks, in pixels. */
const [titleRoom, sideRoom] = [20, 16];

interface Block {
  readonly main: Tiling;
  readonly others: readonly Tiling[];
}

/** Tilings by layer: the largest, and beside it the others as columns of its height. */
function blocksOf(tilings: readonly Tiling[]): Block[] {
  const byLayer = new Map<number, Tiling[]>();
  for (const tiling of tilings) byLayer.set(tiling.layer, [...(byLayer.get(tiling.layer) ?? []), tiling]);
  return [...byLayer.values()].map((own) => {
    const largest = own.reduce((best, tiling) => (tiling.count > best.count ? tiling : best));
    // A vector that has a block to itself is folded: as a column it would be higher than all matrices.
    const isVector = largest.tile[0] * largest.tile[1] === 1 && largest.columns === 1;
    const main = isVector ? { ...largest, columns: Math.ceil(Math.sqrt(largest.count)) } : largest;
    const height = extentOf(main)[1];
    const others = own
      .filter((tiling) => tiling !== largest)
      .map((tiling) =>
        tiling.tile[0] * tiling.tile[1] === 1
          ? { ...tiling, columns: Math.ceil(tiling.count / height) }
          : tiling,
      );
    return { main, others };
  });
}

/** Small layers get larger cells: the side of a block grows as the root of its matrix's. */
function cellOf({ main }: Block): number {
  const [columns, rows] = extentOf(main);
  return (columns * rows) ** -0.25;
}

/** Lays blocks in rows; the largest scale that fits into width × height. */
export function layOut(tilings: readonly Tiling[], width: number, height: number): Placed[] {
  const blocks = blocksOf(tilings);
  let [low, high] = [0, 4096];
  for (let step = 0; step < 40; step++) {
    const scale = Math.sqrt(Math.max(low, 1e-3) * high);
    if (packed(blocks, scale, width).bottom <= height) low = scale;
    else high = scale;
  }
  return packed(blocks, Math.max(low, 1e-3), width).placed;
}

/** Rows of columns: a block goes below the one before where the row is high enough, else beside it, else into a new row. */
function packed(
  blocks: readonly Block[],
  scale: number,
  width: number,
): { placed: Placed[]; bottom: number } {
  const placed: Placed[] = [];
  let [left, top, next, row, tallest, widest] = [sideRoom / 2, titleRoom, sideRoom / 2, titleRoom, 0, 0];
  for (const block of blocks) {
    const cell = cellOf(block) * scale;
    const own = [block.main, ...block.others].map((tiling) => ({ tiling, extent: extentOf(tiling) }));
    const across = own.reduce((total, { extent }) => total + extent[0] * cell + 4, 0);
    const down = Math.max(...own.map(({ extent }) => extent[1] * cell));
    const fitsBelow = top > row && top + down <= row + tallest && left + across <= width;
    if (!fitsBelow) {
      [left, top] = [next, row];
      if (left > sideRoom && left + across > width)
        [left, top, row, tallest] = [
          sideRoom / 2,
          row + tallest + titleRoom + 4,
          row + tallest + titleRoom + 4,
          0,
        ];
    }
    let x = left;
    for (const { tiling, extent } of own) {
      placed.push({ ...tiling, x, y: top, cell, extent });
      x += extent[0] * cell + 4;
    }
    next = fitsBelow ? Math.max(next, x + sideRoom) : x + sideRoom;
    tallest = Math.max(tallest, top + down - row);
    widest = Math.max(widest, x);
    top += down + titleRoom;
  }
  return { placed, bottom: widest > width ? Infinity : row + tallest + 6 };
}

/** Which value stands at a place of the sheet; null where there is none. */
export function valueAt(
  placed: readonly Placed[],
  x: number,
  y: number,
): { tiling: Placed; index: number } | null {
  for (const tiling of placed) {
    const { tile, columns, gap, cell, count, offset } = tiling;
    const [column, row] = [(x - tiling.x) / cell, (y - tiling.y) / cell];
    const [across, down] = [Math.floor(column / (tile[1] + gap)), Math.floor(row / (tile[0] + gap))];
    const [left, top] = [
      Math.floor(column - across * (tile[1] + gap)),
      Math.floor(row - down * (tile[0] + gap)),
    ];
    if (column < 0 || row < 0 || across >= columns || left >= tile[1] || top >= tile[0]) continue;
    const k = ((down * columns + across) * tile[0] + top) * tile[1] + left;
    if (k < count) return { tiling, index: offset + k };
  }
  return null;
}

/** Where a value stands: the corner of its cell on the sheet; null where it is not there. */
export function placeOf(
  placed: readonly Placed[],
  index: number,
): { x: number; y: number; cell: number } | null {
  const own = placed.find(({ offset, count }) => index >= offset && index < offset + count);
  if (!own) return null;
  const { tile, columns, gap, cell } = own;
  const k = index - own.offset;
  const number = Math.floor(k / (tile[0] * tile[1]));
  const inside = k % (tile[0] * tile[1]);
  const column = (number % columns) * (tile[1] + gap) + (inside % tile[1]);
  const row = Math.floor(number / columns) * (tile[0] + gap) + Math.floor(inside / tile[1]);
  return { x: own.x + column * cell, y: own.y + row * cell, cell };
}
