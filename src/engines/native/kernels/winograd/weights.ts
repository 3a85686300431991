import { Fused } from '../../emit/fused.js';
import { tileLoops } from '../../emit/tiles.js';
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
import type { TileBlocks } from './tiles.js';
import { positionsOf, schemeOfTwo } from './scheme.js';
import { positionStride, tileBlocks, tilePatch, transformInput } from './tiles.js';

const scheme = schemeOfTwo;
const POSITIONS = positionsOf(scheme);

/** Bytes of one position's operands that should stay in the second-level cache. */
const POSITION_BYTES = 512 << 10;
/** Tiles of a block: enough that sums seldom join those in double, few enough that both operands stay in the caches. */
const LEAST_TILES = 16;
const MOST_TILES = 64;

/** How both operands of a block lie in memory. Lengths are in vectors, steps are examples of tiles. */
interface Plan {
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

function planOf(shape: WeightsShape): Plan {
  const { convolution: c, target } = shape;
  const sums = sumsOf(shape);
  const fitting = Math.floor(POSITION_BYTES / ((c.inputChannels + c.outputChannels) * 4 * target.lanes));
  const wanted = Math.max(LEAST_TILES, Math.min(MOST_TILES, fitting));
  const blocks = tileBlocks({ height: c.output[0]!, width: c.output[1]! }, scheme.outputs, wanted);
  const tiles = blocks.bandRows * blocks.columns;
  const isWhole = blocks.bands === 1 && blocks.blocks === 1;
  const groups = isWhole ? Math.max(1, Math.floor(wanted / tiles)) : 1;
  const steps = groups * tiles * target.lanes;
  const inputStride = (groups * tiles) | 1;
  const [band, width] = [2 * blocks.bandRows, 2 * blocks.columns * blocks.blocks];
  return {
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

/** Numbers that the padded sums of all positions take. */
export function winogradSumsLength(shape: WeightsShape): number {
  const sums = sumsOf(shape);
  return POSITIONS * sums.rows * paddedColumns(sums);
}

/** The same as `convolutionWeights`, for 3×3 windows with stride 1; sums stay apart by position. */
export function winogradWeights(
  shape: WeightsShape,
  gradient: Expression,
  input: Expression,
  packed: Sums,
): Step {
  const { convolution: c } = shape;
  const plan = planOf(shape);
  const { sums, blocks, groups, band, steps } = plan;
  const extent = { height: c.input[0]!, width: c.input[1]! };
  const patch = tilePatch(c.inputChannels, extent, blocks, windowTaps(c));
  const patchSize = patchVectors(patch, band);
  const parameters = new Parameters();
  const fused = new Fused(parameters, [gradient, input]);
  const vectors =
    patchSize + transposedVectors(sums, plan.bandSteps) + POSITIONS * (plan.inputs + plan.gradients);
  const scratch = parameters.write({ kind: 'scratch', vectors });
  const to = parameters.writeSums(packed);
  const xs = copiedPatch(patch, band, 'xs', fused, input);
  const products = addProducts(sums, {
    to: `${to} + p * ${sums.rows * paddedColumns(sums)}L`,
    from: `gradients + p * ${plan.gradients}L`,
    steps,
    row: (i) => `z[${i * plan.inputStride} * LANES]`,
    walk: (
      _,
      body,
    ) => `const float *z = (const float *)(inputs + p * ${plan.inputs}L + r * ${plan.inputStride});
      for (long s = 0; s < count * ${plan.tiles} * LANES; s++) { ${body} z++; }`,
  });
  const body = `v *const xs = ${scratch}, *const ys = xs + ${patchSize};
    v *const inputs = ys + ${transposedVectors(sums, plan.bandSteps)}, *const gradients = inputs + ${POSITIONS * plan.inputs};
    for (long g0 = 0; g0 < groups; g0 += ${groups}) for (long m0 = 0; m0 < ${band * blocks.bands}; m0 += ${band})
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
      for (long p = 0; p < ${POSITIONS}; p++) {
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
  { sums, blocks, band, width, bandSteps }: Plan,
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
      positions: (body) => `for (long n = 0; n < smaller(${band}, ${height} - m0); n++)
        for (long q = 0; q < ${columns}; q++) {\n${body}\n}`,
      step: `(n * ${width} + q) * LANES`,
      element: `(m0 + n) * ${columns} + q`,
    })}`;
}

/** Bᵀ · x · B of the k-th group's tiles. */
function transformInputs({ sums, blocks, tiles, inputStride, inputs }: Plan, xs: PatchAccess): string {
  return `for (long c = 0; c < ${sums.rows}; c++) for (long i = 0; i < ${blocks.bandRows}; i++) {
      const v *z = xs + c * ${xs.channelStride} + i * ${2 * xs.rowStride} + q0 * 2;
      v *const to = inputs + c * ${inputStride} + k * ${tiles} + i * ${blocks.columns};
      ${transformInput(scheme, xs.rowStride, blocks.columns, inputs)}
    }`;
}

/** A · dy · Aᵀ of the k-th group's tiles, with channels in lanes. */
function transformGradients({ sums, blocks, tiles, steps, gradients, width, bandSteps }: Plan): string {
  const store = (position: number, value: string): string => `to[${position * gradients}L + e] = ${value};`;
  const row = (k: number, first: string, second: string): string =>
    `{ const v first = ${first}, second = ${second};
      ${store(4 * k, 'first')}
      ${store(4 * k + 1, 'first + second')}
      ${store(4 * k + 2, 'first - second')}
      ${store(4 * k + 3, 'second')} }`;
  return tileLoops(
    'o',
    columnTiles(sums),
    (size) => `for (long i = 0; i < ${blocks.bandRows}; i++) for (long j = 0; j < ${blocks.columns}; j++) {
      const v *const z = ys + o * ${bandSteps} + (i * ${2 * width} + (q0 + j) * 2) * LANES * ${size};
      v *const to = gradients + o * ${steps} + (k * ${tiles} + i * ${blocks.columns} + j) * LANES * ${size};
      for (long e = 0; e < LANES * ${size}; e++) {
        const v a = z[e], b = z[LANES * ${size} + e];
        const v c = z[${width} * LANES * ${size} + e], d = z[${width + 1} * LANES * ${size} + e];
        ${row(0, 'a', 'b')}
        ${row(1, 'a + c', 'b + d')}
        ${row(2, 'a - c', 'b - d')}
        ${row(3, 'c', 'd')}
      }
    }`,
  );
}

/** Adds Gᵀ · sums · G to the parameter's gradient [outputs, inputs, 3, 3]. */
export function unpackWinogradWeights(shape: WeightsShape, packed: Sums, output: Sums): Step {
  const parameters = new Parameters();
  const from = parameters.readSums(packed);
  const to = parameters.writeSums(output);
  const sums = sumsOf(shape);
  const { rows, columns } = sums;
  const width = paddedColumns(sums);
  const body = `for (long o = 0; o < ${columns}; o += LANES / 2) for (long c = 0; c < ${rows}; c++) {
      doubles taps[9];
      taps_of_positions(${from} + c * ${width} + o, ${rows * width}L, taps);
      for (long l = 0; l < smaller(LANES / 2, ${columns} - o); l++) {
        double *const w = ${to} + ((o + l) * ${rows} + c) * 9L;
        for (long t = 0; t < 9; t++) w[t] += taps[t][l];
      }
    }`;
  return parameters.step('unpack_winograd', 'once', body);
}
