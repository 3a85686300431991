import { Fused } from '../../emit/fused.js';
import { lines } from '../../emit/text.js';
import type { Expression } from '../../plan/expression.js';
import type { Sums, Tensor } from '../../plan/objects.js';
import { Parameters } from '../../plan/parameters.js';
import type { Step } from '../../plan/step.js';
import type { PassedOver, ProductSums } from '../product-sums.js';
import { addProducts, paddedColumns, transposeColumns, transposedVectors } from '../product-sums.js';

/** Groups of examples that are summed in float32 before they join the sums in double. */
const groupsAtOnce = (lanes: number): number => 256 / lanes;

/** Numbers that the padded sums of a weight take. */
export function packedSumsLength(sums: ProductSums): number {
  return sums.rows * paddedColumns(sums);
}

/** True where the columns of [p, q] sums should be the first axis: where fewer lanes stay unused, or fewer are transposed. */
export function suitsFirstAxis(p: number, q: number, lanes: number): boolean {
  const waste = (columns: number): number => (Math.ceil(columns / lanes) * lanes) / columns;
  return waste(p) < waste(q) || (waste(p) === waste(q) && p < q);
}

interface WeightOperands {
  readonly rows: Tensor;
  readonly columns: Tensor;
  readonly packed: Sums;
  /** Elements of a sum that are transposed at once. */
  readonly steps: number;
}

/** The parameters of a sum of products in their order, by the names that the code uses. */
function begin(shape: ProductSums, { rows, columns, packed, steps }: WeightOperands) {
  const operand: Expression = { kind: 'tensor', tensor: columns };
  const parameters = new Parameters();
  const fused = new Fused(parameters, [operand]);
  const x = parameters.read(rows);
  const scratch = parameters.write({ kind: 'scratch', vectors: transposedVectors(shape, steps) });
  const sums = parameters.writeSums(packed);
  return { operand, parameters, fused, x, scratch, sums };
}

/** Adds Σ over examples and their tokens of rows [tokens, rows] · columns [tokens, columns] to `packed`. */
export function denseWeights(
  shape: ProductSums,
  rows: Tensor,
  columns: Tensor,
  packed: Sums,
  tokens = 1,
): Step {
  if (tokens > 1) return tokenWeights(shape, rows, columns, packed, tokens);
  const { lanes } = shape.target;
  const atOnce = groupsAtOnce(lanes);
  const steps = atOnce * lanes;
  const { operand, parameters, fused, x, scratch, sums } = begin(shape, { rows, columns, packed, steps });
  const transposed = transposeColumns(shape, fused, {
    operand,
    to: scratch,
    steps,
    first: '0',
    channelStride: 1,
    positions: (body) => `for (long n = 0; n < count; n++) {
      const long g = g0 + n;
      ${fused.groupLocals}
      ${body}
    }`,
    step: 'n * LANES',
    element: '0',
  });
  const place = (n: string): string => `(const float *)(${x} + (g0 + ${n}) * ${rows.stride} + r)`;
  // Inputs of a network are often zero; what they are multiplied by may not be finite, and then its product with zero is no zero.
  const passedOver: PassedOver = {
    unless: '!is_finite',
    count: 'count * LANES',
    most: steps,
    at: `const float *const z = ${place('s / LANES')} + s % LANES;`,
  };
  const isSparse = columns.origin === 'fed';
  const products = addProducts(shape, {
    to: sums,
    from: scratch,
    steps,
    passedOver: isSparse ? passedOver : null,
    row: (i) => `z[${i} * LANES]`,
    walk: (_, body) => `for (long n = 0; n < count; n++) {
      const float *z = ${place('n')};
      for (long l = 0; l < LANES; l++) {
        ${body}
        z++;
      }
    }`,
  });
  const body = `for (long g0 = 0; g0 < groups; g0 += ${atOnce}) {
      const long count = smaller(${atOnce}, groups - g0);
      ${transposed}
      ${isSparse ? finiteCheck(x, rows.stride, shape.rows) : ''}
      ${products}
    }`;
  return parameters.step(`dense_weights_${shape.rows}x${shape.columns}`, 'batch', body, {
    multiplyAdds: shape.rows * shape.columns,
  });
}

/** Whether so many rows of the groups at hand are finite: the sum of their products with zero is zero then. */
const finiteCheck = (x: string, stride: number, rows: number): string => `v sums = {0};
      for (long n = 0; n < count; n++) for (long i = 0; i < ${rows}; i++) sums += 0 * ${x}[(g0 + n) * ${stride} + i];
      const int is_finite = v_all((ints)(sums == (v){0}));`;

/** The same with the tokens of an example one after the other. */
function tokenWeights(shape: ProductSums, rows: Tensor, columns: Tensor, packed: Sums, tokens: number): Step {
  const { lanes } = shape.target;
  const atOnce = Math.min(tokens, groupsAtOnce(lanes));
  const steps = atOnce * lanes;
  const { operand, parameters, fused, x, scratch, sums } = begin(shape, { rows, columns, packed, steps });
  const transposed = transposeColumns(shape, fused, {
    operand,
    to: scratch,
    steps,
    first: '0',
    channelStride: 1,
    positions: (body) => `for (long n = 0; n < count; n++) {\n${body}\n}`,
    step: 'n * LANES',
    element: `(t0 + n) * ${shape.columns}L`,
  });
  const products = addProducts(shape, {
    to: sums,
    from: scratch,
    steps,
    row: (i) => `z[${i} * LANES]`,
    walk: (tile, body) => `for (long n = 0; n < count; n++) {
      const float *z = (const float *)(${x} + g * ${rows.stride} + (t0 + n) * ${shape.rows}L + r);
      ${lines(tile, (i) => `__builtin_prefetch(z + (${tile + i}) * LANES);`)}
      for (long l = 0; l < LANES; l++) {
        ${body}
        z++;
      }
    }`,
  });
  const body = `for (long g = 0; g < groups; g++) {
      ${fused.groupLocals}
      for (long t0 = 0; t0 < ${tokens}; t0 += ${atOnce}) {
        const long count = smaller(${atOnce}, ${tokens} - t0);
        ${transposed}
        ${products}
      }
    }`;
  return parameters.step(`dense_weights_${shape.rows}x${shape.columns}`, 'batch', body, {
    multiplyAdds: tokens * shape.rows * shape.columns,
  });
}

/** Rows whose sums are copied together, so that both orders stay in the cache. */
const COPIED_AT_ONCE = 8;

/** Adds the padded sums [rows, columns] to `output` [columns, rows]. */
export function transposeDenseWeights(shape: ProductSums, packed: Sums, output: Sums): Step {
  const parameters = new Parameters();
  const from = parameters.readSums(packed);
  const to = parameters.writeSums(output);
  const { rows, columns } = shape;
  const width = paddedColumns(shape);
  const copy = (row: string): string => `${to}[j * ${rows}L + ${row}] += ${from}[(${row}) * ${width}L + j];`;
  const whole = rows - (rows % COPIED_AT_ONCE);
  const body = `long i = 0;
    for (; i < ${whole}; i += ${COPIED_AT_ONCE}) for (long j = 0; j < ${columns}; j++) {
      ${lines(COPIED_AT_ONCE, (k) => copy(`i + ${k}`))}
    }
    for (; i < ${rows}; i++) for (long j = 0; j < ${columns}; j++) ${copy('i')}`;
  return parameters.step('transpose_dense_weights', 'once', body);
}
