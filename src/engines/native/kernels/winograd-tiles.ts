import type { Extent, Gather, Tap } from './gather.js';
import { windowTaps } from './gather.js';
import type { Convolution } from '../../../graph/windows.js';
import type { PatchShape } from './patch.js';
import { patchShape } from './patch.js';

/*
 * Winograd's F(2×2, 3×3): 2×2 outputs y of a 3×3 correlation of a 4×4 input d with a kernel g take 16 products instead of
 * 36, y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A (Lavin and Gray 2016). With one example per lane, each product is a matrix product
 * over channels, and the transforms are additions of whole vectors.
 */

/** Products of a tile. */
export const POSITIONS = 16;

/** G: kernel taps to positions along one axis. */
export const kernelTransform = [
  [1, 0, 0],
  [0.5, 0.5, 0.5],
  [0.5, -0.5, 0.5],
  [0, 0, 1],
] as const;

/** Cuts the plane into tiles of 2×2 outputs, a band of tile rows and a block of tile columns at a time. */
export interface TileBlocks {
  /** Tile rows of a band; bands may reach below the plane. */
  readonly bandRows: number;
  readonly bands: number;
  /** Tile columns of a block; blocks may reach beyond the plane. */
  readonly columns: number;
  readonly blocks: number;
}

/** Blocks of about `wanted` tiles: first along a row, then, where whole rows are short, over rows. */
export function tileBlocks({ height, width }: Extent, wanted: number): TileBlocks {
  const [rows, columns] = [Math.ceil(height / 2), Math.ceil(width / 2)];
  const blocks = Math.ceil(columns / wanted);
  const blockColumns = Math.ceil(columns / blocks);
  const most = Math.max(1, Math.min(rows, Math.floor(wanted / blockColumns)));
  const bands = Math.ceil(rows / most);
  return { bandRows: Math.ceil(rows / bands), bands, columns: blockColumns, blocks };
}

/** What the tiles of a band read: 2 rows and columns more than they write. */
export function tilePatch(
  channels: number,
  input: Extent,
  blocks: TileBlocks,
  taps: readonly Tap[],
): PatchShape {
  const grid = {
    rows: 2 * blocks.bandRows * blocks.bands,
    columns: 2 * blocks.columns * blocks.blocks,
  };
  return patchShape(channels, input, { strideY: 1, strideX: 1 }, grid, taps);
}

/** Estimated cycles per 2×2 outputs: Winograd's products and transforms against the direct sum's products. */
function isFaster(inputs: number, outputs: number): boolean {
  return 8 * inputs * outputs + 16 * inputs + 30 * outputs < 0.85 * 18 * inputs * outputs;
}

function isSquareOfNine(taps: readonly Tap[]): boolean {
  if (taps.length !== 9) return false;
  const top = Math.min(...taps.map((tap) => tap.dy));
  const left = Math.min(...taps.map((tap) => tap.dx));
  const places = new Set(taps.map(({ dy, dx }) => 3 * (dy - top) + dx - left));
  return places.size === 9 && taps.every(({ dy, dx }) => dy - top < 3 && dx - left < 3);
}

/** True where a convolution is a 3×3 one with stride 1 and enough channels. */
export function suitsWinograd(gather: Gather): boolean {
  const [single] = gather.classes;
  return (
    gather.group === 1 &&
    gather.strideY === 1 &&
    gather.strideX === 1 &&
    gather.classes.length === 1 &&
    isSquareOfNine(single!.taps) &&
    isFaster(gather.inputChannels, gather.outputChannels)
  );
}

/** The same for the gradient of a weight. */
export function weightSuitsWinograd(c: Convolution): boolean {
  return (
    c.group === 1 &&
    c.input.length === 2 &&
    c.strides.every((stride) => stride === 1) &&
    isSquareOfNine(windowTaps(c)) &&
    isFaster(c.inputChannels, c.outputChannels)
  );
}

/**
 * Vectors from one position to the next of \`count\` vectors each: such that the 16 positions, which are written together,
 * fall into different sets of the first-level cache.
 */
export function positionStride(count: number): number {
  return Math.ceil(count / 64) * 64 + 64 / POSITIONS;
}

/**
 * Code that transforms a row of tiles, Bᵀ d B, along `columns` tiles: from `z` (first vector of the row's first tile) into
 * `to`, where the positions are `stride` apart and the tiles adjacent. Neighbours share two columns.
 */
export function transformInput(rowStride: number, columns: number, stride: number): string {
  const vertical = (column: number): string => {
    const d = (k: number): string => `z[${k * rowStride + column}]`;
    return `{
        const v d0 = ${d(0)}, d1 = ${d(1)}, d2 = ${d(2)}, d3 = ${d(3)};
        b0_${column} = d0 - d2; b1_${column} = d1 + d2; b2_${column} = d2 - d1; b3_${column} = d1 - d3;
      }`;
  };
  const names = [0, 1, 2, 3]
    .map((column) => [0, 1, 2, 3].map((k) => `b${k}_${column}`).join(', '))
    .join(', ');
  const store = (k: number, m: number, value: string): string =>
    `to[${(4 * k + m) * stride} + j] = ${value};`;
  const horizontal = [0, 1, 2, 3]
    .map((k) =>
      [
        store(k, 0, `b${k}_0 - b${k}_2`),
        store(k, 1, `b${k}_1 + b${k}_2`),
        store(k, 2, `b${k}_2 - b${k}_1`),
        store(k, 3, `b${k}_1 - b${k}_3`),
        `b${k}_0 = b${k}_2; b${k}_1 = b${k}_3;`,
      ].join(' '),
    )
    .join('\n');
  return `v ${names};
    ${vertical(0)}
    ${vertical(1)}
    for (long j = 0; j < ${columns}; j++) {
      ${vertical(2)}
      ${vertical(3)}
      ${horizontal}
      z += 2;
    }`;
}
