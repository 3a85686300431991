import { Fused } from '../../emit/fused.js';
import { lines } from '../../emit/text.js';
import { pairs, tileLoops } from '../../emit/tiles.js';
import type { Expression } from '../../plan/expression.js';
import type { Sums } from '../../plan/objects.js';
import { Parameters } from '../../plan/parameters.js';
import type { Step } from '../../plan/step.js';
import type { WeightsShape } from '../convolution/weights.js';
import { forwardGather, multiplyAdds, sizesOf, windowTaps } from '../convolution/gather.js';
import type { PatchAccess } from '../convolution/patch.js';
import { copiedPatch, patchVectors } from '../convolution/patch.js';
import type { ProductSums } from '../product-sums.js';
import {
  addProducts,
  columnTiles,
  paddedColumns,
  transposeColumns,
  transposedVectors,
} from '../product-sums.js';
import type { AxisScheme, ForwardAxis, Scheme } from './scheme.js';
import type { TileBlocks } from './tiles.js';
import { combination, positionsOf } from './scheme.js';
import { areFar, positionStride, tileBlocks, tilePatch, transformInput } from './tiles.js';

/** Numbers in double of a cache line. */
const DOUBLES_PER_LINE = 8;
/**
 * Tiles of a block: few, so that both operands stay in the caches and sums in float32 are short; with many channels more, so
 * that reading and writing their sums in double, one for each pair of channels, does not take as long as the operands.
 */
const LEAST_TILES = 8;
const CHANNELS_PER_TILE = 12;

type WeightScheme = Scheme<ForwardAxis>;

/** How both operands of a block lie in memory. Lengths are in vectors, steps are examples of tiles. */
interface Plan {
  readonly scheme: WeightScheme;
  readonly sums: ProductSums;
  readonly blocks: TileBlocks;
  /** Groups of examples that are worked on at once. */
  readonly groups: number;
  /** Tiles of one group in a block. */
  readonly tiles: number;
  /** Most steps of a block. */
  readonly steps: number;
  /** From one channel of the transformed inputs to the next: odd, so that rows do not fall into the same few cache sets. */
  readonly inputStride: number;
  /** From one position to the next, of inputs and gradients. */
  readonly inputs: number;
  readonly gradients: number;
  /** Rows and columns of the gradient that a band covers, and steps of its pixels. */
  readonly band: number;
  readonly width: number;
  readonly bandSteps: number;
}

function sumsOf({ convolution: c, target }: WeightsShape): ProductSums {
  return { rows: c.inputChannels, columns: c.outputChannels, target };
}

function planOf(shape: WeightsShape, scheme: WeightScheme): Plan {
  const { convolution: c, target } = shape;
  const sums = sumsOf(shape);
  const channels = (c.inputChannels * c.outputChannels) / (c.inputChannels + c.outputChannels);
  const wanted = Math.max(LEAST_TILES, Math.round(channels / CHANNELS_PER_TILE));
  const blocks = tileBlocks({ height: c.output[0]!, width: c.output[1]! }, scheme, wanted);
  const tiles = blocks.bandRows * blocks.columns;
  const isWhole = blocks.bands === 1 && blocks.blocks === 1;
  const groups = isWhole ? Math.max(1, Math.floor(wanted / tiles)) : 1;
  const steps = groups * tiles * target.lanes;
  const inputStride = (groups * tiles) | 1;
  const band = scheme.rows.outputs * blocks.bandRows;
  const width = scheme.columns.outputs * blocks.columns * blocks.blocks;
  return {
    scheme,
    sums,
    blocks,
    groups,
    tiles,
    steps,
    inputStride,
    inputs: positionStride(c.inputChannels * inputStride, scheme),
    gradients: positionStride(transposedVectors(sums, steps), scheme),
    band,
    width,
    bandSteps: band * width * target.lanes,
  };
}

/** Numbers from the padded sums of one position to those of the next. */
function sumsStride(sums: ProductSums, scheme: WeightScheme): number {
  const cacheLines = Math.ceil((sums.rows * paddedColumns(sums)) / DOUBLES_PER_LINE);
  return DOUBLES_PER_LINE * positionStride(cacheLines, scheme);
}

/** Numbers that the padded sums of all positions take. */
export function winogradSumsLength(shape: WeightsShape, scheme: WeightScheme): number {
  return positionsOf(scheme) * sumsStride(sumsOf(shape), scheme);
}

