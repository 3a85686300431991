import { Fused } from '../../emit/fused.js';
import { doubleLiteral } from '../../emit/text.js';
import type { Stored } from '../../plan/expression.js';
import type { Feed, Table } from '../../plan/objects.js';
import { Parameters } from '../../plan/parameters.js';
import type { Step } from '../../plan/step.js';
import type { Target } from '../../toolchain/target.js';
import { placesOf, values, type Weight } from '../dense/dense.js';
import { BLOCK, blocksOf, BYTE_TILES, PAIRS, ROWS, tileProducts, TILE_WORDS, TERMS } from './products.js';

/** Numbers that the terms of a weight [rows, columns] take. */
export function packedBytesLength(rows: number, columns: number, { lanes }: Target): number {
  return Math.ceil(rows / lanes) * blocksOf(columns) * TERMS * PAIRS * lanes;
}

/** Puts the terms of a weight [rows, columns] into tiles, with zeros around it: LANES rows, block of columns, term, pair of columns, row. */
export function packForBytes(weight: Weight, packed: Table): Step {
  const parameters = new Parameters();
  const numbers = parameters.numbers(weight.numbers);
  const table = parameters.writeTable(packed);
  const { rows, columns, rowStride, columnStride, factor } = weight;
  const number = (k: string): string =>
    `m + l < ${rows} && ${k} < ${columns} ? (float)(${numbers}[(m + l) * ${rowStride}L + (${k}) * ${columnStride}L] * ${doubleLiteral(factor)}) : 0`;
  const body = `words *to = (words *)${table};
    for (long m = 0; m < ${rows}; m += LANES) for (long k0 = 0; k0 < ${columns}; k0 += ${BLOCK}, to += ${TERMS * PAIRS}) {
      for (long p = 0; p < ${PAIRS}; p++) {
        v a, b;
        for (long l = 0; l < LANES; l++) {
          a[l] = ${number('k0 + p')};
          b[l] = ${number(`k0 + p + ${PAIRS}`)};
        }
        store_pairs(a, b, to + p, ${PAIRS});
      }
    }`;
  return parameters.step('pack_for_bytes', 'once', body);
}

export interface BytesOptions {
  readonly rows: number;
  readonly columns: number;
  /** N: examples of the chunk. */
  readonly examples: number;
  readonly packed: Table;
  /** Bytes [N, columns]. */
  readonly feed: Feed;
  /** What is stored, in terms of the product (the leaf `computed`), and where. */
  readonly stored: readonly Stored[];
  readonly target: Target;
}

/** Output [rows] of each example = bytes [columns] · transposed weight [rows, columns], by the matrix unit. */
export function bytesProduct({ rows, columns, examples, packed, feed, stored, target }: BytesOptions): Step {
  const parameters = new Parameters();
  const weights = parameters.readTable(packed);
  const bytes = parameters.feed(feed, 'uint8_t');
  const outputs = stored.map(({ output }) => parameters.write(output));
  const blocks = blocksOf(columns);
  const groups = ROWS / target.lanes;
  const left = (BYTE_TILES * blocks * TILE_WORDS) / target.lanes;
  const scratch = parameters.write({ kind: 'scratch', vectors: left + BYTE_TILES * ROWS + target.lanes });
  const results = stored.map(({ result }) => result);
  const fused = new Fused(parameters, results);
  const tilesAtOnce = (tiles: number): string => `
    for (long e = 0; e < ${tiles * ROWS}; e++) {
      const uint8_t *const x = ${bytes} + smaller((first + g0) * LANES + e, ${examples - 1}) * ${columns}L;
      words *to = left + (e / ${ROWS} * ${blocks * TILE_WORDS} + e % ${ROWS} * ${PAIRS}) / LANES;
      for (long k = 0; k < ${columns}; k += ${BLOCK}, to += ${TILE_WORDS} / LANES) {
        for (long p = 0; p < ${PAIRS}; p += LANES)
          to[p / LANES] = byte_pairs(bytes_at(x + k + p, ${columns} - k - p), bytes_at(x + k + p + ${PAIRS}, ${columns} - k - p - ${PAIRS}));
      }
    }
    TILES_READ_MEMORY();
    for (long m = 0; m < ${rows}; m += LANES) {
      const words *const w = weights + m / LANES * ${blocks * TERMS * PAIRS};
      ${tileProducts({
        tiles,
        blocks: String(blocks),
        terms: { side: 'right', from: (t) => `w + (k * ${TERMS} + ${t}) * ${PAIRS}` },
        bytes: (i) => `left + (${i * blocks} + k) * ${TILE_WORDS} / LANES`,
        sums: 'sums',
      })}
      for (long n = 0; n < ${tiles * groups}; n++) {
        const long g = g0 + n;
        ${groups > 1 ? 'if (g >= groups) break;' : ''}
        ${fused.groupLocals}
        store_transposed(sums + n * LANES, turned, 1);
        ${placesOf(stored, outputs, 'm')}
        for (long r = 0; r < smaller(LANES, ${rows} - m); r++) {
          const long c = m + r;
          ${fused.channelLocals('c')}
          ${values(stored, fused, 'c', 'turned[r]', '[r]')}
        }
      }
    }`;
  const body = `const words *const weights = (const words *)${weights};
    words *const left = (words *)${scratch};
    v *const sums = ${scratch} + ${left}, *const turned = sums + ${BYTE_TILES * ROWS};
    long g0 = 0;
    for (; g0 + ${BYTE_TILES * groups} <= groups; g0 += ${BYTE_TILES * groups}) {${tilesAtOnce(BYTE_TILES)}}
    for (; g0 < groups; g0 += ${groups}) {${tilesAtOnce(1)}}`;
  return parameters.step(`split_bytes_${columns}to${rows}`, 'batch', body, { multiplyAdds: rows * columns });
}
