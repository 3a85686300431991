import type { Convolution } from '../../../../graph/windows.js';
import { Fused } from '../../emit/fused.js';
import { lines } from '../../emit/text.js';
import type { Expression } from '../../plan/expression.js';
import type { Sums } from '../../plan/objects.js';
import { Parameters } from '../../plan/parameters.js';
import type { Step } from '../../plan/step.js';
import type { Target } from '../../toolchain/target.js';
import { axesOf } from '../axes.js';
import { forwardGather, multiplyAdds, sizesOf, windowTaps } from './gather.js';
import type { PatchAccess, PatchShape } from './patch.js';
import { copiedPatch, patchShape, patchVectors } from './patch.js';
import type { ProductSums } from '../product-sums.js';
import { addProducts, paddedColumns, transposeColumns, transposedVectors } from '../product-sums.js';

/** Bytes of both operands that should stay in the caches. */
const OPERAND_BYTES = 4 << 20;
/**
 * Steps that a sum takes in float32 before it joins the sum in double: many, so that this happens rarely, and few enough for a
 * tile's columns to stay in the second-level cache.
 */
const STEPS = 1024;

/** What both the sum and the copy into the parameter's order must agree on. */
export interface WeightsShape {
  readonly convolution: Convolution;
  readonly target: Target;
}

/** The sums of one group of channels: (input channel, tap) × output channel. */
function sumsOf({ convolution: c, target }: WeightsShape): ProductSums {
  const rows = (c.inputChannels / c.group) * windowTaps(c).length;
  return { rows, columns: c.outputChannels / c.group, target };
}

/** Numbers that the padded sums take. */
export function packedWeightSums(shape: WeightsShape): number {
  const sums = sumsOf(shape);
  return shape.convolution.group * sums.rows * paddedColumns(sums);
}

interface Blocking {
  /** Rows of the output that are worked on at once. */
  readonly band: number;
  /** Groups of examples that are worked on at once. */
  readonly groups: number;
}

function blockingOf(input: PatchShape, sums: ProductSums, outputRows: number): Blocking {
  const { lanes } = sums.target;
  const stepsOf = (band: number): number => band * input.columns * lanes;
  const bytes = (band: number): number =>
    (patchVectors(input, band) + transposedVectors(sums, stepsOf(band))) * 4 * lanes;
  let band = outputRows;
  while (band > 1 && (stepsOf(band) > STEPS || bytes(band) > OPERAND_BYTES)) band--;
  band = Math.ceil(outputRows / Math.ceil(outputRows / band));
  return { band, groups: band < outputRows ? 1 : Math.max(1, Math.floor(STEPS / stepsOf(band))) };
}

/** Adds Σ over examples and positions of gradient · input to `packed`. One of the two has zeros in unused lanes. */
export function convolutionWeights(
  shape: WeightsShape,
  gradient: Expression,
  input: Expression,
  packed: Sums,
): Step {
  const { convolution: c, target } = shape;
  const { y, x } = axesOf(c);
  const gather = forwardGather(c);
  const grid = { rows: y.output, columns: x.output };
  const extent = { height: y.input, width: x.input };
  const strides = { strideY: y.stride, strideX: x.stride };
  const patch = patchShape(c.inputChannels, extent, strides, grid, windowTaps(c));
  const sums = sumsOf(shape);
  const { band, groups } = blockingOf(patch, sums, y.output);
  const perGroup = band * x.output * target.lanes;
  const block: Block = {
    shape,
    sums,
    band,
    patchSize: patchVectors(patch, band),
    steps: groups * perGroup,
    columnsSize: transposedVectors(sums, groups * perGroup),
  };
  const parameters = new Parameters();
  const fused = new Fused(parameters, [gradient, input]);
  const vectors = groups * block.patchSize + c.group * block.columnsSize;
  const scratch = parameters.write({ kind: 'scratch', vectors });
  const to = parameters.writeSums(packed);
  const xs = copiedPatch(patch, band, 'patch', fused, input);
  const body = `v *const xs = ${scratch}, *const ys = xs + ${groups * block.patchSize};
    for (long g0 = 0; g0 < groups; g0 += ${groups}) for (long m0 = 0; m0 < ${y.output}; m0 += ${band}) {
      const long count = smaller(${groups}, groups - g0), rows = smaller(${band}, ${y.output} - m0);
      for (long k = 0; k < count; k++) {
        const long g = g0 + k;
        ${fused.groupLocals}
        v *const patch = xs + k * ${block.patchSize};
        ${xs.fill}
        for (long u = 0; u < ${c.group}; u++) {
          ${transposed(block, fused, gradient)}
        }
      }
      for (long u = 0; u < ${c.group}; u++) {
        ${products(block, xs, to)}
      }
    }`;
  const name = `convolution_weights_${sizesOf(gather)}`;
  return parameters.step(name, groups > 1 ? 'batch' : 'group', body, { multiplyAdds: multiplyAdds(gather) });
}

