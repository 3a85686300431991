import { laneSums } from '../emit/shuffle.js';
import type { LaneSums } from '../emit/shuffle.js';
import { lines } from '../emit/text.js';
import type { Segment } from '../emit/tiles.js';
import { pairs, splitEvenly, tileLoops } from '../emit/tiles.js';
import type { Sums, Tensor } from '../plan/objects.js';
import { Parameters } from '../plan/parameters.js';
import type { Step } from '../plan/step.js';
import type { Target } from '../toolchain/target.js';

/**
 * Rows whose lanes stay in the first-level cache while all columns pass by. Sums are kept tile by tile in the order of
 * these loops; `unpackDenseWeights` brings them into the parameter's order.
 */
const ROWS_AT_ONCE = 20;

export interface DenseWeightsShape {
  readonly rows: number;
  readonly columns: number;
  readonly target: Target;
}

/** Rows × columns of a tile whose sums stay in registers. */
function tileOf(target: Target): { rows: number; columns: number } {
  return target.registers === 32 ? { rows: 5, columns: 4 } : { rows: 3, columns: 3 };
}

interface TileText {
  readonly rows: number;
  readonly columns: number;
}

/** Loops over blocks of rows, tiles of columns, tiles of rows within the block. */
function tiling({ rows, columns, target }: DenseWeightsShape, body: (tile: TileText) => string): string {
  const tile = tileOf(target);
  const blocks = splitEvenly(rows, ROWS_AT_ONCE);
  return tileLoops('block', blocks, (blockRows) =>
    tileLoops('k', splitEvenly(columns, tile.columns), (tileColumns) =>
      tileLoops(
        'r',
        splitEvenly(blockRows, tile.rows),
        (tileRows) => `const long m = block + r;\n${body({ rows: tileRows, columns: tileColumns })}`,
      ),
    ),
  );
}

function sumsOf({ rows, columns }: TileText, lanes: number): LaneSums {
  return laneSums(
    pairs(rows, columns).map(([i, j]) => `a${i}_${j}`),
    lanes,
  );
}

/** Numbers that the tile-by-tile sums of a weight take. */
export function packedSumsLength({ rows, columns, target }: DenseWeightsShape): number {
  const tile = tileOf(target);
  const count = (segments: readonly Segment[], each: (size: number) => number): number =>
    segments.reduce((total, segment) => total + segment.count * each(segment.size), 0);
  return count(splitEvenly(rows, ROWS_AT_ONCE), (blockRows) =>
    count(splitEvenly(columns, tile.columns), (tileColumns) =>
      count(
        splitEvenly(blockRows, tile.rows),
        (tileRows) => Math.ceil((tileRows * tileColumns) / target.lanes) * target.lanes,
      ),
    ),
  );
}

/** Adds Σ over examples of gradient [rows] · input [columns] to `packed`. */
export function denseWeights(shape: DenseWeightsShape, gradient: Tensor, input: Tensor, packed: Sums): Step {
  const parameters = new Parameters();
  const dy = parameters.read(gradient);
  const x = parameters.read(input);
  const sums = parameters.writeSums(packed);
  const body = (tile: TileText): string => {
    const { code, results } = sumsOf(tile, shape.target.lanes);
    return `${pairs(tile.rows, tile.columns)
      .map(([i, j]) => `v a${i}_${j} = {0};`)
      .join(' ')}
      const v *y = ${dy} + m, *x = ${x} + k;
      for (long g = 0; g < groups; g++) {
        ${lines(tile.columns, (j) => `const v x${j} = x[${j}];`)}
        ${lines(tile.rows, (i) => `{ const v y${i} = y[${i}]; ${products(i, tile.columns)} }`)}
        y += ${gradient.stride}; x += ${input.stride};
      }
      ${code}
      ${results.map((name, k) => `add_sums(d + ${k} * LANES, ${name});`).join('\n')}
      d += ${results.length} * LANES;`;
  };
  return parameters.step(
    `dense_weights_${shape.rows}x${shape.columns}`,
    'batch',
    `double *d = ${sums};\n${tiling(shape, body)}`,
    {
      multiplyAdds: shape.rows * shape.columns,
    },
  );
}

function products(row: number, columns: number): string {
  return lines(columns, (j) => `a${row}_${j} += y${row} * x${j};`).replaceAll('\n', ' ');
}

/** Copies the tile-by-tile sums into row-major order, transposed where asked for. */
export function unpackDenseWeights(
  shape: DenseWeightsShape,
  packed: Sums,
  output: Sums,
  transposed: boolean,
): Step {
  const parameters = new Parameters();
  const from = parameters.readSums(packed);
  const to = parameters.writeSums(output);
  const index = (i: number, j: number): string =>
    transposed ? `(k + ${j}) * ${shape.rows} + m + ${i}` : `(m + ${i}) * ${shape.columns} + k + ${j}`;
  const body = (tile: TileText): string => {
    const { order } = sumsOf(tile, shape.target.lanes);
    const copies = pairs(tile.rows, tile.columns).map(
      ([i, j], slot) => `${to}[${index(i, j)}] += d[${order.indexOf(slot)}];`,
    );
    return `${copies.join('\n')}\nd += ${order.length};`;
  };
  return parameters.step('unpack_dense', 'once', `const double *d = ${from};\n${tiling(shape, body)}`);
}
