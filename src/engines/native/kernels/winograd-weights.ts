import { Fused } from '../emit/fused.js';
import { registerTile } from '../emit/register-tile.js';
import type { LaneSums } from '../emit/shuffle.js';
import { laneSums } from '../emit/shuffle.js';
import { lines } from '../emit/text.js';
import type { Segment } from '../emit/tiles.js';
import { pairs, splitEvenly, tileLoops } from '../emit/tiles.js';
import type { Expression } from '../plan/expression.js';
import type { Sums } from '../plan/objects.js';
import { Parameters } from '../plan/parameters.js';
import type { Step } from '../plan/step.js';
import type { WeightsShape } from './convolution-weights.js';
import { forwardGather, multiplyAdds, sizesOf, windowTaps } from './gather.js';
import { copiedPatch, patchVectors } from './patch.js';
import type { TileBlocks } from './winograd-tiles.js';
import {
  POSITIONS,
  positionStride,
  tileBlocks,
  tilePatch,
  tilesAtOnce,
  transformInput,
} from './winograd-tiles.js';

/** Bytes of a block's transformed inputs and gradients. */
const BLOCK_BYTES = 640 << 10;

interface Plan {
  readonly blocks: TileBlocks;
  /** Groups of examples that are worked on at once. */
  readonly groups: number;
  /** Tiles of one group in a block. */
  readonly tiles: number;
  readonly outputs: readonly Segment[];
  readonly inputs: readonly Segment[];
}

function planOf({ convolution: c, target }: WeightsShape): Plan {
  const wanted = tilesAtOnce(c.inputChannels + c.outputChannels, BLOCK_BYTES, 32, 64, target);
  const blocks = tileBlocks({ height: c.output[0]!, width: c.output[1]! }, wanted);
  const tiles = blocks.bandRows * blocks.columns;
  const isWhole = blocks.bands === 1 && blocks.blocks === 1;
  const tile = registerTile(c.outputChannels, c.inputChannels, target.registers);
  return {
    blocks,
    groups: isWhole ? Math.max(1, Math.floor(wanted / tiles)) : 1,
    tiles,
    outputs: splitEvenly(c.outputChannels, tile.rows),
    inputs: splitEvenly(c.inputChannels, tile.columns),
  };
}

/** Vectors from one channel to the next: odd, so that a row of several does not fall into the same few cache sets. */
function tileStride({ groups, tiles }: Plan): number {
  return (groups * tiles) | 1;
}

function sumsOf(outputs: number, inputs: number, lanes: number): LaneSums {
  return laneSums(
    pairs(outputs, inputs).map(([i, j]) => `a${i}_${j}`),
    lanes,
  );
}

/** Numbers that the sums of all positions take. */
export function winogradSumsLength(shape: WeightsShape): number {
  const { lanes } = shape.target;
  const { outputs, inputs } = planOf(shape);
  const sizes = outputs.flatMap((o) =>
    inputs.map((c) => o.count * c.count * Math.ceil((o.size * c.size) / lanes) * lanes),
  );
  return POSITIONS * sizes.reduce((a, b) => a + b, 0);
}

function walk(plan: Plan, body: (outputs: number, inputs: number) => string): string {
  return `for (long p = 0; p < ${POSITIONS}; p++) {
    ${tileLoops('o', plan.outputs, (outputs) => tileLoops('c', plan.inputs, (inputs) => body(outputs, inputs)))}
  }`;
}

/** The same as \`convolutionWeights\`, for 3×3 windows with stride 1; sums stay apart by position. */
export function winogradWeights(
  shape: WeightsShape,
  gradient: Expression,
  input: Expression,
  packed: Sums,
): Step {
  const { convolution: c } = shape;
  const gather = forwardGather(c);
  const plan = planOf(shape);
  const { blocks, tiles, groups } = plan;
  const band = 2 * blocks.bandRows;
  const inputShape = tilePatch(
    c.inputChannels,
    { height: c.input[0]!, width: c.input[1]! },
    blocks,
    windowTaps(c),
  );
  const extent = { height: c.output[0]!, width: c.output[1]! };
  const gradientShape = tilePatch(c.outputChannels, extent, blocks, [{ dy: 0, dx: 0, ky: 0, kx: 0 }]);
  const all = tileStride(plan);
  const patchSize = Math.max(patchVectors(inputShape, band), patchVectors(gradientShape, band));
  const parameters = new Parameters();
  const fused = new Fused(parameters, [gradient, input]);
  const vectors =
    2 * patchSize +
    POSITIONS * (positionStride(c.inputChannels * all) + positionStride(c.outputChannels * all));
  const scratch = parameters.write({ kind: 'scratch', vectors });
  const sums = parameters.writeSums(packed);
  const xs = copiedPatch(inputShape, band, 'xs', fused, input);
  const ys = copiedPatch(gradientShape, band, 'ys', fused, gradient);
  const row = (patch: string, channelStride: number, rowStride: number): string =>
    `const v *z = ${patch} + c * ${channelStride} + i * ${2 * rowStride} + q0 * 2;`;
  const body = `v *const xs = ${scratch}, *const ys = xs + ${patchSize};
    v *const inputs = ys + ${patchSize}, *const gradients = inputs + ${POSITIONS * positionStride(c.inputChannels * all)};
    for (long g0 = 0; g0 < groups; g0 += ${groups}) for (long m0 = 0; m0 < ${band * blocks.bands}; m0 += ${band})
    for (long q0 = 0; q0 < ${blocks.columns * blocks.blocks}; q0 += ${blocks.columns}) {
      const long count = smaller(${groups}, groups - g0);
      for (long k = 0; k < count; k++) {
        const long g = g0 + k;
        if (q0 == 0) {
          ${fused.groupLocals}
          ${xs.fill}
          ${ys.fill}
        }
        for (long c = 0; c < ${c.inputChannels}; c++) for (long i = 0; i < ${blocks.bandRows}; i++) {
          ${row('xs', xs.channelStride, xs.rowStride)}
          v *const to = inputs + c * ${all} + k * ${tiles} + i * ${blocks.columns};
          ${transformInput(xs.rowStride, blocks.columns, positionStride(c.inputChannels * all))}
        }
        for (long c = 0; c < ${c.outputChannels}; c++) for (long i = 0; i < ${blocks.bandRows}; i++) {
          ${row('ys', ys.channelStride, ys.rowStride)}
          v *const to = gradients + c * ${all} + k * ${tiles} + i * ${blocks.columns};
          ${transformGradient(ys.rowStride, blocks.columns, positionStride(c.outputChannels * all))}
        }
      }
      double *d = ${sums};
      ${walk(plan, (outputs, inputs) => products(shape, plan, outputs, inputs))}
    }`;
  return parameters.step(`winograd_weights_${sizesOf(gather)}`, groups > 1 ? 'batch' : 'group', body, {
    multiplyAdds: multiplyAdds(gather),
  });
}

