import { Fused } from '../../emit/fused.js';
import { doubleLiteral, lines } from '../../emit/text.js';
import { splitEvenly, tileLoops, tilesWithin } from '../../emit/tiles.js';
import { wholeTensorsOf } from '../../plan/expression.js';
import type { Table } from '../../plan/objects.js';
import { Parameters } from '../../plan/parameters.js';
import type { Step } from '../../plan/step.js';
import { type DenseOptions, placesOf, values, type Weight } from '../dense/dense.js';
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

/** Numbers that the terms of a weight [rows, columns] take. */
export function splitDenseLength(rows: number, columns: number): number {
  return tilesOf(rows) * blocksOf(columns) * LEFT_BLOCK;
}

/** Puts the terms of a weight [rows, columns] into tiles, with zeros around it: row tile, block of columns, term, row, pair of columns. */
export function packSplitDense(weight: Weight, packed: Table): Step {
  const parameters = new Parameters();
  const numbers = parameters.numbers(weight.numbers);
  const table = parameters.writeTable(packed);
  const { rows, columns, rowStride, columnStride, factor } = weight;
  const number = (k: string): string =>
    `m < ${rows} && ${k} < ${columns} ? (float)(${numbers}[m * ${rowStride}L + (${k}) * ${columnStride}L] * ${doubleLiteral(factor)}) : 0`;
  const body = `words *const w = (words *)${table};
    for (long m = 0; m < ${tilesOf(rows) * ROWS}; m++) for (long p = 0; p < ${(blocksOf(columns) * STEPS) / 2}; p += LANES) {
      v a, b;
      for (long l = 0; l < LANES; l++) {
        a[l] = ${number('2 * (p + l)')};
        b[l] = ${number('2 * (p + l) + 1')};
      }
      const long word = (m / ${ROWS} * ${blocksOf(columns)} + p / ${STEPS / 2}) * ${LEFT_BLOCK} + m % ${ROWS} * ${STEPS / 2} + p % ${STEPS / 2};
      store_pairs(a, b, w + word / LANES, ${LEFT_WORDS} / LANES);
    }`;
  return parameters.step('pack_split_dense', 'once', body);
}

/** Output [tokens, rows] of each example = input [tokens, columns] · transposed weight [rows, columns], by the matrix unit. */
export function splitDense(options: DenseOptions): Step {
  const { rows, columns, tokens, packed, input, stored } = options;
  const parameters = new Parameters();
  const weights = parameters.readTable(packed);
  const from = parameters.read(input);
  const outputs = stored.map(({ output }) => parameters.write(output));
  const rightVectors = AT_ONCE * blocksOf(columns) * RIGHT_BLOCK;
  const scratch = parameters.write({ kind: 'scratch', vectors: rightVectors + SUM_VECTORS });
  const results = stored.map(({ result }) => result);
  const fused = new Fused(parameters, results);
  /** What is multiplied at once: the examples of a group, at a token where there are some. */
  const places = (count: number): string => `${packInputs(options, from, count)}
    ${tileLoops('m', splitEvenly(tilesOf(rows), AT_ONCE), (tiles) => {
      const products = tileProducts({
        rows: tiles,
        columns: count,
        left: (i) => `weights + (m + ${i}) * ${blocksOf(columns) * LEFT_BLOCK}`,
        right: (j) => `right + ${j * blocksOf(columns) * RIGHT_BLOCK}`,
        blocks: String(blocksOf(columns)),
        exact: { right: 'is_exact' },
        sums: 'sums',
      });
      return `${products}\n${lines(count, (j) => store(options, fused, outputs, tiles, j))}`;
    })}`;
  const overGroups = (count: number): string =>
    `for (; g0 + ${count} <= groups; g0 += ${count}) {\n${places(count)}\n}`;
  const overTokens = `for (long g = 0; g < groups; g++) {
      ${fused.groupLocals}
      ${tilesWithin('t0', splitEvenly(tokens, AT_ONCE), places)}
    }`;
  const body = `const uint32_t *const weights = (const uint32_t *)${weights};
    words *const right = (words *)${scratch};
    v *const sums = ${scratch} + ${rightVectors};
    ${tokens > 1 ? overTokens : `long g0 = 0;\n${[AT_ONCE, 1].map(overGroups).join('\n')}`}`;
  return parameters.step(`split_dense_${columns}to${rows}`, tokens > 1 ? 'group' : 'batch', body, {
    multiplyAdds: tokens * rows * columns,
    split: tokens > 1 ? { parts: tokens, tile: AT_ONCE, whole: wholeTensorsOf(results) } : null,
  });
}

/** Puts inputs into right operands, a place after the other. */
function packInputs({ columns, tokens, input }: DenseOptions, from: string, places: number): string {
  const start = tokens > 1 ? `g * ${input.stride} + (t0 + j) * ${columns}L` : `(g0 + j) * ${input.stride}`;
  const blocks = blocksOf(columns);
  const pairs = (body: string): string => `for (long p = 0; p < ${STEPS / 2}; p++) {
      const long k = ${STEPS} * block + 2 * p;
      const v a = k < ${columns} ? x[k] : (v){0}, b = k + 1 < ${columns} ? x[k + 1] : (v){0};
      ${body}
    }`;
  const packed = packOrSplit(
    'is_exact',
    (
      more,
      body,
    ) => `for (long j = 0; j < ${places}${more}; j++) for (long block = 0; block < ${blocks}${more}; block++) {
      const v *const x = ${from} + ${start};
      words *const to = right + (j * ${blocks} + block) * ${RIGHT_BLOCK};
      ${body}
    }`,
    pairs('beyond |= store_first_pairs(a, b, to + p);'),
    pairs(`store_pairs(a, b, to + p, ${RIGHT_VECTORS});`),
  );
  return `${packed}\nTILES_READ_MEMORY();`;
}

/** Stores the results of row tiles at one place. */
function store(
  { rows, tokens, tokensPerChannel, stored }: DenseOptions,
  fused: Fused,
  outputs: readonly string[],
  tiles: number,
  place: number,
): string {
  const start =
    tokens > 1 ? `const long t = t0 + ${place};` : `const long g = g0 + ${place};\n${fused.groupLocals}`;
  const channel = tokens > 1 && tokensPerChannel > 0 ? `t / ${tokensPerChannel}` : 'c';
  const element = tokens > 1 ? `t * ${rows}L + c` : 'c';
  return `{ ${start}
    ${placesOf(stored, outputs, '0')}
    for (long c = m * ${ROWS}; c < smaller(${rows}, (m + ${tiles}) * ${ROWS}); c++) {
      ${fused.channelLocals(channel)}
      const v computed = sums[${AT_ONCE * ROWS * place} + c - m * ${ROWS}];
      ${values(stored, fused, element, 'computed', `[${element}]`)}
    }
  }`;
}
