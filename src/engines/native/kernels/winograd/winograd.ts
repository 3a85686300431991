import { Fused } from '../../emit/fused.js';
import { registerTile } from '../../emit/register-tile.js';
import { lines } from '../../emit/text.js';
import type { Segment } from '../../emit/tiles.js';
import { pairs, splitEvenly, tileLoops } from '../../emit/tiles.js';
import type { Table } from '../../plan/objects.js';
import { Parameters } from '../../plan/parameters.js';
import type { Step } from '../../plan/step.js';
import type { Target } from '../../toolchain/target.js';
import type { ConvolutionOptions, KernelView } from '../convolution/convolution.js';
import type { Gather } from '../convolution/gather.js';
import { multiplyAdds, sizesOf } from '../convolution/gather.js';
import { copiedPatch, patchVectors } from '../convolution/patch.js';
import type { TileBlocks } from './tiles.js';
import type { Scheme } from './scheme.js';
import { combination, positionsOf } from './scheme.js';
import { areFar, positionStride, tileBlocks, tilePatch, transformInput } from './tiles.js';

/** Tiles of a block: few, so that its transformed inputs and products stay close; enough to reuse each weight. */
const TILES_AT_ONCE = 8;

interface Plan {
  readonly scheme: Scheme;
  readonly blocks: TileBlocks;
  /** Tiles of a block. */
  readonly tiles: number;
  readonly outputs: readonly Segment[];
  readonly columns: readonly Segment[];
}

function planOf(gather: Gather, scheme: Scheme, target: Target): Plan {
  const { outputChannels } = gather;
  const blocks = tileBlocks(gather.output, scheme, TILES_AT_ONCE);
  const tiles = blocks.bandRows * blocks.columns;
  const tile = registerTile(outputChannels, tiles, target.registers);
  return {
    scheme,
    blocks,
    tiles,
    outputs: splitEvenly(outputChannels, tile.rows),
    columns: splitEvenly(tiles, tile.columns),
  };
}

/** Numbers that the transformed weight takes. */
export function winogradLength(gather: Gather, scheme: Scheme): number {
  return positionsOf(scheme) * gather.inputChannels * gather.outputChannels;
}

/**
 * Transforms a weight, G g Gᵀ in double, into the order in which `winograd` reads it: position, tile of outputs, input.
 */
export function packWinograd(
  gather: Gather,
  scheme: Scheme,
  weight: KernelView,
  target: Target,
  packed: Table,
): Step {
  const parameters = new Parameters();
  const numbers = parameters.numbers(weight.numbers);
  const table = parameters.writeTable(packed);
  const plan = planOf(gather, scheme, target);
  const { rows: down, columns: across } = scheme;
  const plane = gather.inputChannels * gather.outputChannels;
  const places = placesOf(gather, down.taps, weight);
  const tap = (row: number, column: number): string => `from[${places[down.taps * row + column]!}]`;
  const rows = down.kernel.flatMap((terms, k) =>
    terms.map(
      (_, column) => `const double r${k}_${column} = ${combination(terms, (row) => tap(row, column))};`,
    ),
  );
  const stores = pairs(down.positions, across.positions).map(
    ([k, m]) =>
      `w[${(across.positions * k + m) * plane}] = (float)(${combination(across.kernel[m]!, (column) => `r${k}_${column}`)});`,
  );
  const tile = (size: number): string => `for (long c = 0; c < ${gather.inputChannels}; c++)
    for (long i = 0; i < ${size}; i++) {
      const double *from = ${numbers} + (o + i) * ${weight.output}L + c * ${weight.input}L;
      ${rows.join('\n')}
      ${stores.join('\n')}
      w++;
    }`;
  const body = `float *w = ${table};\n${tileLoops('o', plan.outputs, tile)}`;
  return parameters.step('pack_winograd', 'once', body);
}

/**
 * Where the weight of each tap of a scheme lies, row by row. At a stride of 1 taps are in the order in which the inputs lie, which for
 * a gradient is the other way round; schemes of a stride of 2 count them as the window has them.
 */
function placesOf({ classes }: Gather, side: number, weight: KernelView): number[] {
  const taps = classes.flatMap((tapClass) => tapClass.taps);
  const top = Math.min(...taps.map((tap) => tap.dy));
  const left = Math.min(...taps.map((tap) => tap.dx));
  const places = new Array<number>(side * side).fill(0);
  for (const { dy, dx, ky, kx } of taps) {
    const cell = classes.length === 1 ? side * (dy - top) + dx - left : side * ky + kx;
    places[cell] = ky * weight.ky + kx * weight.kx;
  }
  return places;
}

