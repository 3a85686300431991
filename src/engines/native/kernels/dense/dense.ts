import { Fused } from '../../emit/fused.js';
import type { Segment } from '../../emit/tiles.js';
import { pairs, splitEvenly, tileLoops, tilesWithin } from '../../emit/tiles.js';
import { lines } from '../../emit/text.js';
import type { Stored } from '../../plan/expression.js';
import { leavesOf, wholeTensorsOf } from '../../plan/expression.js';
import type { Table, Tensor, Numbers } from '../../plan/objects.js';
import { Parameters } from '../../plan/parameters.js';
import type { Step } from '../../plan/step.js';
import type { Target } from '../../toolchain/target.js';

/** A matrix [rows, columns] within θ or the constants. */
export interface MatrixView {
  readonly numbers: Numbers;
  readonly rows: number;
  readonly columns: number;
  readonly rowStride: number;
  readonly columnStride: number;
}

/** A matrix and what its numbers are multiplied by, in float64, before they become float32. */
export interface Weight extends MatrixView {
  readonly factor: number;
}

/** Columns of the weight that one pass works on, so that the inputs of a tile stay in the first-level cache. */
const COLUMNS_AT_ONCE = 96;

/** Leaves of an expression beyond which a loop evaluates it, on sums that are stored already: unrolled, it would take long to compile. */
const LONG = 4;

/** Outputs × groups that a tile keeps in registers. */
function tileOf(target: Target): { outputs: number; groups: number } {
  return target.registers === 32 ? { outputs: 5, groups: 5 } : { outputs: 3, groups: 4 };
}

function columnBlocks(columns: number): Segment[] {
  return splitEvenly(columns, COLUMNS_AT_ONCE);
}

/** Numbers that `packDense` writes. */
export const packedDenseLength = ({ rows, columns }: MatrixView, isSparse: boolean): number =>
  rows * columns + (isSparse ? 1 : 0);

/**
 * Puts a weight [rows, columns] into the order in which `dense` reads it: column block, row tile, column, row. For sparse inputs a number
 * follows that is zero where all weights are finite.
 */
export function packDense(weight: MatrixView, target: Target, packed: Table, isSparse: boolean): Step {
  const parameters = new Parameters();
  const numbers = parameters.numbers(weight.numbers);
  const table = parameters.writeTable(packed);
  const element = (row: string, column: string): string =>
    `${numbers}[(${row}) * ${weight.rowStride}L + (${column}) * ${weight.columnStride}L]`;
  const rows = splitEvenly(weight.rows, tileOf(target).outputs);
  const body = `float *w = ${table};
    ${tileLoops('k0', columnBlocks(weight.columns), (columns) =>
      tileLoops(
        'm',
        rows,
        (size) => `for (long k = k0; k < k0 + ${columns}; k++) {
          for (long i = 0; i < ${size}; i++) *w++ = (float)${element('m + i', 'k')};
        }`,
      ),
    )}
    ${isSparse ? finiteCheck(table, weight.rows * weight.columns) : ''}`;
  return parameters.step('pack_dense', 'once', body);
}

/** Stores behind so many numbers the sum of their products with zero. */
const finiteCheck = (table: string, count: number): string => `v sums = {0};
    long k = 0;
    for (; k + LANES <= ${count}; k += LANES) sums += 0 * *(const unaligned_v *)(${table} + k);
    for (long l = 0; k < ${count}; k++, l++) sums[l] += 0 * ${table}[k];
    *w = 0;
    for (long l = 0; l < LANES; l++) *w += sums[l];`;

export interface DenseOptions {
  readonly rows: number;
  readonly columns: number;
  /** Rows of each example that are multiplied, [tokens, columns]. */
  readonly tokens: number;
  /** Successive tokens that belong to one channel of the output; 0 where a token's numbers are the channels. */
  readonly tokensPerChannel: number;
  readonly packed: Table;
  readonly input: Tensor;
  /** Whether columns that are zero in all examples of a tile are likely, so that they are looked for and passed over. */
  readonly isSparse: boolean;
  /** What is stored, in terms of the product (the leaf `computed`), and where. */
  readonly stored: readonly Stored[];
  readonly target: Target;
}

