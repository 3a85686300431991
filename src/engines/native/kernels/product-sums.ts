import type { Fused } from '../emit/fused.js';
import { registerTile } from '../emit/register-tile.js';
import { lines } from '../emit/text.js';
import type { Segment } from '../emit/tiles.js';
import { pairs, splitEvenly, tileLoops } from '../emit/tiles.js';
import type { Expression } from '../plan/expression.js';
import type { Target } from '../toolchain/target.js';

/*
 * Gradients of weights are sums over examples and positions of products: row (of one operand) × column (of the other). Were
 * both read with examples in lanes, the lanes of each sum would have to be added up at the end. So the columns' operand is
 * transposed first, from a channel's examples to an example's channels; a step (an example at a position) then multiplies
 * single numbers of rows with vectors of columns, and lanes of the sums are columns.
 */

/** A matrix of sums [rows, columns]. */
export interface ProductSums {
  readonly rows: number;
  readonly columns: number;
  readonly target: Target;
}

/** Columns with those that fill up the last vector. */
export function paddedColumns({ columns, target }: ProductSums): number {
  return Math.ceil(columns / target.lanes) * target.lanes;
}

/**
 * Where sums are kept: in rows, [rows, paddedColumns], or in the order in which `addProducts` goes through them, tiles of columns one after the
 * other, each [rows, columns of the tile].
 */
export type SumsOrder = 'rows' | 'tiles';

/** Where the sums of a tile lie that starts at row `r` and vector `o`. */
interface SumsPlace {
  /** C expression of the first. */
  readonly start: string;
  /** Numbers from one row to the next. */
  readonly width: number;
}

function placeOf(sums: ProductSums, order: SumsOrder, vectors: number): SumsPlace {
  const { lanes } = sums.target;
  const width = order === 'rows' ? paddedColumns(sums) : vectors * lanes;
  return {
    start: order === 'rows' ? `r * ${width} + o * LANES` : `o * ${sums.rows * lanes} + r * ${width}`,
    width,
  };
}

interface Tiling {
  readonly rows: readonly Segment[];
  /** In vectors of columns. */
  readonly vectors: readonly Segment[];
}

function tilingOf(sums: ProductSums): Tiling {
  const { rows, target } = sums;
  const vectors = paddedColumns(sums) / target.lanes;
  const tile = registerTile(rows, vectors, target.registers, target.registers);
  return { rows: splitEvenly(rows, tile.rows), vectors: splitEvenly(vectors, tile.columns) };
}

/** The tiles of columns, in vectors; transposed columns lie in memory tile by tile. */
export function columnTiles(sums: ProductSums): readonly Segment[] {
  return tilingOf(sums).vectors;
}

/** Vectors that the transposed columns of so many steps take. */
export function transposedVectors(sums: ProductSums, steps: number): number {
  return (paddedColumns(sums) / sums.target.lanes) * steps;
}

/**
 * Code that transposes the columns' operand at some positions into `to`, tile by tile, step by step within a tile.
 * `positions` opens loops around its argument, in which `step` is the C expression of a position's first step and
 * `element` that of its element in channel 0.
 */
export function transposeColumns(
  sums: ProductSums,
  fused: Fused,
  options: {
    readonly operand: Expression;
    readonly to: string;
    /** Steps that `to` has room for. */
    readonly steps: number;
    /** C expression of the first column's channel. */
    readonly first: string;
    /** Elements from one channel to the next. */
    readonly channelStride: number;
    readonly positions: (body: string) => string;
    readonly step: string;
    readonly element: string;
  },
): string {
  const { columns, target } = sums;
  const { operand, to, steps, first, channelStride, positions, step, element } = options;
  const isWhole = columns % target.lanes === 0;
  const value = `const long c = ${first} + k; ${fused.channelLocals('c')}
    channels[l] = ${fused.value(operand, `c * ${channelStride} + ${element}`)};`;
  return tileLoops(
    'o',
    columnTiles(sums),
    (size) => `for (long j = 0; j < ${size}; j++) {
      ${positions(`v channels[LANES];
        for (long l = 0; l < LANES; l++) {
          const long k = (o + j) * LANES + l;
          ${isWhole ? value : `if (k < ${columns}) { ${value} } else channels[l] = (v){0};`}
        }
        store_transposed(channels, ${to} + o * ${steps} + (${step}) * ${size} + j, ${size});`)}
    }`,
  );
}