/** The same as `convolution`, by a scheme that suits its window. */
export function winograd(options: ConvolutionOptions, scheme: Scheme): Step {
  const { gather, input, output, result, target } = options;
  const { inputChannels, outputChannels } = gather;
  const plan = planOf(gather, scheme, target);
  const { blocks, tiles } = plan;
  const positions = positionsOf(scheme);
  const band = blocks.bandRows;
  const shape = tilePatch(
    inputChannels,
    gather.input,
    scheme,
    blocks,
    gather.classes.flatMap(({ taps }) => taps),
  );
  const sizes = [patchVectors(shape, band), positions * positionStride(inputChannels * tiles, scheme)];
  const parameters = new Parameters();
  const weights = parameters.readTable(options.packed);
  const out = parameters.write(output);
  const fused = new Fused(parameters, [input, result]);
  const vectors = sizes[0]! + sizes[1]! + positions * positionStride(outputChannels * tiles, scheme);
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
            const v *z = patch + c * ${patch.channelStride} + i * ${scheme.rows.step * patch.rowStride} + q0 * ${scheme.columns.step};
            v *const to = inputs + c * ${tiles} + i * ${blocks.columns};
            ${transformInput(scheme, patch.rowStride, blocks.columns, positionStride(inputChannels * tiles, scheme))}
          }
          ${products(plan, gather, weights)}
          ${outputs(options, plan, fused)}
        }
      }
    }`;
  return parameters.step(`winograd_${sizesOf(gather)}`, 'group', body, {
    multiplyAdds: multiplyAdds(gather),
  });
}

/** sums [position, output, tile] = weights [position, output, input] · inputs [position, input, tile] */
function products(plan: Plan, gather: Gather, weights: string): string {
  const { inputChannels, outputChannels } = gather;
  const { tiles, scheme } = plan;
  const isFar = areFar(4 * winogradLength(gather, scheme));
  const tile = (outputs: number, columns: number): string => `
    const float *w = wo;
    const v *x = inputs + p * ${positionStride(inputChannels * tiles, scheme)} + t;
    ${pairs(outputs, columns)
      .map(([i, j]) => `v a${i}_${j} = {0};`)
      .join(' ')}
    for (long c = 0; c < ${inputChannels}; c++) {
      ${isFar ? `__builtin_prefetch(w + ${outputs * inputChannels});` : ''}
      ${lines(columns, (j) => `const v x${j} = x[${j}];`)}
      ${lines(outputs, (i) => {
        const row = lines(columns, (j) => `a${i}_${j} += f * x${j};`).replaceAll('\n', ' ');
        return `{ const float f = w[${i}]; ${row} }`;
      })}
      x += ${tiles}; w += ${outputs};
    }
    v *const to = sums + p * ${positionStride(outputChannels * tiles, scheme)} + o * ${tiles} + t;
    ${pairs(outputs, columns)
      .map(([i, j]) => `to[${i * tiles + j}] = a${i}_${j};`)
      .join(' ')}`;
  return `const float *wo = ${weights};
    for (long p = 0; p < ${positionsOf(scheme)}; p++) {
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
  const { blocks, tiles, scheme } = plan;
  const { rows, columns } = scheme;
  const stride = positionStride(outputChannels * tiles, scheme);
  const isCut = {
    rows: rows.outputs * blocks.bandRows * blocks.bands > output.height,
    columns: columns.outputs * blocks.columns * blocks.blocks > output.width,
  };
  const vertical = lines(columns.positions, (k) =>
    rows.output(
      (row) => `s[${(columns.positions * row + k) * stride}L]`,
      (row, value) => `r${row}_${k} = ${value};`,
    ),
  );
  const store = (a: number, b: number, value: string): string => {
    const guards = [
      ...(isCut.rows && a > 0 ? [`row + ${a} < ${output.height}`] : []),
      ...(isCut.columns && b > 0 ? [`column + ${b} < ${output.width}`] : []),
    ];
    const element = `e + ${a * output.width + b}`;
    const guard = guards.length > 0 ? `if (${guards.join(' && ')}) ` : '';
    return `${guard}{ const v a = ${value}; y[${element}] = ${fused.value(result, element, 'a')}; }`;
  };
  const horizontal = lines(rows.outputs, (row) =>
    columns.output(
      (k) => `r${row}_${k}`,
      (column, value) => store(row, column, value),
    ),
  );
  const skips = [
    ...(isCut.rows ? [`row >= ${output.height}`] : []),
    ...(isCut.columns ? [`column >= ${output.width}`] : []),
  ];
  return `for (long c = 0; c < ${outputChannels}; c++) {
      ${fused.channelLocals('c')}
      for (long i = 0; i < ${blocks.bandRows}; i++) for (long j = 0; j < ${blocks.columns}; j++) {
        const long row = ${rows.outputs} * (m0 + i), column = ${columns.outputs} * (q0 + j);
        ${skips.length > 0 ? `if (${skips.join(' || ')}) continue;` : ''}
        const v *const s = sums + c * ${tiles} + i * ${blocks.columns} + j;
        const long e = c * ${output.height * output.width} + row * ${output.width} + column;
        v ${pairs(rows.outputs, columns.positions)
          .map(([a, b]) => `r${a}_${b}`)
          .join(', ')};
        ${vertical}
        ${horizontal}
      }
    }`;
}
