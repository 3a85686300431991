import { Fused } from '../../emit/fused.js';
import type { Segment } from '../../emit/tiles.js';
import { pairs, splitEvenly, tileLoops } from '../../emit/tiles.js';
import { lines } from '../../emit/text.js';
import type { Expression } from '../../plan/expression.js';
import { tensorsOf } from '../../plan/expression.js';
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

/** Columns of the weight that one pass works on, so that the inputs of a tile stay in the first-level cache. */
const COLUMNS_AT_ONCE = 96;

/** Outputs × groups that a tile keeps in registers. */
function tileOf(target: Target): { outputs: number; groups: number } {
  return target.registers === 32 ? { outputs: 5, groups: 5 } : { outputs: 3, groups: 4 };
}

function columnBlocks(columns: number): Segment[] {
  return splitEvenly(columns, COLUMNS_AT_ONCE);
}

/** Puts a weight [rows, columns] into the order in which `dense` reads it: column block, row tile, column, row. */
export function packDense(weight: MatrixView, target: Target, packed: Table): Step {
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
    )}`;
  return parameters.step('pack_dense', 'once', body);
}

export interface DenseOptions {
  readonly rows: number;
  readonly columns: number;
  readonly packed: Table;
  readonly input: Tensor;
  readonly output: Tensor;
  /** What is stored, in terms of the product (the leaf \`computed\`). */
  readonly result: Expression;
  readonly target: Target;
}

interface Names {
  readonly input: string;
  readonly output: string;
  readonly partial: string;
}

/** Output [rows] of each example = weight [rows, columns] · input [columns]. */
export function dense(options: DenseOptions): Step {
  const { rows, columns, packed, input, output, target } = options;
  const parameters = new Parameters();
  const weights = parameters.readTable(packed);
  const tile = tileOf(target);
  const names: Names = {
    input: parameters.read(input),
    output: parameters.write(output),
    partial: parameters.write({ kind: 'scratch', vectors: rows * tile.groups }),
  };
  const fused = new Fused(parameters, [options.result]);
  const pass = (groups: number): string =>
    `for (; g0 + ${groups} <= groups; g0 += ${groups}) {
      const float *w = ${weights};
      ${columnPasses(options, fused, names, splitEvenly(rows, tile.outputs), groups, columnBlocks(columns))}
    }`;
  const groupTiles = [tile.groups, 2, 1];
  const replaceable = tensorsOf(options.result).filter((tensor) => tensor !== input);
  return parameters.step(
    `dense_${columns}to${rows}`,
    'batch',
    `long g0 = 0;\n${groupTiles.map(pass).join('\n')}`,
    {
      replaceable,
      multiplyAdds: rows * columns,
    },
  );
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
  return tileLoops('k0', blocks, (columns) =>
    tileLoops(
      'm',
      rows,
      (outputs) => `
      ${products(options, names, outputs, groups, columns)}
      ${last === 0 ? '' : `if (k0 < ${last}) { ${keep(names, outputs, groups)} } else`}
      {
        ${store(options, fused, names, outputs, groups)}
      }`,
    ),
  );
}

const sum = (i: number, j: number): string => `a${i}_${j}`;
const partialIndex = (groups: number, i: number, j: number): string => `(m + ${i}) * ${groups} + ${j}`;

function products(
  { input, columns: all }: DenseOptions,
  names: Names,
  outputs: number,
  groups: number,
  columns: number,
): string {
  const tile = pairs(outputs, groups);
  const isSplit = all > columns;
  return `${tile.map(([i, j]) => `v ${sum(i, j)} = {0};`).join(' ')}
    ${isSplit ? `if (k0 > 0) { ${tile.map(([i, j]) => `${sum(i, j)} = ${names.partial}[${partialIndex(groups, i, j)}];`).join(' ')} }` : ''}
    const v *x = ${names.input} + g0 * ${input.stride} + k0;
    for (long k = 0; k < ${columns}; k++) {
      ${lines(groups, (j) => `const v x${j} = x[${j * input.stride}];`)}
      ${lines(outputs, (i) => `{ const float f = w[${i}]; ${lines(groups, (j) => `${sum(i, j)} += f * x${j};`).replaceAll('\n', ' ')} }`)}
      x++; w += ${outputs};
    }`;
}

function keep(names: Names, outputs: number, groups: number): string {
  return pairs(outputs, groups)
    .map(([i, j]) => `${names.partial}[${partialIndex(groups, i, j)}] = ${sum(i, j)};`)
    .join(' ');
}

function store(
  { output, result }: DenseOptions,
  fused: Fused,
  names: Names,
  outputs: number,
  groups: number,
): string {
  return lines(
    groups,
    (j) => `{ const long g = g0 + ${j};
      ${fused.groupLocals}
      v *y = ${names.output} + g * ${output.stride} + m;
      ${lines(outputs, (i) => `{ ${fused.channelLocals(`m + ${i}`)} y[${i}] = ${fused.value(result, `m + ${i}`, sum(i, j))}; }`)}
    }`,
  );
}