/** Steps of a tile whose columns are all zero, which are passed over. */
export interface PassedOver {
  /** C expression: whether none is. */
  readonly unless: string;
  /** C expressions: how many steps there are, and the most there can be. */
  readonly count: string;
  readonly most: number;
  /** Sets up what `row` needs at step `s`. */
  readonly at: string;
}

/** Lists the steps of a tile of so many vectors that have a column which is not zero. */
function usedSteps({ unless, count, most }: PassedOver, columns: string, vectors: number): string {
  const zero = Array.from({ length: vectors }, (_, j) => `v_all((ints)(y[${j}] == (v){0}))`).join(' && ');
  return `short used[${most}];
    long used_count = 0;
    {
      const v *y = ${columns};
      for (long s = 0; s < ${count}; s++, y += ${vectors}) {
        used[used_count] = (short)s;
        used_count += (${unless}) || !(${zero});
      }
    }`;
}

/**
 * Code that adds products to `to` (C expression of the sums, which lie in rows unless `order` says otherwise), over the transposed columns `from`. Rows
 * are read as `row(i)`, row i of a tile that starts at row `r`. `walk` opens the loops over steps around its argument, sets
 * up what `row` needs, and moves it on; `y` is the tile's place in `from`, and moves on by itself. Where steps are `passedOver`, sums have
 * the same bits: they begin at +0, to which a zero adds nothing. Sums are brought into the cache at the start of their tile or, where
 * that is too late (`isFar`, which takes the order of tiles), step by step of the tile before.
 */
export function addProducts(
  sums: ProductSums,
  options: {
    readonly to: string;
    readonly from: string;
    readonly steps: number;
    readonly row: (i: number) => string;
    readonly walk: (rows: number, body: string) => string;
    readonly passedOver?: PassedOver | null;
    readonly order?: SumsOrder;
    readonly isFar?: boolean;
  },
): string {
  const { to, from, steps, row, walk, passedOver = null, order = 'rows', isFar = false } = options;
  const tiling = tilingOf(sums);
  const columns = `${from} + o * ${steps}`;
  const tile = (vectors: number, rows: number): string => {
    const products = (i: number): string =>
      lines(vectors, (j) => `a${i}_${j} += f * y${j};`).replaceAll('\n', ' ');
    const { start, width } = placeOf(sums, order, vectors);
    const ahead = `__builtin_prefetch(next, 1); next += ${Math.ceil((rows * width) / steps)};`;
    const add = `${isFar ? ahead : ''}
      ${lines(vectors, (j) => `v y${j} = y[${j}]; IN_REGISTER(y${j});`)}
      ${lines(rows, (i) => `{ v f = v_set(${row(i)}); IN_REGISTER(f); ${products(i)} }`)}`;
    const all = pairs(rows, vectors);
    const place = (i: number, j: number): string => `d + ${i * width} + ${j} * LANES`;
    const overAll = walk(rows, `${add}\n      y += ${vectors};`);
    return `${all.map(([i, j]) => `v a${i}_${j} = {0};`).join(' ')}
      double *const d = ${to} + ${start};
      ${isFar ? `const double *next = d + ${rows * width};` : all.map(([i, j]) => `will_add(${place(i, j)});`).join(' ')}
      const v *y = ${columns};
      ${passedOver === null ? overAll : overUsed(passedOver, columns, vectors, add, overAll)}
      ${all.map(([i, j]) => `add_sums(${place(i, j)}, a${i}_${j});`).join('\n')}`;
  };
  return tileLoops(
    'o',
    tiling.vectors,
    (vectors) => `${passedOver === null ? '' : usedSteps(passedOver, columns, vectors)}
      ${tileLoops('r', tiling.rows, (rows) => tile(vectors, rows))}`,
  );
}

/** Adds the steps of the list, or where all are on it, one after the other. */
const overUsed = (
  { count, at }: PassedOver,
  columns: string,
  vectors: number,
  add: string,
  overAll: string,
): string => `if (used_count < ${count}) {
      for (long n = 0; n < used_count; n++) {
        const long s = used[n];
        y = ${columns} + s * ${vectors};
        ${at}
        ${add}
      }
    } else {
      ${overAll}
    }`;
