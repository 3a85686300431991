import { Fused } from '../emit/fused.js';
import { registerTile } from '../emit/register-tile.js';
import type { LaneSums } from '../emit/shuffle.js';
import { laneSums } from '../emit/shuffle.js';
import { lines } from '../emit/text.js';
import type { Segment } from '../emit/tiles.js';
import { pairs, splitEvenly, tileLoops } from '../emit/tiles.js';
import type { Convolution } from '../../../graph/windows.js';
import type { Expression } from '../plan/expression.js';
import type { Sums } from '../plan/objects.js';
import { Parameters } from '../plan/parameters.js';
import type { Step } from '../plan/step.js';
import type { Target } from '../toolchain/target.js';
import type { Tap } from './gather.js';
import { axesOf, forwardGather, multiplyAdds, sizesOf, windowTaps } from './gather.js';
import type { PatchAccess, PatchShape } from './patch.js';
import { copiedPatch, patchShape, patchVectors } from './patch.js';

/** Bytes of both operands that should stay in the second-level cache. */
const OPERAND_BYTES = 512 << 10;
/** Products that each sum should collect before its lanes are added up. */
const ENOUGH_PRODUCTS = 64;

/** How the sums are cut into tiles: (channels × taps) × outputs. */
interface Tiling {
  readonly outputs: readonly Segment[];
  readonly channels: readonly Segment[];
  readonly taps: readonly Segment[];
}

interface TileSize {
  readonly outputs: number;
  readonly channels: number;
  readonly taps: number;
}

/** What both the sum and the copy into the parameter's order must agree on. */
export interface WeightsShape {
  readonly convolution: Convolution;
  readonly target: Target;
}

function channelsOf({ convolution: c }: WeightsShape): { inputs: number; outputs: number } {
  return { inputs: c.inputChannels / c.group, outputs: c.outputChannels / c.group };
}

function tilingOf(shape: WeightsShape): Tiling {
  const { inputs, outputs } = channelsOf(shape);
  const taps = windowTaps(shape.convolution).length;
  const isFew = taps < 3;
  const tile = registerTile(isFew ? taps * inputs : taps, outputs, shape.target.registers);
  return {
    outputs: splitEvenly(outputs, tile.columns),
    channels: splitEvenly(inputs, isFew ? Math.max(1, Math.floor(tile.rows / taps)) : 1),
    taps: splitEvenly(taps, isFew ? taps : tile.rows),
  };
}

/** Loops over group, tiles of outputs, of input channels and of taps; sums are kept in this order. */
function tileWalk(shape: WeightsShape, body: (size: TileSize) => string): string {
  const tiling = tilingOf(shape);
  const inner = (outputs: number): string =>
    tileLoops('c', tiling.channels, (channels) =>
      tileLoops('t', tiling.taps, (taps) => body({ outputs, channels, taps })),
    );
  return `for (long u = 0; u < ${shape.convolution.group}; u++) {
    ${tileLoops('o', tiling.outputs, inner)}
  }`;
}

/** Row k of a tile is tap k % taps of channel k / taps. */
const rowsOf = ({ channels, taps }: TileSize): [number, number][] => pairs(channels, taps);

function sumsOf(size: TileSize, lanes: number): LaneSums {
  const names = pairs(size.channels * size.taps, size.outputs).map(([i, j]) => `a${i}_${j}`);
  return laneSums(names, lanes);
}

/** Numbers that the tile-by-tile sums take. */
export function packedWeightSums(shape: WeightsShape): number {
  const { lanes } = shape.target;
  const tiling = tilingOf(shape);
  const count = (segments: readonly Segment[], each: (size: number) => number): number =>
    segments.reduce((total, segment) => total + segment.count * each(segment.size), 0);
  const perGroup = count(tiling.outputs, (outputs) =>
    count(tiling.channels, (channels) =>
      count(tiling.taps, (taps) => Math.ceil((outputs * channels * taps) / lanes) * lanes),
    ),
  );
  return shape.convolution.group * perGroup;
}

interface Blocking {
  /** Rows of the output that are worked on at once. */
  readonly band: number;
  /** Groups of examples that are worked on at once. */
  readonly groups: number;
}

function blockingOf(input: PatchShape, gradient: PatchShape, target: Target): Blocking {
  const bytes = (band: number): number =>
    (patchVectors(input, band) + patchVectors(gradient, band)) * 4 * target.lanes;
  let band = input.rows;
  while (band > 1 && bytes(band) > OPERAND_BYTES) band--;
  band = Math.ceil(input.rows / Math.ceil(input.rows / band));
  const wanted = Math.ceil(ENOUGH_PRODUCTS / (band * input.columns));
  return { band, groups: band < input.rows ? 1 : wanted };
}