interface Names {
  readonly input: string;
  readonly outputs: readonly string[];
  readonly partial: string;
}

/** Output [tokens, rows] of each example = input [tokens, columns] · transposed weight [rows, columns]. */
export function dense(options: DenseOptions): Step {
  const { rows, columns, tokens, packed, input, stored, target } = options;
  const parameters = new Parameters();
  const weights = parameters.readTable(packed);
  const tile = tileOf(target);
  const names: Names = {
    input: parameters.read(input),
    outputs: stored.map(({ output }) => parameters.write(output)),
    partial: parameters.write({ kind: 'scratch', vectors: rows * tile.groups }),
  };
  const results = stored.map(({ result }) => result);
  const fused = new Fused(parameters, results);
  const passes = (vectors: number): string => `const float *w = ${weights};
      ${options.isSparse ? `const int is_finite = ${weights}[${rows * columns}] == 0;` : ''}
      ${columnPasses(options, fused, names, splitEvenly(rows, tile.outputs), vectors, columnBlocks(columns))}`;
  const overGroups = (groups: number): string =>
    `for (; g0 + ${groups} <= groups; g0 += ${groups}) {\n${passes(groups)}\n}`;
  const overTokens = `for (long g = 0; g < groups; g++) {
      ${fused.groupLocals}
      ${tilesWithin('t0', splitEvenly(tokens, tile.groups), passes)}
    }`;
  const body = tokens > 1 ? overTokens : `long g0 = 0;\n${[tile.groups, 2, 1].map(overGroups).join('\n')}`;
  return parameters.step(`dense_${columns}to${rows}`, tokens > 1 ? 'group' : 'batch', body, {
    multiplyAdds: tokens * rows * columns,
    split: tokens > 1 ? { parts: tokens, tile: tile.groups, whole: wholeTensorsOf(results) } : null,
  });
}

/** All passes but the last keep sums of products in \`partial\`; the last stores the result. */
function columnPasses(
  options: DenseOptions,
  fused: Fused,
  names: Names,
  rows: readonly Segment[],
  groups: number,
  blocks: readonly Segment[],
): string {
  const last = options.columns - blocks.at(-1)!.size;
  const code = tileLoops(
    'm',
    rows,
    (outputs) => `
      ${products(options, names, outputs, groups)}
      ${last === 0 ? '' : `if (k0 < ${last}) { ${keep(names, outputs, groups)} } else`}
      {
        ${store(options, fused, names, outputs, groups)}
      }`,
  );
  const [first, second] = blocks as [Segment, Segment?];
  const size =
    second === undefined ? `${first.size}` : `k0 < ${second.start} ? ${first.size} : ${second.size}`;
  return `for (long k0 = 0, block; k0 < ${options.columns}; k0 += block) {
    block = ${size};
    ${options.isSparse ? usedColumns(options, names, groups) : ''}
    ${code}
  }`;
}

/** Lists the columns of a block that are not zero in all examples of the tile; all where a weight is not finite, as its product with zero is none. */
function usedColumns({ input }: DenseOptions, names: Names, groups: number): string {
  const isZero = (j: number): string => `v_all((ints)(x[${j * input.stride}] == (v){0}))`;
  const zero = Array.from({ length: groups }, (_, j) => isZero(j)).join(' && ');
  return `short used[${COLUMNS_AT_ONCE}];
    long count = 0;
    for (long k = 0; k < block; k++) {
      const v *const x = ${names.input} + g0 * ${input.stride} + k0 + k;
      used[count] = (short)k;
      count += !is_finite || !(${zero});
    }`;
}

const sum = (i: number, j: number): string => `a${i}_${j}`;
const partialIndex = (groups: number, i: number, j: number): string => `(m + ${i}) * ${groups} + ${j}`;

