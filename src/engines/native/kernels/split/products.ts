import { lines } from '../../emit/text.js';
import { pairs } from '../../emit/tiles.js';

/*
 * Products of float32 on a unit that multiplies bfloat16 and sums in float32. A float32 is the sum of three bfloat16, its terms, so that a
 * product of two is nine; six of them are taken, as those left out are below 2^-25 of it. Where all numbers of a side are bfloat16 themselves, as
 * whole numbers up to 256 are, three are left, and nothing is left out. Small products come first in a sum.
 */

/** Rows of a tile, steps (pairs of numbers that are multiplied and summed) that it takes at once, and terms of a number. */
export const ROWS = 16;
export const STEPS = 32;
const TERMS = 3;

/** Words of a left operand's tile, and vectors of a right one's. */
export const LEFT_WORDS = (ROWS * STEPS) / 2;
export const RIGHT_VECTORS = STEPS / 2;

/** Words that all terms of a left operand take for a block of steps, and vectors of a right one. */
export const LEFT_BLOCK = TERMS * LEFT_WORDS;
export const RIGHT_BLOCK = TERMS * RIGHT_VECTORS;

/** Tiles that hold so many rows, and blocks that hold so many steps. */
export const tilesOf = (rows: number): number => Math.ceil(rows / ROWS);
export const blocksOf = (steps: number): number => Math.ceil(steps / STEPS);

/** Tiles that are worked on at once, each way. */
export const AT_ONCE = 2;

/** Vectors of the sums of tiles that are worked on at once. */
export const SUM_VECTORS = AT_ONCE * AT_ONCE * ROWS;

/** Terms of the left and the right number of each product that is taken. */
type Taken = readonly (readonly [left: number, right: number])[];
const all: Taken = [[2, 0], [1, 1], [0, 2], [1, 0], [0, 1], [0, 0]]; // prettier-ignore

export interface TileProducts {
  /** Tiles, 1 to `AT_ONCE` each way. */
  readonly rows: number;
  readonly columns: number;
  /** C expressions of where the terms of a tile start, block by block. */
  readonly left: (row: number) => string;
  readonly right: (column: number) => string;
  /** C expression of the number of blocks. */
  readonly blocks: string;
  /** C expressions that are true where the left or the right numbers are their first terms; left out: they are not. */
  readonly exact: { readonly left?: string; readonly right?: string };
  /** C expression of vectors for the sums, column by column: row r of them at `AT_ONCE * ROWS * column + r`. */
  readonly sums: string;
}

/** Code that sums products of tiles over blocks of steps. */
export function tileProducts(options: TileProducts): string {
  const { rows, columns, exact, sums } = options;
  const tiles = pairs(rows, columns);
  const walks = [
    [exact.left, all.filter(([left]) => left === 0)],
    [exact.right, all.filter(([, right]) => right === 0)],
  ] as const;
  const cases = walks.flatMap(([condition, taken]) =>
    condition === undefined ? [] : [`if (${condition}) {\n${walk(options, taken)}\n} else`],
  );
  const place = (i: number, j: number): string => `${sums} + ${(AT_ONCE * j + i) * ROWS}`;
  return `${tiles.map(([i, j]) => `TILE_ZERO(${tileOf(i, j)});`).join(' ')}
    ${cases.join(' ')} {
      ${walk(options, all)}
    }
    ${tiles.map(([i, j]) => `TILE_STORE(${tileOf(i, j)}, ${place(i, j)}, 4 * LANES);`).join('\n')}`;
}

const tileOf = (i: number, j: number): number => AT_ONCE * i + j;

/** Terms are loaded when they change. */
function walk({ rows, columns, left, right, blocks }: TileProducts, taken: Taken): string {
  const products = taken.map(([s, t], k) => {
    const [before, last] = taken[k - 1] ?? [null, null];
    const lefts = lines(rows, (i) => `TILE_LOAD(${4 + i}, a${i} + ${s * LEFT_WORDS}, 64);`);
    const rights = lines(columns, (j) => `TILE_LOAD(${6 + j}, b${j} + ${t * RIGHT_VECTORS}, 4 * LANES);`);
    const own = pairs(rows, columns).map(([i, j]) => `TILE_PRODUCT(${tileOf(i, j)}, ${4 + i}, ${6 + j});`);
    return `${s === before ? '' : lefts}\n${t === last ? '' : rights}\n${own.join(' ')}`;
  });
  return `for (long k = 0; k < ${blocks}; k++) {
      ${lines(rows, (i) => `const uint32_t *const a${i} = ${left(i)} + k * ${LEFT_BLOCK};`)}
      ${lines(columns, (j) => `const words *const b${j} = ${right(j)} + k * ${RIGHT_BLOCK};`)}
      ${products.join('\n')}
    }`;
}

/**
 * Code that packs numbers block by block: first terms alone, unless those of a block are not all of them, and then all terms of all. Declares
 * `exact`, a C variable that is true where first terms are all. `blocks` opens loops around its argument, which ends them where `more` is
 * false; `first` adds what is left over to `beyond`.
 */
export function packOrSplit(
  exact: string,
  blocks: (more: string, body: string) => string,
  first: string,
  terms: string,
): string {
  const tried = `words beyond = {0};
    ${first}
    ${exact} = is_zero(beyond);`;
  return `int ${exact} = 1;
    ${blocks(` && ${exact}`, tried)}
    if (!${exact}) {
      ${blocks('', terms)}
    }`;
}