/** The same as `convolutionWeights`, by a scheme that suits the window; sums stay apart by position. */
export function winogradWeights(
  shape: WeightsShape,
  scheme: WeightScheme,
  gradient: Expression,
  input: Expression,
  packed: Sums,
): Step {
  const { convolution: c } = shape;
  const plan = planOf(shape, scheme);
  const { sums, blocks, groups, steps } = plan;
  const positions = positionsOf(scheme);
  const extent = { height: c.input[0]!, width: c.input[1]! };
  const patch = tilePatch(c.inputChannels, extent, scheme, blocks, windowTaps(c));
  const patchSize = patchVectors(patch, blocks.bandRows);
  const parameters = new Parameters();
  const fused = new Fused(parameters, [gradient, input]);
  const vectors =
    patchSize + transposedVectors(sums, plan.bandSteps) + positions * (plan.inputs + plan.gradients);
  const scratch = parameters.write({ kind: 'scratch', vectors });
  const to = parameters.writeSums(packed);
  const xs = copiedPatch(patch, blocks.bandRows, 'xs', fused, input);
  const isFar = areFar(8 * winogradSumsLength(shape, scheme));
  const products = addProducts(sums, {
    to: `${to} + p * ${sumsStride(sums, scheme)}L`,
    from: `gradients + p * ${plan.gradients}L`,
    steps,
    order: 'tiles',
    isFar,
    row: (i) => `z[${i * plan.inputStride} * LANES]`,
    walk: (
      rows,
      body,
    ) => `const float *z = (const float *)(inputs + p * ${plan.inputs}L + r * ${plan.inputStride});
      for (long n = 0; n < count * ${plan.tiles}; n++) {
        ${isFar ? lines(rows, (i) => `__builtin_prefetch(z + ${(rows + i) * plan.inputStride} * LANES);`) : ''}
        for (long l = 0; l < LANES; l++) { ${body} z++; }
      }`,
  });
  const body = `v *const xs = ${scratch}, *const ys = xs + ${patchSize};
    v *const inputs = ys + ${transposedVectors(sums, plan.bandSteps)}, *const gradients = inputs + ${positions * plan.inputs};
    for (long g0 = 0; g0 < groups; g0 += ${groups}) for (long m0 = 0; m0 < ${blocks.bandRows * blocks.bands}; m0 += ${blocks.bandRows})
    for (long q0 = 0; q0 < ${blocks.columns * blocks.blocks}; q0 += ${blocks.columns}) {
      const long count = smaller(${groups}, groups - g0);
      for (long k = 0; k < count; k++) {
        if (q0 == 0) {
          const long g = g0 + k;
          ${fused.groupLocals}
          ${xs.fill}
          ${transposedBand(shape, plan, fused, gradient)}
        }
        ${transformInputs(plan, xs)}
        ${transformGradients(plan)}
      }
      for (long p = 0; p < ${positions}; p++) {
        ${products}
      }
    }`;
  const gather = forwardGather(c);
  const name = `winograd_weights_${sizesOf(gather)}`;
  return parameters.step(name, groups > 1 ? 'batch' : 'group', body, { multiplyAdds: multiplyAdds(gather) });
}

/** The gradient's band with channels in lanes, zero outside the plane. */
function transposedBand(
  { convolution: c }: WeightsShape,
  { scheme, sums, blocks, band, width, bandSteps }: Plan,
  fused: Fused,
  operand: Expression,
): string {
  const [height, columns] = c.output as [number, number];
  const isCut = band * blocks.bands > height || width > columns;
  const zeros = `memset(ys, 0, sizeof(v) * ${transposedVectors(sums, bandSteps)});`;
  return `${isCut ? zeros : ''}
    ${transposeColumns(sums, fused, {
      operand,
      to: 'ys',
      steps: bandSteps,
      first: '0',
      channelStride: height * columns,
      positions: (body) => `const long n0 = ${scheme.rows.outputs} * m0;
        for (long n = 0; n < smaller(${band}, ${height} - n0); n++)
        for (long q = 0; q < ${columns}; q++) {\n${body}\n}`,
      step: `(n * ${width} + q) * LANES`,
      element: `(n0 + n) * ${columns} + q`,
    })}`;
}