function products(
  { input, columns: all, tokens, isSparse }: DenseOptions,
  names: Names,
  outputs: number,
  groups: number,
): string {
  const tile = pairs(outputs, groups);
  const isSplit = all > COLUMNS_AT_ONCE;
  const stride = tokens > 1 ? all : input.stride;
  const start = tokens > 1 ? `g * ${input.stride} + t0 * ${all}L` : `g0 * ${input.stride}`;
  const add = (x: string, w: string): string => `${lines(groups, (j) => `v x${j} = ${x}[${j * stride}]; IN_REGISTER(x${j});`)}
      ${lines(outputs, (i) => `{ v f = v_set(${w}[${i}]); IN_REGISTER(f); ${lines(groups, (j) => `${sum(i, j)} += f * x${j};`).replaceAll('\n', ' ')} }`)}`; // prettier-ignore
  const overUsed = `for (long n = 0; n < count; n++) {
      const v *const used_x = x + used[n];
      const float *const used_w = w + used[n] * ${outputs};
      ${add('used_x', 'used_w')}
    }
    w += block * ${outputs};`;
  return `${tile.map(([i, j]) => `v ${sum(i, j)} = {0};`).join(' ')}
    ${isSplit ? `if (k0 > 0) { ${tile.map(([i, j]) => `${sum(i, j)} = ${names.partial}[${partialIndex(groups, i, j)}];`).join(' ')} }` : ''}
    const v *x = ${names.input} + ${start} + k0;
    ${isSparse ? `if (count < block) {\n${overUsed}\n} else` : ''}
    for (long k = 0; k < block; k++) {
      ${add('x', 'w')}
      x++; w += ${outputs};
    }`;
}

function keep(names: Names, outputs: number, groups: number): string {
  return pairs(outputs, groups)
    .map(([i, j]) => `${names.partial}[${partialIndex(groups, i, j)}] = ${sum(i, j)};`)
    .join(' ');
}

function store(options: DenseOptions, fused: Fused, names: Names, outputs: number, groups: number): string {
  const { stored, tokens } = options;
  if (tokens > 1) return storeTokens(options, fused, names, outputs, groups);
  return lines(
    groups,
    (j) => `{ const long g = g0 + ${j};
      ${fused.groupLocals}
      ${placesOf(stored, names.outputs, 'm')}
      ${lines(outputs, (i) => `{ ${fused.channelLocals(`m + ${i}`)} ${values(stored, fused, `m + ${i}`, sum(i, j), `[${i}]`)} }`)}
    }`,
  );
}

/** Pointers to where the results of a tile go, the first `element` of which is a C expression. */
export const placesOf = (stored: readonly Stored[], outputs: readonly string[], element: string): string =>
  stored
    .map(({ output }, k) => `v *const y${k} = ${outputs[k]!} + g * ${output.stride} + ${element};`)
    .join('\n');

/** Stores each result of one product at a place behind its pointer. */
export function values(
  stored: readonly Stored[],
  fused: Fused,
  element: string,
  computed: string,
  place: string,
): string {
  const evaluated = stored.map(
    ({ result }, k) => `const v r${k} = ${fused.value(result, element, computed)};`,
  );
  return `${evaluated.join(' ')} ${stored.map((_, k) => `y${k}${place} = r${k};`).join(' ')}`;
}

function storeTokens(
  { stored, rows, tokensPerChannel }: DenseOptions,
  fused: Fused,
  names: Names,
  outputs: number,
  tokens: number,
): string {
  const channel = (i: number | string): string =>
    tokensPerChannel > 0 ? `t / ${tokensPerChannel}` : `m + ${i}`;
  if (stored.some(({ result }) => [...leavesOf(result)].length > LONG)) {
    const sums = lines(tokens, (j) => lines(outputs, (i) => `y0[${j * rows + i}] = ${sum(i, j)};`));
    return `{ ${placesOf(stored, names.outputs, `t0 * ${rows}L + m`)}
      ${sums}
      for (long j = 0; j < ${tokens}; j++) for (long i = 0; i < ${outputs}; i++) {
        const long t = t0 + j;
        ${fused.channelLocals(channel('i'))}
        const v computed = y0[j * ${rows} + i];
        ${values(stored, fused, `t * ${rows}L + m + i`, 'computed', `[j * ${rows} + i]`)}
      } }`;
  }
  return lines(
    tokens,
    (j) => `{ const long t = t0 + ${j}, e = t * ${rows}L + m;
      ${placesOf(stored, names.outputs, 'e')}
      ${lines(outputs, (i) => `{ ${fused.channelLocals(channel(i))} ${values(stored, fused, `e + ${i}`, sum(i, j), `[${i}]`)} }`)}
    }`,
  );
}