/** Adds Σ over examples and positions of gradient · input to `packed`. One of the two has zeros in unused lanes. */
export function convolutionWeights(
  shape: WeightsShape,
  gradient: Expression,
  input: Expression,
  packed: Sums,
): Step {
  const { convolution: c, target } = shape;
  const gather = forwardGather(c);
  const { y, x } = axesOf(c);
  const taps = windowTaps(c);
  const grid = { rows: y.output, columns: x.output };
  const strides = { strideY: y.stride, strideX: x.stride };
  const inputShape = patchShape(c.inputChannels, { height: y.input, width: x.input }, strides, grid, taps);
  const point: Tap = { dy: 0, dx: 0, ky: 0, kx: 0 };
  const single = { strideY: 1, strideX: 1 };
  const extent = { height: y.output, width: x.output };
  const gradientShape = patchShape(c.outputChannels, extent, single, grid, [point]);
  const { band, groups } = blockingOf(inputShape, gradientShape, target);
  const sizes = [inputShape, gradientShape].map((patch) => patchVectors(patch, band));
  const parameters = new Parameters();
  const fused = new Fused(parameters, [gradient, input]);
  const scratch = parameters.write({ kind: 'scratch', vectors: groups * (sizes[0]! + sizes[1]!) });
  const sums = parameters.writeSums(packed);
  const xs = copiedPatch(inputShape, band, 'xs', fused, input);
  const ys = copiedPatch(gradientShape, band, 'ys', fused, gradient);
  const offsets = taps.map(({ dy, dx }) => (dy - inputShape.top) * xs.rowStride + dx - inputShape.left);
  const walk = tileWalk(shape, (size) => tileCode(shape, size, xs, ys, sizes));
  const body = `static const int taps[] = {${offsets.join(', ')}};
    for (long g0 = 0; g0 < groups; g0 += ${groups}) for (long m0 = 0; m0 < ${y.output}; m0 += ${band}) {
      const long count = smaller(${groups}, groups - g0), rows = smaller(${band}, ${y.output} - m0);
      for (long k = 0; k < count; k++) {
        const long g = g0 + k;
        ${fused.groupLocals}
        v *const xs = ${scratch} + k * ${sizes[0]!}, *const ys = ${scratch} + ${groups * sizes[0]!} + k * ${sizes[1]!};
        ${xs.fill}
        ${ys.fill}
      }
      const v *const xs = ${scratch}, *const ys = ${scratch} + ${groups * sizes[0]!};
      double *d = ${sums};
      ${walk}
    }`;
  return parameters.step(`convolution_weights_${sizesOf(gather)}`, groups > 1 ? 'batch' : 'group', body, {
    multiplyAdds: multiplyAdds(gather),
  });
}

function tileCode(
  shape: WeightsShape,
  size: TileSize,
  xs: PatchAccess,
  ys: PatchAccess,
  sizes: readonly number[],
): string {
  const { convolution: c, target } = shape;
  const { y, x } = axesOf(c);
  const { inputs, outputs } = channelsOf(shape);
  const { code, results } = sumsOf(size, target.lanes);
  const rows = rowsOf(size);
  const row = (i: number): string =>
    lines(size.outputs, (j) => `a${i}_${j} += z${i} * d${j};`).replaceAll('\n', ' ');
  const place = ([channel, tap]: [number, number]): string =>
    `z[${channel === 0 ? '' : `${channel * xs.channelStride} + `}k${tap}]`;
  return `${pairs(rows.length, size.outputs)
    .map(([i, j]) => `v a${i}_${j} = {0};`)
    .join(' ')}
    const long ${lines(size.taps, (k) => `k${k} = taps[t + ${k}]`).replaceAll('\n', ', ')};
    for (long k = 0; k < count; k++) for (long r = 0; r < rows; r++) {
      const v *z = xs + k * ${sizes[0]!} + (u * ${inputs} + c) * ${xs.channelStride} + r * ${y.stride * xs.rowStride};
      const v *p = ys + k * ${sizes[1]!} + (u * ${outputs} + o) * ${ys.channelStride} + r * ${ys.rowStride};
      for (long q = 0; q < ${x.output}; q++) {
        ${lines(size.outputs, (j) => `const v d${j} = p[${j * ys.channelStride}];`)}
        ${rows.map((entry, i) => `{ const v z${i} = ${place(entry)}; ${row(i)} }`).join('\n')}
        z += ${x.stride}; p++;
      }
    }
    ${code}
    ${results.map((name, k) => `add_sums(d + ${k} * LANES, ${name});`).join('\n')}
    d += ${results.length} * LANES;`;
}

/** Copies the tile-by-tile sums into the parameter's order [outputs, inputs, ky, kx]. */
export function unpackConvolutionWeights(shape: WeightsShape, packed: Sums, output: Sums): Step {
  const parameters = new Parameters();
  const from = parameters.readSums(packed);
  const to = parameters.writeSums(output);
  const { inputs, outputs } = channelsOf(shape);
  const taps = windowTaps(shape.convolution).length;
  const body = (size: TileSize): string => {
    const { order } = sumsOf(size, shape.target.lanes);
    const copies = rowsOf(size).flatMap(([channel, tap], i) =>
      Array.from({ length: size.outputs }, (_, j) => {
        const index = `((u * ${outputs} + o + ${j}) * ${inputs} + c + ${channel}) * ${taps}L + t + ${tap}`;
        return `${to}[${index}] += d[${order.indexOf(i * size.outputs + j)}];`;
      }),
    );
    return `${copies.join('\n')}\nd += ${order.length};`;
  };
  const walk = tileWalk(shape, body);
  return parameters.step('unpack_convolution', 'once', `const double *d = ${from};\n${walk}`);
}
