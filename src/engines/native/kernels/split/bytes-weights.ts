import { splitEvenly, tileLoops } from '../../emit/tiles.js';
import { lines } from '../../emit/text.js';
import type { Feed, Sums, Tensor } from '../../plan/objects.js';
import { Parameters } from '../../plan/parameters.js';
import type { Step } from '../../plan/step.js';
import { type ProductSums, paddedColumns } from '../product-sums.js';
import { BLOCK, blocksOf, BYTE_TILES, PAIRS, ROWS, TERMS, TILE_WORDS, tileProducts } from './products.js';

/** Examples that are summed in float32 before they join the sums in double. */
const SUMMED_AT_ONCE = 512;

/** Adds Σ over examples of rows · bytes [N, columns] to `packed`, by the matrix unit; lanes without an example hold zeros in `rows`. */
export function bytesWeights(
  shape: ProductSums,
  rows: Tensor,
  feed: Feed,
  examples: number,
  packed: Sums,
): Step {
  const { lanes } = shape.target;
  const atOnce = SUMMED_AT_ONCE / lanes;
  const most = blocksOf(SUMMED_AT_ONCE);
  const rowTiles = Math.ceil(shape.rows / ROWS);
  const left = (rowTiles * most * TERMS * TILE_WORDS) / lanes;
  const right = BYTE_TILES * most * PAIRS;
  const parameters = new Parameters();
  const z = parameters.read(rows);
  const bytes = parameters.feed(feed, 'uint8_t');
  const scratch = parameters.write({ kind: 'scratch', vectors: left + right + BYTE_TILES * ROWS });
  const to = parameters.writeSums(packed);
  const width = paddedColumns(shape);
  const half = PAIRS / lanes;
  const number = (n: string): string =>
    `${n} < count && i < ${shape.rows} ? (${z} + (g0 + ${n}) * ${rows.stride})[i] : (v){0}`;
  const packRows = `for (long block = 0; block < blocks; block++) for (long j = 0; j < ${half}; j++) {
      const long n = ${2 * half} * block + j;
      for (long i = 0; i < ${rowTiles * ROWS}; i++) {
        words *const at = left + ((i / ${ROWS} * ${most} + block) * ${TERMS * TILE_WORDS} + i % ${ROWS} * ${PAIRS}) / LANES + j;
        store_pairs(${number('n')}, ${number(`(n + ${half})`)}, at, ${TILE_WORDS} / LANES);
      }
    }`;
  const example = (e: string): string =>
    `${bytes} + smaller((first + g0) * LANES + ${e}, ${examples - 1}) * ${shape.columns}L + c`;
  const products = tileLoops('o', splitEvenly(width / lanes, BYTE_TILES), (tiles) => `
    for (long k = 0; k < blocks; k++) for (long p = 0; p < ${PAIRS}; p++) for (long j = 0; j < ${tiles}; j++) {
      const long e = k * ${BLOCK} + p, c = (o + j) * LANES, rest = ${shape.columns} - c;
      right[(j * ${most} + k) * ${PAIRS} + p] = byte_pairs(bytes_at(${example('e')}, rest), bytes_at(${example(`e + ${PAIRS}`)}, rest));
    }
    TILES_READ_MEMORY();
    for (long r = 0; r < ${shape.rows}; r += ${ROWS}) {
      ${tileProducts({
        tiles,
        blocks: 'blocks',
        terms: {
          side: 'left',
          from: (t) => `left + (r / ${ROWS} * ${most * TERMS} + k * ${TERMS} + ${t}) * ${TILE_WORDS} / LANES`,
        },
        bytes: (j) => `right + (${j * most} + k) * ${PAIRS}`,
        sums: 'sums',
      })}
      for (long i = r; i < smaller(${shape.rows}, r + ${ROWS}); i++) {
        ${lines(tiles, (j) => `add_sums(${to} + i * ${width}L + (o + ${j}) * LANES, sums[${j * ROWS} + i - r]);`)}
      }
    }`); // prettier-ignore
  const body = `words *const left = (words *)${scratch}, *const right = left + ${left};
    v *const sums = ${scratch} + ${left + right};
    for (long g0 = 0; g0 < groups; g0 += ${atOnce}) {
      const long count = smaller(${atOnce}, groups - g0);
      const long blocks = (count * LANES + ${BLOCK - 1}) / ${BLOCK};
      ${packRows}
      ${products}
    }`;
  return parameters.step(`split_bytes_weights_${shape.rows}x${shape.columns}`, 'batch', body, {
    multiplyAdds: shape.rows * shape.columns,
  });
}