/** Bᵀ · x · B of the k-th group's tiles. */
function transformInputs(
  { scheme, sums, blocks, tiles, inputStride, inputs }: Plan,
  xs: PatchAccess,
): string {
  return `for (long c = 0; c < ${sums.rows}; c++) for (long i = 0; i < ${blocks.bandRows}; i++) {
      const v *z = xs + c * ${xs.channelStride} + i * ${scheme.rows.step * xs.rowStride} + q0 * ${scheme.columns.step};
      v *const to = inputs + c * ${inputStride} + k * ${tiles} + i * ${blocks.columns};
      ${transformInput(scheme, xs.rowStride, blocks.columns, inputs)}
    }`;
}

/** A · dy · Aᵀ of the k-th group's tiles, with channels in lanes. */
function transformGradients({
  scheme,
  sums,
  blocks,
  tiles,
  steps,
  gradients,
  width,
  bandSteps,
}: Plan): string {
  const { rows, columns } = scheme;
  const cell = (row: number, column: number, size: number): string =>
    `z[${(row * width + column) * size} * LANES + e]`;
  const vertical = (size: number): string =>
    lines(columns.outputs, (column) =>
      rows.gradient(
        (row) => cell(row, column, size),
        (row, value) => `r${row}_${column} = ${value};`,
      ),
    );
  const horizontal = lines(rows.positions, (row) =>
    columns.gradient(
      (column) => `r${row}_${column}`,
      (column, value) => `to[${(columns.positions * row + column) * gradients}L + e] = ${value};`,
    ),
  );
  return tileLoops(
    'o',
    columnTiles(sums),
    (size) => `for (long i = 0; i < ${blocks.bandRows}; i++) for (long j = 0; j < ${blocks.columns}; j++) {
      const v *const z = ys + o * ${bandSteps} + (i * ${rows.outputs * width} + (q0 + j) * ${columns.outputs}) * LANES * ${size};
      v *const to = gradients + o * ${steps} + (k * ${tiles} + i * ${blocks.columns} + j) * LANES * ${size};
      for (long e = 0; e < LANES * ${size}; e++) {
        v ${pairs(rows.positions, columns.outputs)
          .map(([a, b]) => `r${a}_${b}`)
          .join(', ')};
        ${vertical(size)}
        ${horizontal}
      }
    }`,
  );
}

/** Adds Gᵀ · sums · G to the parameter's gradient [outputs, inputs, r, r]. */
export function unpackWinogradWeights(
  shape: WeightsShape,
  scheme: WeightScheme,
  packed: Sums,
  output: Sums,
): Step {
  const parameters = new Parameters();
  const from = parameters.readSums(packed);
  const to = parameters.writeSums(output);
  const { rows: down, columns: across } = scheme;
  const r = down.taps;
  const sums = sumsOf(shape);
  const { rows, columns } = sums;
  const factors = ({ kernel }: AxisScheme, tap: number): number[] => kernel.map((terms) => terms[tap]!);
  const position = (row: number, column: number): string =>
    `*(const doubles *)(u + ${(across.positions * row + column) * sumsStride(sums, scheme)}L)`;
  const unpacked = (
    size: number,
  ): string => `for (long j = 0; j < ${size}; j++) for (long h = 0; h < LANES; h += LANES / 2)
    for (long c = 0; c < ${rows}; c++) {
      const double *const u = ${from} + (o * ${rows} + c * ${size} + j) * LANES + h;
      const long column = (o + j) * LANES + h;
      ${pairs(r, across.positions)
        .map(
          ([tap, k]) =>
            `const doubles r${tap}_${k} = ${combination(factors(down, tap), (row) => position(row, k))};`,
        )
        .join('\n')}
      const doubles taps[${r * r}] = {${pairs(r, r)
        .map(([row, tap]) => combination(factors(across, tap), (k) => `r${row}_${k}`))
        .join(', ')}};
      for (long l = 0; l < smaller(LANES / 2, ${columns} - column); l++) {
        double *const w = ${to} + ((column + l) * ${rows} + c) * ${r * r}L;
        for (long t = 0; t < ${r * r}; t++) w[t] += taps[t][l];
      }
    }`;
  const body = tileLoops('o', columnTiles(sums), unpacked);
  return parameters.step('unpack_winograd', 'once', body);
}
