import { splitEvenly, tileLoops } from '../../emit/tiles.js';
import { lines } from '../../emit/text.js';
import type { Sums, Tensor } from '../../plan/objects.js';
import { Parameters } from '../../plan/parameters.js';
import type { Step } from '../../plan/step.js';
import { type ProductSums, paddedColumns } from '../product-sums.js';
import {
  AT_ONCE,
  LEFT_BLOCK,
  LEFT_WORDS,
  RIGHT_BLOCK,
  RIGHT_VECTORS,
  ROWS,
  STEPS,
  SUM_VECTORS,
  blocksOf,
  packOrSplit,
  tileProducts,
  tilesOf,
} from './products.js';

/** True where the columns of [p, q] sums should be the first axis: columns are transposed, so that they should be few. */
export function suitsSplitFirstAxis(p: number, q: number): boolean {
  return p < q;
}

/** Examples and tokens that are summed in float32 before they join the sums in double. */
const SUMMED_AT_ONCE = 256;

/** Adds Σ over examples and their tokens of rows [tokens, rows] · columns [tokens, columns] to `packed`, by the matrix unit. */
export function splitDenseWeights(
  shape: ProductSums,
  rows: Tensor,
  columns: Tensor,
  packed: Sums,
  tokens: number,
): Step {
  const { lanes } = shape.target;
  const most = SUMMED_AT_ONCE / lanes;
  const atOnce = tokens > 1 ? Math.min(tokens, most) : most;
  const blocks = blocksOf(atOnce * lanes);
  const rowTiles = tilesOf(shape.rows);
  const leftVectors = (rowTiles * blocks * LEFT_BLOCK) / lanes;
  const rightVectors = AT_ONCE * blocks * RIGHT_BLOCK;
  const parameters = new Parameters();
  const z = parameters.read(rows);
  const x = parameters.read(columns);
  const scratch = parameters.write({ kind: 'scratch', vectors: leftVectors + rightVectors + SUM_VECTORS });
  const to = parameters.writeSums(packed);
  const place = (tensor: string, stride: number, width: number): string =>
    tokens > 1 ? `${tensor} + g * ${stride} + (t0 + n) * ${width}L` : `${tensor} + (g0 + n) * ${stride}`;
  const width = paddedColumns(shape);
  const columnTiles = splitEvenly(width / lanes, AT_ONCE);
  const products = tileLoops('o', columnTiles, (columnsAtOnce) => `
    ${packColumns(shape, place(x, columns.stride, shape.columns), columnsAtOnce, blocks)}
    ${tileLoops('r', splitEvenly(rowTiles, AT_ONCE), (rowsAtOnce) => `
      ${tileProducts({
        rows: rowsAtOnce,
        columns: columnsAtOnce,
        left: (i) => `left + (r + ${i}) * ${blocks * LEFT_BLOCK}`,
        right: (j) => `right + ${j * blocks * RIGHT_BLOCK}`,
        blocks: 'blocks',
        exact: { left: 'rows_exact', right: 'columns_exact' },
        sums: 'sums',
      })}
      for (long i = r * ${ROWS}; i < smaller(${shape.rows}, (r + ${rowsAtOnce}) * ${ROWS}); i++) {
        ${lines(columnsAtOnce, (j) => `add_sums(${to} + i * ${width}L + (o + ${j}) * LANES, sums[${AT_ONCE * ROWS * j} + i - r * ${ROWS}]);`)}
      }`)}`); // prettier-ignore
  const pass = `const long blocks = (count * LANES + ${STEPS - 1}) / ${STEPS};
    ${packRows(shape, place(z, rows.stride, shape.rows), rowTiles, blocks)}
    ${products}`;
  const overGroups = `for (long g0 = 0; g0 < groups; g0 += ${atOnce}) {
      const long count = smaller(${atOnce}, groups - g0);
      ${pass}
    }`;
  const overTokens = `for (long g = 0; g < groups; g++) for (long t0 = 0; t0 < ${tokens}; t0 += ${atOnce}) {
      const long count = smaller(${atOnce}, ${tokens} - t0);
      ${pass}
    }`;
  const body = `uint32_t *const left = (uint32_t *)${scratch};
    words *const right = (words *)(${scratch} + ${leftVectors});
    v *const sums = ${scratch} + ${leftVectors + rightVectors};
    ${tokens > 1 ? overTokens : overGroups}`;
  return parameters.step(`split_dense_weights_${shape.rows}x${shape.columns}`, 'batch', body, {
    multiplyAdds: tokens * shape.rows * shape.columns,
  });
}

/** Puts rows into left operands, with zeros behind the last row and the last step: lanes are steps already. */
function packRows({ rows }: ProductSums, place: string, tiles: number, blocks: number): string {
  const each = (body: string): string => `for (long l = 0; l < ${STEPS} / LANES; l++) {
      const long n = block * (${STEPS} / LANES) + l;
      for (long i = 0; i < ${tiles * ROWS}; i++) {
        const v z = n < count && i < ${rows} ? (${place})[i] : (v){0};
        uint16_t *const to = (uint16_t *)(left + (i / ${ROWS} * ${blocks} + block) * ${LEFT_BLOCK} + i % ${ROWS} * ${STEPS / 2}) + l * LANES;
        ${body}
      }
    }`;
  return packOrSplit(
    'rows_exact',
    (more, body) => `for (long block = 0; block < blocks${more}; block++) {\n${body}\n}`,
    each('beyond |= store_first_steps(z, to);'),
    each(`store_steps(z, to, ${2 * LEFT_WORDS});`),
  );
}

/** Transposes columns, from a channel's examples to an example's channels, and puts them into right operands. */
function packColumns({ columns }: ProductSums, place: string, tiles: number, blocks: number): string {
  const each = (
    body: string,
  ): string => `for (long n = block * (${STEPS} / LANES), p = 0; p < ${STEPS / 2}; n++) {
      v channels[LANES], steps[LANES];
      for (long l = 0; l < LANES; l++) {
        const long c = (o + j) * LANES + l;
        channels[l] = n < count && c < ${columns} ? (${place})[c] : (v){0};
      }
      store_transposed(channels, steps, 1);
      for (long l = 0; l < LANES; l += 2, p++) ${body}
    }`;
  const packed = packOrSplit(
    'columns_exact',
    (
      more,
      body,
    ) => `for (long j = 0; j < ${tiles}${more}; j++) for (long block = 0; block < blocks${more}; block++) {
      words *const to = right + (j * ${blocks} + block) * ${RIGHT_BLOCK};
      ${body}
    }`,
    each('beyond |= store_first_pairs(steps[l], steps[l + 1], to + p);'),
    each(`store_pairs(steps[l], steps[l + 1], to + p, ${RIGHT_VECTORS});`),
  );
  return `${packed}\nTILES_READ_MEMORY();`;
}
