import { Fused } from '../../emit/fused.js';
import { registerTile } from '../../emit/register-tile.js';
import { lines } from '../../emit/text.js';
import type { Segment } from '../../emit/tiles.js';
import { pairs, splitEvenly, tileLoops } from '../../emit/tiles.js';
import type { Expression } from '../../plan/expression.js';
import { dependsOnChannel, wholeTensorsOf } from '../../plan/expression.js';
import type { StoredObject, Tensor } from '../../plan/objects.js';
import { Parameters } from '../../plan/parameters.js';
import type { Split, Step } from '../../plan/step.js';
import type { Target } from '../../toolchain/target.js';

/** Matrices [..., rows, columns] of each example, anywhere in a tensor: strides of all axes, in elements. */
export interface Matrices {
  readonly tensor: Tensor;
  readonly offset: number;
  readonly strides: readonly number[];
}

/**
 * What is known to be zero, or need not be computed, of matrices whose rows and columns are tokens: `output` wants nothing above the
 * diagonal, `left` and `right` have zeros there, `leftTransposed` below it.
 */
export type Triangle = 'none' | 'output' | 'left' | 'leftTransposed' | 'right';

export interface BatchedProduct {
  /** Extents of the axes before the last two. */
  readonly batch: readonly number[];
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  /** [...batch, rows, inner] */
  readonly left: Matrices;
  /** [...batch, inner, columns] */
  readonly right: Matrices;
  /** [...batch, rows, columns] */
  readonly output: Matrices;
  /** What is stored, in terms of the product (the leaf `computed`); its elements count row-major. */
  readonly result: Expression;
  readonly triangle: Triangle;
  readonly target: Target;
}

const at = (strides: readonly number[], names: readonly string[]): string =>
  ['0', ...names.map((name, axis) => `${name} * ${strides[axis]!}L`)].join(' + ');

/** Rows and columns of a tile at most: both operands are loaded as vectors, so that neither should be long. */
const LARGEST_TILE = 6;

/** Bytes of packed columns that stay in the first-level cache beside rows and sums. */
const PACKED_BYTES = 24 << 10;

/** Steps before its use at which a row's number is brought into the cache; where there are few steps, it is the next tile's. */
const STEPS_AHEAD = 8;

/** Vectors of the right operand that are packed at once, in whole tiles of `width` columns. */
function columnsAtOnce({ inner, target }: BatchedProduct, width: number): number {
  const fitting = Math.floor(PACKED_BYTES / (4 * target.lanes * inner));
  return width * Math.max(1, Math.floor(fitting / width));
}

/** What the code of a product is made of. */
interface Parts {
  readonly options: BatchedProduct;
  readonly fused: Fused;
  readonly heights: readonly Segment[];
  /** C expression of where columns are packed; null where they are read once, and so stay where they are. */
  readonly packed: string | null;
}

/** Products of the matrices of each example: both operands have examples in lanes, so nothing is shuffled. */
export function batchedProduct(options: BatchedProduct): Step {
  const { batch, rows, inner, columns, left, right, output, result, target } = options;
  const parameters = new Parameters();
  const [a, b] = [parameters.read(left.tensor), parameters.read(right.tensor)];
  const y = parameters.write(output.tensor);
  const fused = new Fused(parameters, [result]);
  const names = batch.map((_, axis) => `b${axis}`);
  const tile = registerTile(rows, columns, target.registers, LARGEST_TILE);
  const vectors = inner * Math.min(columns, columnsAtOnce(options, tile.columns));
  const packed = rows > tile.rows ? parameters.write({ kind: 'scratch', vectors }) : null;
  const parts: Parts = { options, fused, heights: splitEvenly(rows, tile.rows), packed };
  const product = splitEvenly(columns, tile.columns).map((segment) => panels(parts, segment));
  const body = batch.reduceRight(
    (code, extent, axis) =>
      axis === 0
        ? `for (long b0 = low; b0 < high; b0++) {\n${code}\n}`
        : `for (long b${axis} = 0; b${axis} < ${extent}; b${axis}++) {\n${code}\n}`,
    `const v *const a = ${a} + g * ${left.tensor.stride} + ${left.offset} + ${at(left.strides, names)};
     const v *const b = ${b} + g * ${right.tensor.stride} + ${right.offset} + ${at(right.strides, names)};
     v *const y = ${y} + g * ${output.tensor.stride} + ${output.offset} + ${at(output.strides, names)};
     const long e = ${logical(batch, rows * columns)};
     ${product.join('\n')}`,
  );
  const count = batch.reduce((product, extent) => product * extent, 1);
  const share = options.triangle === 'none' ? 1 : 0.5;
  return parameters.step(
    `product_${rows}x${inner}x${columns}`,
    'group',
    `for (long g = 0; g < groups; g++) {\n${fused.groupLocals}\n${body}\n}`,
    { multiplyAdds: share * count * rows * inner * columns, split: splitOf(options) },
  );
}

