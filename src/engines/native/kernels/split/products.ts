import { lines } from '../../emit/text.js';

/*
 * Products of float32 and bytes on a unit that multiplies bfloat16 and sums in float32. A float32 is the sum of three bfloat16, its terms, and a
 * byte is one itself, so that a product is three, and nothing is left out. Small products come first in a sum. Steps of a block are taken in
 * pairs, the first half of the block with the second.
 */

/** Rows of a tile, and pairs of steps that it takes at once. */
export const ROWS = 16;
export const PAIRS = 16;
/** Steps that a tile takes at once. */
export const BLOCK = 2 * PAIRS;
export const TERMS = 3;
/** Words of a left operand's tile. */
export const TILE_WORDS = ROWS * PAIRS;
/** Tiles of bytes that are worked on at once. */
export const BYTE_TILES = 4;

/** Blocks that hold so many steps. */
export const blocksOf = (steps: number): number => Math.ceil(steps / BLOCK);

export interface TileProducts {
  /** Tiles of bytes, 1 to 4. */
  readonly tiles: number;
  /** C expression of the number of blocks. */
  readonly blocks: string;
  /** On which side the terms of numbers are, and C expressions of where they start in block `k`. */
  readonly terms: { readonly side: 'left' | 'right'; readonly from: (term: number) => string };
  readonly bytes: (tile: number) => string;
  /** C expression of vectors for the sums, one tile after the other. */
  readonly sums: string;
}

/** Code that sums products of one tile of numbers with some of bytes over blocks. Tiles 0 to 3 are sums, 4 to 6 terms, 7 bytes. */
export function tileProducts({ tiles, blocks, terms, bytes, sums }: TileProducts): string {
  const [termStride, byteStride] = terms.side === 'left' ? ['64', '4 * LANES'] : ['4 * LANES', '64'];
  const operands = (t: number): string => (terms.side === 'left' ? `${4 + t}, 7` : `7, ${4 + t}`);
  const each = (i: number): string => `TILE_LOAD(7, ${bytes(i)}, ${byteStride});
      ${[2, 1, 0].map((t) => `TILE_PRODUCT(${i}, ${operands(t)});`).join(' ')}`;
  return `${lines(tiles, (i) => `TILE_ZERO(${i});`)}
    for (long k = 0; k < ${blocks}; k++) {
      ${lines(TERMS, (t) => `TILE_LOAD(${4 + t}, ${terms.from(t)}, ${termStride});`)}
      ${lines(tiles, each)}
    }
    ${lines(tiles, (i) => `TILE_STORE(${i}, ${sums} + ${i * ROWS}, 4 * LANES);`)}`;
}
