import { Fused } from '../emit/fused.js';
import { registerTile } from '../emit/register-tile.js';
import { lines } from '../emit/text.js';
import type { Segment } from '../emit/tiles.js';
import { pairs, splitEvenly, tileLoops } from '../emit/tiles.js';
import { tensorsOf } from '../plan/expression.js';
import type { Table } from '../plan/objects.js';
import { Parameters } from '../plan/parameters.js';
import type { Step } from '../plan/step.js';
import type { Target } from '../toolchain/target.js';
import type { ConvolutionOptions, KernelView } from './convolution.js';
import type { Gather } from './gather.js';
import { multiplyAdds, sizesOf } from './gather.js';
import { copiedPatch, patchVectors } from './patch.js';
import type { TileBlocks } from './winograd-tiles.js';
import {
  kernelTransform,
  POSITIONS,
  positionStride,
  tileBlocks,
  tilePatch,
  transformInput,
} from './winograd-tiles.js';

/** Tiles of a block: few, so that its transformed inputs and products stay close; enough to reuse each weight. */
const TILES_AT_ONCE = 8;

interface Plan {
  readonly blocks: TileBlocks;
  /** Tiles of a block. */
  readonly tiles: number;
  readonly outputs: readonly Segment[];
  readonly columns: readonly Segment[];
}

function planOf(gather: Gather, target: Target): Plan {
  const { outputChannels } = gather;
  const blocks = tileBlocks(gather.output, TILES_AT_ONCE);
  const tiles = blocks.bandRows * blocks.columns;
  const tile = registerTile(outputChannels, tiles, target.registers);
  return {
    blocks,
    tiles,
    outputs: splitEvenly(outputChannels, tile.rows),
    columns: splitEvenly(tiles, tile.columns),
  };
}

/** Numbers that the transformed weight takes. */
export function winogradLength({ inputChannels, outputChannels }: Gather): number {
  return POSITIONS * inputChannels * outputChannels;
}

/**
 * Transforms a weight, G g Gᵀ in double, into the order in which `winograd` reads it: position, tile of outputs, input.
 */
export function packWinograd(gather: Gather, weight: KernelView, target: Target, packed: Table): Step {
  const parameters = new Parameters();
  const numbers = parameters.numbers(weight.numbers);
  const table = parameters.writeTable(packed);
  const plane = gather.inputChannels * gather.outputChannels;
  const places = placesOf(gather, weight);
  const tap = (row: number, column: number): string => `from[${places[3 * row + column]!}]`;
  const rows = kernelTransform.flatMap((terms, k) =>
    [0, 1, 2].map(
      (column) => `const double r${k}_${column} = ${combination(terms, (row) => tap(row, column))};`,
    ),
  );
  const stores = pairs(4, 4).map(
    ([k, m]) =>
      `w[${(4 * k + m) * plane}] = (float)(${combination(kernelTransform[m]!, (column) => `r${k}_${column}`)});`,
  );
  const tile = (size: number): string => `for (long c = 0; c < ${gather.inputChannels}; c++)
    for (long i = 0; i < ${size}; i++) {
      const double *from = ${numbers} + (o + i) * ${weight.output}L + c * ${weight.input}L;
      ${rows.join('\n')}
      ${stores.join('\n')}
      w++;
    }`;
  const body = `float *w = ${table};\n${tileLoops('o', planOf(gather, target).outputs, tile)}`;
  return parameters.step('pack_winograd', 'once', body);
}

/** Where the weight of each cell of the 3×3 window lies, row by row. */
function placesOf({ classes }: Gather, weight: KernelView): number[] {
  const { taps } = classes[0]!;
  const top = Math.min(...taps.map((tap) => tap.dy));
  const left = Math.min(...taps.map((tap) => tap.dx));
  const places = new Array<number>(9).fill(0);
  for (const { dy, dx, ky, kx } of taps) {
    places[3 * (dy - top) + dx - left] = ky * weight.ky + kx * weight.kx;
  }
  return places;
}

/** C code of Σ factors[k] · term(k). */
function combination(factors: readonly number[], term: (k: number) => string): string {
  return factors
    .flatMap((factor, k) => (factor === 0 ? [] : [factor === 1 ? term(k) : `${factor} * ${term(k)}`]))
    .join(' + ');
}

