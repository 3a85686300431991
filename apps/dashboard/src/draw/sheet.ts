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
  /** Tiles that belong together, such as a neuron's kernels: where rows are folded, they hold a multiple of these, or a part. */
  readonly group: number;
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

/** Cells in all of a tiling, gaps included. */
export function extentOf({ tile, columns, gap, count }: Tiling): [columns: number, rows: number] {
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
      group: inputs,
      gap: kernel.some((n) => n > 1) ? 1 : 0,
    };
  }
  if (shape.length < 2) return { ...base, tile: [1, 1], columns: 1, group: 1, gap: 0 };
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
      group: per,
      gap: 1,
    };
  }
  return { ...base, tile: [shape[0]!, inputs], columns: 1, group: 1, gap: 0 };
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
            group: 1,
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
    group: 1,
    gap: 0,
  }));
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

/** Pixels from which on a tensor has its name above it, whatever its length. */
export const leastNamed = 40;
/** Pixels that a name takes above its tensor, and those of its letters. */
const [nameRoom, letterHeight] = [17, 11];

/**
 * Where the next thing stands right of `x` on the height of a name whose letters stand on `base`: a tensor, or the name above one. Pixels on
 * the screen, `x` on the sheet; Infinity: nothing does.
 */
export function leftOfNext(
  placed: readonly Placed[],
  x: number,
  base: number,
  camera: { readonly x: number; readonly y: number; readonly zoom: number },
): number {
  return placed.reduce((nearest, other) => {
    const left = (other.x - camera.x) * camera.zoom;
    if (other.x <= x || left >= nearest) return nearest;
    const [across, down] = [0, 1].map((axis) => other.extent[axis]! * other.cell * camera.zoom);
    const top = (other.y - camera.y) * camera.zoom;
    const isLevel = base > top - (across! >= leastNamed ? nameRoom : 0) && base - letterHeight < top + down!;
    return isLevel ? left : nearest;
  }, Infinity);
}
