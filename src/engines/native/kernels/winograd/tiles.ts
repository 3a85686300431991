import type { Extent, Tap } from '../convolution/gather.js';
import type { PatchShape } from '../convolution/patch.js';
import { patchShape } from '../convolution/patch.js';
import type { Scheme } from './scheme.js';
import { positionsOf } from './scheme.js';

/**
 * Whether so many bytes that all blocks share, of weights or their sums, are more than the caches of a core hold from one block to the next. They
 * are then brought there while something else is computed.
 */
export const areFar = (bytes: number): boolean => bytes > 1 << 19;

/** Cuts the plane into tiles, a band of tile rows and a block of tile columns at a time. */
export interface TileBlocks {
  /** Tile rows of a band; bands may reach below the plane. */
  readonly bandRows: number;
  readonly bands: number;
  /** Tile columns of a block; blocks may reach beyond the plane. */
  readonly columns: number;
  readonly blocks: number;
}

/** Blocks of about `wanted` tiles: first along a row, then, where whole rows are short, over rows. */
export function tileBlocks({ height, width }: Extent, scheme: Scheme, wanted: number): TileBlocks {
  const rows = Math.ceil(height / scheme.rows.outputs);
  const columns = Math.ceil(width / scheme.columns.outputs);
  const blocks = Math.ceil(columns / wanted);
  const blockColumns = Math.ceil(columns / blocks);
  const most = Math.max(1, Math.min(rows, Math.floor(wanted / blockColumns)));
  const bands = Math.ceil(rows / most);
  return { bandRows: Math.ceil(rows / bands), bands, columns: blockColumns, blocks };
}

/** What the tiles of a band read: each is a position of the grid. */
export function tilePatch(
  channels: number,
  input: Extent,
  { rows, columns }: Scheme,
  blocks: TileBlocks,
  taps: readonly Tap[],
): PatchShape {
  const grid = { rows: blocks.bandRows * blocks.bands, columns: blocks.columns * blocks.blocks };
  const shape = patchShape(channels, input, { strideY: rows.step, strideX: columns.step }, grid, taps);
  return { ...shape, reachY: rows.window, reachX: columns.window };
}

/**
 * Vectors, or cache lines, from one position to the next of `count` each: such that the positions, which are written or read together,
 * fall into different sets of the first-level cache.
 */
export function positionStride(count: number, scheme: Scheme): number {
  return Math.ceil(count / 64) * 64 + Math.ceil(64 / positionsOf(scheme));
}

/**
 * Code that transforms a row of tiles, Bᵀ d B, along `count` tiles: from `z` (first vector of the row's first tile) into
 * `to`, where the positions are `stride` apart and the tiles adjacent. Columns, of which neighbours share some, come first.
 */
export function transformInput(
  { rows, columns }: Scheme,
  rowStride: number,
  count: number,
  stride: number,
): string {
  const width = columns.step * (count - 1) + columns.window;
  return `v down[${rows.positions}][${width}];
    for (long q = 0; q < ${width}; q++) {
      ${rows.input(
        (k) => `z[${k * rowStride} + q]`,
        (k, value) => `down[${k}][q] = ${value};`,
      )}
    }
    for (long j = 0; j < ${count}; j++) for (long k = 0; k < ${rows.positions}; k++) {
      const v *const d = down[k] + ${columns.step} * j;
      v *const across = to + k * ${columns.positions * stride}L + j;
      ${columns.input(
        (n) => `d[${n}]`,
        (n, value) => `across[${n * stride}L] = ${value};`,
      )}
    }`;
}