/** The same as \`convolution\`, for 3×3 windows with stride 1. */
export function winograd(options: ConvolutionOptions): Step {
  const { gather, input, output, result, target } = options;
  const { inputChannels, outputChannels } = gather;
  const plan = planOf(gather, target);
  const { blocks, tiles } = plan;
  const band = 2 * blocks.bandRows;
  const shape = tilePatch(inputChannels, gather.input, blocks, gather.classes[0]!.taps);
  const sizes = [patchVectors(shape, band), POSITIONS * positionStride(inputChannels * tiles)];
  const parameters = new Parameters();
  const weights = parameters.readTable(options.packed);
  const out = parameters.write(output);
  const fused = new Fused(parameters, [input, result]);
  const vectors = sizes[0]! + sizes[1]! + POSITIONS * positionStride(outputChannels * tiles);
  const scratch = parameters.write({ kind: 'scratch', vectors });
  const patch = copiedPatch(shape, band, 'patch', fused, input);
  const body = `v *const patch = ${scratch}, *const inputs = patch + ${sizes[0]!}, *const sums = inputs + ${sizes[1]!};
    for (long g = 0; g < groups; g++) {
      ${fused.groupLocals}
      v *const y = ${out} + g * ${output.stride};
      for (long m0 = 0; m0 < ${band * blocks.bands}; m0 += ${band}) {
        ${patch.fill}
        for (long q0 = 0; q0 < ${blocks.columns * blocks.blocks}; q0 += ${blocks.columns}) {
          for (long c = 0; c < ${inputChannels}; c++) for (long i = 0; i < ${blocks.bandRows}; i++) {
            const v *z = patch + c * ${patch.channelStride} + i * ${2 * patch.rowStride} + q0 * 2;
            v *const to = inputs + c * ${tiles} + i * ${blocks.columns};
            ${transformInput(patch.rowStride, blocks.columns, positionStride(inputChannels * tiles))}
          }
          ${products(plan, gather, weights)}
          ${outputs(options, plan, fused)}
        }
      }
    }`;
  const replaceable = tensorsOf(result).filter((tensor) => !tensorsOf(input).includes(tensor));
  return parameters.step(`winograd_${sizesOf(gather)}`, 'group', body, {
    replaceable,
    multiplyAdds: multiplyAdds(gather),
  });
}

/** sums [position, output, tile] = weights [position, output, input] · inputs [position, input, tile] */
function products(plan: Plan, { inputChannels, outputChannels }: Gather, weights: string): string {
  const { tiles } = plan;
  const tile = (outputs: number, columns: number): string => `
    const float *w = wo;
    const v *x = inputs + p * ${positionStride(inputChannels * tiles)} + t;
    ${pairs(outputs, columns)
      .map(([i, j]) => `v a${i}_${j} = {0};`)
      .join(' ')}
    for (long c = 0; c < ${inputChannels}; c++) {
      ${lines(columns, (j) => `const v x${j} = x[${j}];`)}
      ${lines(outputs, (i) => {
        const row = lines(columns, (j) => `a${i}_${j} += f * x${j};`).replaceAll('\n', ' ');
        return `{ const float f = w[${i}]; ${row} }`;
      })}
      x += ${tiles}; w += ${outputs};
    }
    v *const to = sums + p * ${positionStride(outputChannels * tiles)} + o * ${tiles} + t;
    ${pairs(outputs, columns)
      .map(([i, j]) => `to[${i * tiles + j}] = a${i}_${j};`)
      .join(' ')}`;
  return `const float *wo = ${weights};
    for (long p = 0; p < ${POSITIONS}; p++) {
      ${tileLoops(
        'o',
        plan.outputs,
        (outputs) => `${tileLoops('t', plan.columns, (columns) => tile(outputs, columns))}
          wo += ${outputs * inputChannels};`,
      )}
    }`;
}

/** Aᵀ · sums · A, and what is stored of it. */
function outputs({ gather, result }: ConvolutionOptions, plan: Plan, fused: Fused): string {
  const { output, outputChannels } = gather;
  const { blocks, tiles } = plan;
  const isCut = {
    rows: 2 * blocks.bandRows * blocks.bands > output.height,
    columns: 2 * blocks.columns * blocks.blocks > output.width,
  };
  const m = (row: number, column: number): string =>
    `s[${(4 * row + column) * positionStride(outputChannels * tiles)}]`;
  const vertical = lines(
    4,
    (k) =>
      `const v r0_${k} = ${m(0, k)} + ${m(1, k)} + ${m(2, k)}, r1_${k} = ${m(1, k)} - ${m(2, k)} - ${m(3, k)};`,
  );
  const store = (a: number, b: number): string => {
    const value = b === 0 ? `r${a}_0 + r${a}_1 + r${a}_2` : `r${a}_1 - r${a}_2 - r${a}_3`;
    const guards = [
      ...(isCut.rows && a === 1 ? [`row + 1 < ${output.height}`] : []),
      ...(isCut.columns && b === 1 ? [`column + 1 < ${output.width}`] : []),
    ];
    const element = `e + ${a * output.width + b}`;
    const guard = guards.length > 0 ? `if (${guards.join(' && ')}) ` : '';
    return `${guard}{ const v a = ${value}; y[${element}] = ${fused.value(result, element, 'a')}; }`;
  };
  const skips = [
    ...(isCut.rows ? [`row >= ${output.height}`] : []),
    ...(isCut.columns ? [`column >= ${output.width}`] : []),
  ];
  return `for (long c = 0; c < ${outputChannels}; c++) {
      ${fused.channelLocals('c')}
      for (long i = 0; i < ${blocks.bandRows}; i++) for (long j = 0; j < ${blocks.columns}; j++) {
        const long row = m0 + 2 * i, column = 2 * (q0 + j);
        ${skips.length > 0 ? `if (${skips.join(' || ')}) continue;` : ''}
        const v *const s = sums + c * ${tiles} + i * ${blocks.columns} + j;
        const long e = c * ${output.height * output.width} + row * ${output.width} + column;
        ${vertical}
        ${store(0, 0)}
        ${store(0, 1)}
        ${store(1, 0)}
        ${store(1, 1)}
      }
    }`;
}