/** By the first axis of the matrices. */
function splitOf({ batch, rows, inner, columns, left, right, output, result }: BatchedProduct): Split | null {
  const [parts, ...others] = batch;
  if (parts === undefined) return null;
  const isByPart = ({ tensor, offset, strides }: Matrices, matrix: readonly number[]): boolean => {
    const last = [...others, ...matrix].reduce(
      (sum, extent, k) => sum + (extent - 1) * strides[k + 1]!,
      offset,
    );
    return strides[0]! * parts === tensor.elements && last < strides[0]!;
  };
  const whole = new Set<StoredObject>(wholeTensorsOf([result]));
  if (!isByPart(left, [rows, inner])) whole.add(left.tensor);
  if (!isByPart(right, [inner, columns])) whole.add(right.tensor);
  if (!isByPart(output, [rows, columns])) whole.add(output.tensor);
  return { parts, tile: 1, whole };
}

/** All rows times the columns of a segment, as many columns at once as stay in the cache, packed tile by tile. */
function panels({ options, fused, heights, packed }: Parts, { start, size, count }: Segment): string {
  const { inner, right, triangle } = options;
  const [innerStep, columnStep] = right.strides.slice(-2) as [number, number];
  const end = start + size * count;
  const atOnce = Math.min(size * count, columnsAtOnce(options, size));
  const operand: RightOperand =
    packed === null
      ? { tile: `b + n * ${columnStep}L`, innerStep, columnStep }
      : { tile: `${packed} + (n - n0) * ${inner}`, innerStep: size, columnStep: 1 };
  const pack = `for (long n = n0; n < stop; n += ${size}) for (long k = ${triangle === 'right' ? 'n' : '0'}; k < ${inner}; k++) {
      const v *const from = b + n * ${columnStep}L + k * ${innerStep}L;
      v *const to = ${packed} + (n - n0) * ${inner} + k * ${size};
      ${lines(size, (j) => `to[${j}] = from[${j * columnStep}];`)}
    }`;
  return `for (long n0 = ${start}; n0 < ${end}; n0 += ${atOnce}) {
      const long stop = smaller(n0 + ${atOnce}, ${end});
      ${packed === null ? '' : pack}
      ${tileLoops('m', heights, (height) => `for (long n = n0; n < stop; n += ${size}) {\n${tileCode(options, fused, height, size, operand)}\n}`)}
    }`;
}

/** C expression of the first element of a matrix, row-major. */
function logical(batch: readonly number[], size: number): string {
  const index = batch.reduce((code, extent, axis) => `(${code}) * ${extent} + b${axis}`, '0');
  return `(${index}) * ${size}L`;
}

function bounds({ triangle, inner }: BatchedProduct, height: number): { first: string; end: string } {
  if (triangle === 'left') return { first: '0', end: `smaller(${inner}, m + ${height})` };
  if (triangle === 'right') return { first: 'n', end: `${inner}` };
  return { first: triangle === 'leftTransposed' ? 'm' : '0', end: `${inner}` };
}

/** Where a tile's columns of the right operand are. */
interface RightOperand {
  /** C expression of the first. */
  readonly tile: string;
  readonly innerStep: number;
  readonly columnStep: number;
}

function tileCode(
  options: BatchedProduct,
  fused: Fused,
  height: number,
  width: number,
  operand: RightOperand,
): string {
  const { left, output, inner, columns, result, triangle, batch } = options;
  const [rowStep, innerStep] = left.strides.slice(-2) as [number, number];
  const [outRow, outColumn] = output.strides.slice(-2) as [number, number];
  const tile = pairs(height, width);
  const { first, end } = bounds(options, height);
  const ahead = inner > 2 * STEPS_AHEAD ? STEPS_AHEAD * innerStep : height * rowStep;
  const channel = (i: number): string => (batch.length > 0 ? 'b0' : `m + ${i}`);
  const locals = (i: number): string => (dependsOnChannel(result) ? fused.channelLocals(channel(i)) : '');
  const code = `${tile.map(([i, j]) => `v a${i}_${j} = {0};`).join(' ')}
    const v *x = a + m * ${rowStep}L + (${first}) * ${innerStep}L, *z = ${operand.tile} + (${first}) * ${operand.innerStep}L;
    const long last = ${end};
    for (long k = ${first}; k < last; k++) {
      ${lines(height, (i) => `__builtin_prefetch(x + ${i * rowStep + ahead}L);`)}
      ${lines(width, (j) => `v z${j} = z[${j * operand.columnStep}]; IN_REGISTER(z${j});`)}
      ${lines(height, (i) => `{ v f = x[${i * rowStep}]; IN_REGISTER(f); ${lines(width, (j) => `a${i}_${j} += f * z${j};`).replaceAll('\n', ' ')} }`)}
      x += ${innerStep}; z += ${operand.innerStep};
    }
    v *const to = y + m * ${outRow}L + n * ${outColumn}L;
    ${tile.map(([i, j]) => `{ ${locals(i)} to[${i * outRow + j * outColumn}] = ${fused.value(result, `e + (m + ${i}) * ${columns} + n + ${j}`, `a${i}_${j}`)}; }`).join('\n')}`;
  return triangle === 'output' ? `if (n < m + ${height}) {\n${code}\n}` : code;
}