interface Block {
  readonly shape: WeightsShape;
  readonly sums: ProductSums;
  readonly band: number;
  /** Vectors of one group's patch. */
  readonly patchSize: number;
  /** Most steps of a block. */
  readonly steps: number;
  /** Vectors of the transposed gradient of one group of channels. */
  readonly columnsSize: number;
}

/** The gradient's band of group \`g\`, the k-th of the block, with channels in lanes. */
function transposed(
  { shape, sums, band, steps, columnsSize }: Block,
  fused: Fused,
  operand: Expression,
): string {
  const { y, x } = axesOf(shape.convolution);
  return transposeColumns(sums, fused, {
    operand,
    to: `ys + u * ${columnsSize}`,
    steps,
    first: `u * ${sums.columns}`,
    channelStride: y.output * x.output,
    positions: (body) =>
      `for (long r = 0; r < rows; r++) for (long q = 0; q < ${x.output}; q++) {\n${body}\n}`,
    step: `((k * ${band} + r) * ${x.output} + q) * LANES`,
    element: `(m0 + r) * ${x.output} + q`,
  });
}

function products(
  { shape, sums, patchSize, steps, columnsSize }: Block,
  xs: PatchAccess,
  to: string,
): string {
  const { convolution: c } = shape;
  const { x } = axesOf(c);
  const taps = windowTaps(c);
  const top = Math.min(...taps.map(({ dy }) => dy));
  const left = Math.min(...taps.map(({ dx }) => dx));
  const offsets = taps.map(({ dy, dx }) => (dy - top) * xs.rowStride + dx - left);
  const places = (rows: number): string =>
    lines(
      rows,
      (i) =>
        `const long k${i} = LANES * ((r + ${i}) / ${taps.length} * ${xs.channelStride} + taps[(r + ${i}) % ${taps.length}]);`,
    );
  const walk = (rows: number, body: string): string => {
    // Neighbouring positions follow each other without a gap where the step is 1.
    const line =
      xs.stepX === 1
        ? `for (long s = 0; s < ${x.output} * LANES; s++) { ${body} z++; }`
        : `for (long q = 0; q < ${x.output}; q++) {
            for (long l = 0; l < LANES; l++) { ${body} z++; }
            z += ${xs.stepX - 1} * LANES;
          }`;
    return `${places(rows)}
      for (long k = 0; k < count; k++) {
        for (long n = 0; n < rows; n++) {
          const float *z = (const float *)(xs + k * ${patchSize} + u * ${(c.inputChannels / c.group) * xs.channelStride} + n * ${xs.stepY * xs.rowStride});
          ${line}
        }
      }`;
  };
  return `static const int taps[] = {${offsets.join(', ')}};
    ${addProducts(sums, { to: `${to} + u * ${sums.rows * paddedColumns(sums)}L`, from: `ys + u * ${columnsSize}`, steps, row: (i) => `z[k${i}]`, walk })}`;
}

/** Copies the padded sums into the parameter's order [outputs, inputs, ky, kx]. */
export function unpackConvolutionWeights(shape: WeightsShape, packed: Sums, output: Sums): Step {
  const parameters = new Parameters();
  const from = parameters.readSums(packed);
  const to = parameters.writeSums(output);
  const sums = sumsOf(shape);
  const { rows, columns } = sums;
  const body = `double *w = ${to};
    for (long u = 0; u < ${shape.convolution.group}; u++) for (long o = 0; o < ${columns}; o++) {
      for (long r = 0; r < ${rows}; r++) *w++ += ${from}[(u * ${rows} + r) * ${paddedColumns(sums)}L + o];
    }`;
  return parameters.step('unpack_convolution', 'once', body);
}