/** A · dy · Aᵀ of a row of tiles. */
function transformGradient(rowStride: number, columns: number, stride: number): string {
  const store = (k: number, m: number, value: string): string =>
    `to[${(4 * k + m) * stride} + j] = ${value};`;
  const rows = lines(4, (k) =>
    [
      store(k, 0, `b${k}_0`),
      store(k, 1, `b${k}_0 + b${k}_1`),
      store(k, 2, `b${k}_0 - b${k}_1`),
      store(k, 3, `-b${k}_1`),
    ].join(' '),
  );
  const vertical = (
    column: number,
  ): string => `const v b0_${column} = z[${column}], down${column} = z[${rowStride + column}];
    const v b1_${column} = b0_${column} + down${column}, b2_${column} = b0_${column} - down${column}, b3_${column} = -down${column};`;
  return `for (long j = 0; j < ${columns}; j++) {
      ${vertical(0)}
      ${vertical(1)}
      ${rows}
      z += 2;
    }`;
}

/** Sums over tiles and groups of gradients [position, output, tile] · inputs [position, input, tile]. */
function products(shape: WeightsShape, plan: Plan, outputs: number, inputs: number): string {
  const { convolution: c, target } = shape;
  const all = tileStride(plan);
  const { code, results } = sumsOf(outputs, inputs, target.lanes);
  const row = (i: number): string =>
    lines(inputs, (j) => `a${i}_${j} += y${i} * x${j};`).replaceAll('\n', ' ');
  return `${pairs(outputs, inputs)
    .map(([i, j]) => `v a${i}_${j} = {0};`)
    .join(' ')}
    const v *x = inputs + p * ${positionStride(c.inputChannels * all)} + c * ${all};
    const v *y = gradients + p * ${positionStride(c.outputChannels * all)} + o * ${all};
    for (long t = 0; t < count * ${plan.tiles}; t++) {
      ${lines(inputs, (j) => `const v x${j} = x[${j * all}];`)}
      ${lines(outputs, (i) => `{ const v y${i} = y[${i * all}]; ${row(i)} }`)}
      x++; y++;
    }
    ${code}
    ${results.map((name, k) => `add_sums(d + ${k} * LANES, ${name});`).join('\n')}
    d += ${results.length} * LANES;`;
}

/** Adds Gᵀ · sums · G to the parameter's gradient [outputs, inputs, 3, 3]. */
export function unpackWinogradWeights(shape: WeightsShape, packed: Sums, output: Sums): Step {
  const parameters = new Parameters();
  const from = parameters.readSums(packed);
  const to = parameters.writeSums(output);
  const { inputChannels } = shape.convolution;
  const half = shape.target.lanes / 2;
  const stride = winogradSumsLength(shape) / POSITIONS;
  const body = (outputs: number, inputs: number): string => {
    const { order } = sumsOf(outputs, inputs, shape.target.lanes);
    const blocks = Array.from({ length: order.length / half }, (_, block) => {
      const adds = pairs(outputs, inputs).flatMap(([i, j], slot) => {
        const place = order.indexOf(slot);
        if (Math.floor(place / half) !== block) return [];
        return [`add_taps(${to} + ((o + ${i}) * ${inputChannels} + c + ${j}) * 9L, taps, ${place % half});`];
      });
      return adds.length > 0
        ? `taps_of_positions(d + ${block * half}, ${stride}, taps);\n${adds.join('\n')}`
        : '';
    });
    return `${blocks.join('\n')}\nd += ${order.length};`;
  };
  const plan = planOf(shape);
  const loops = tileLoops('o', plan.outputs, (outputs) =>
    tileLoops('c', plan.inputs, (inputs) => body(outputs, inputs)),
  );
  return parameters.step('unpack_winograd', 'once', `doubles taps[9];\nconst double *d = ${from};\n${loops}`);
}
