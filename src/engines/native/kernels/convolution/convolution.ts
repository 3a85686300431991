import { Fused } from '../../emit/fused.js';
import { registerTile } from '../../emit/register-tile.js';
import { lines } from '../../emit/text.js';
import type { Segment } from '../../emit/tiles.js';
import { pairs, splitEvenly, tileLoops } from '../../emit/tiles.js';
import type { Expression } from '../../plan/expression.js';
import type { Numbers, Table, Tensor } from '../../plan/objects.js';
import { Parameters } from '../../plan/parameters.js';
import type { Step } from '../../plan/step.js';
import type { Target } from '../../toolchain/target.js';
import type { Gather, TapClass } from './gather.js';
import { multiplyAdds, sizesOf } from './gather.js';
import type { PatchAccess, PatchShape } from './patch.js';
import { copiedPatch, directPatch, patchShape, patchVectors, staysInside } from './patch.js';

/** A weight [group · outputs, inputs, ky, kx] within θ or the constants, by strides. */
export interface KernelView {
  readonly numbers: Numbers;
  readonly group: number;
  readonly output: number;
  readonly input: number;
  readonly ky: number;
  readonly kx: number;
}

/** Bytes of a patch that should stay in the second-level cache. */
const PATCH_BYTES = 256 << 10;

/** How a class's outputs are cut into tiles: channels × columns. */
interface ClassTiling {
  readonly channels: readonly Segment[];
  readonly columns: readonly Segment[];
}

function classTiling(gather: Gather, { columns }: TapClass, target: Target): ClassTiling {
  const tile = registerTile(gather.outputChannels, columns.count, target.registers);
  return {
    channels: splitEvenly(gather.outputChannels, tile.rows),
    columns: splitEvenly(columns.count, tile.columns),
  };
}

/** Numbers that the packed weight takes. */
export function packedLength(gather: Gather): number {
  const taps = gather.classes.reduce((total, { taps }) => total + taps.length, 0);
  return gather.group * gather.outputChannels * gather.inputChannels * taps;
}

/** Puts a weight into the order in which `convolution` reads it: class, group, tile of outputs, input, tap, output. */
export function packConvolution(gather: Gather, weight: KernelView, target: Target, packed: Table): Step {
  const parameters = new Parameters();
  const numbers = parameters.numbers(weight.numbers);
  const table = parameters.writeTable(packed);
  const classes = gather.classes.map((tapClass) => {
    const { taps } = tapClass;
    const places = taps.map(({ ky, kx }) => ky * weight.ky + kx * weight.kx);
    const tile = (size: number): string => `for (long c = 0; c < ${gather.inputChannels}; c++)
      for (long t = 0; t < ${taps.length}; t++)
      for (long i = 0; i < ${size}; i++)
      *w++ = (float)${numbers}[u * ${weight.group}L + (o + i) * ${weight.output}L + c * ${weight.input}L + taps[t]];`;
    if (taps.length === 0) return '';
    return `{ static const int taps[] = {${places.join(', ')}};
      for (long u = 0; u < ${gather.group}; u++) {
        ${tileLoops('o', classTiling(gather, tapClass, target).channels, tile)}
      }
    }`;
  });
  return parameters.step('pack_convolution', 'once', `float *w = ${table};\n${classes.join('\n')}`);
}

export interface ConvolutionOptions {
  readonly gather: Gather;
  readonly packed: Table;
  /** What is convolved. */
  readonly input: Expression;
  readonly output: Tensor;
  /** What is stored, in terms of the convolution (the leaf `computed`). */
  readonly result: Expression;
  readonly target: Target;
}

function patchOf(gather: Gather): PatchShape {
  const grid = {
    rows: Math.max(...gather.classes.map(({ rows }) => rows.count)),
    columns: Math.max(...gather.classes.map(({ columns }) => columns.count)),
  };
  const taps = gather.classes.flatMap((tapClass) => tapClass.taps);
  return patchShape(gather.group * gather.inputChannels, gather.input, gather, grid, taps);
}

/** Rows of the grid that are computed from one patch. */
function bandOf(shape: PatchShape, target: Target): number {
  let band = shape.rows;
  while (band > 1 && patchVectors(shape, band) * 4 * target.lanes > PATCH_BYTES) band--;
  return Math.ceil(shape.rows / Math.ceil(shape.rows / band));
}

/** Convolves every example: forward, or back to the input's gradient. */
export function convolution(options: ConvolutionOptions): Step {
  const { gather, packed, input, output, target } = options;
  const parameters = new Parameters();
  const weights = parameters.readTable(packed);
  const out = parameters.write(output);
  const fused = new Fused(parameters, [input, options.result]);
  const shape = patchOf(gather);
  const isDirect = input.kind === 'tensor' && staysInside(shape);
  const band = isDirect ? shape.rows : bandOf(shape, target);
  const access = isDirect
    ? directPatch(shape, fused.value(input, '0').replace(/\[0\]$/, ''))
    : copiedPatch(
        shape,
        band,
        parameters.write({ kind: 'scratch', vectors: patchVectors(shape, band) }),
        fused,
        input,
      );
  let start = 0;
  const classes = gather.classes.map((tapClass) => {
    const code = classCode(options, tapClass, fused, access, shape, band, `${weights} + ${start}`);
    start += packedLength({ ...gather, classes: [tapClass] });
    return `{ ${code} }`;
  });
  const body = `for (long g = 0; g < groups; g++) {
      ${fused.groupLocals}
      v *const y = ${out} + g * ${output.stride};
      for (long m0 = 0; m0 < ${shape.rows}; m0 += ${band}) {
        ${access.fill}
        ${classes.join('\n')}
      }
    }`;
  return parameters.step(`convolution_${sizesOf(gather)}`, 'group', body, {
    multiplyAdds: multiplyAdds(gather),
  });
}

function classCode(
  options: ConvolutionOptions,
  tapClass: TapClass,
  fused: Fused,
  access: PatchAccess,
  shape: PatchShape,
  band: number,
  weights: string,
): string {
  const { gather, target } = options;
  const { rows, columns, taps } = tapClass;
  const tiling = classTiling(gather, tapClass, target);
  const offsets = taps.map(({ dy, dx }) => (dy - shape.top) * access.rowStride + dx - shape.left);
  const pixel = `(${rows.start} + m * ${rows.step}) * ${gather.output.width} + ${columns.start} + q * ${columns.step}`;
  const tile = (outputs: number, pixels: number): string => `
    const v *x = row + u * ${gather.inputChannels * access.channelStride}L + q * ${access.stepX};
    ${taps.length > 0 ? products(options, access, taps.length, outputs, pixels) : zeroSums(outputs, pixels)}
    ${store(options, fused, tapClass, outputs, pixels)}`;
  return `${taps.length > 0 ? `static const int taps[] = {${offsets.join(', ')}};` : ''}
    for (long m = m0; m < smaller(m0 + ${band}, ${rows.count}); m++) {
      const v *const row = ${access.origin} + (m - m0) * ${access.stepY * access.rowStride};
      ${tileLoops(
        'q',
        tiling.columns,
        (pixels) => `const float *w = ${weights};
          const long pixel = ${pixel};
          for (long u = 0; u < ${gather.group}; u++) {
            ${tileLoops('o', tiling.channels, (outputs) => tile(outputs, pixels))}
          }`,
      )}
    }`;
}

const sum = (i: number, j: number): string => `a${i}_${j}`;

function zeroSums(outputs: number, pixels: number): string {
  return pairs(outputs, pixels)
    .map(([i, j]) => `v ${sum(i, j)} = {0};`)
    .join(' ');
}

function products(
  { gather }: ConvolutionOptions,
  access: PatchAccess,
  taps: number,
  outputs: number,
  pixels: number,
): string {
  const row = (i: number): string => lines(pixels, (j) => `${sum(i, j)} += f * x${j};`).replaceAll('\n', ' ');
  return `${zeroSums(outputs, pixels)}
    for (long c = 0; c < ${gather.inputChannels}; c++) {
      for (long t = 0; t < ${taps}; t++) {
        const v *const z = x + taps[t];
        ${lines(pixels, (j) => `const v x${j} = z[${j * access.stepX}];`)}
        ${lines(outputs, (i) => `{ const float f = w[${i}]; ${row(i)} }`)}
        w += ${outputs};
      }
      x += ${access.channelStride};
    }`;
}

function store(
  { gather, result }: ConvolutionOptions,
  fused: Fused,
  { columns }: TapClass,
  outputs: number,
  pixels: number,
): string {
  const size = gather.output.height * gather.output.width;
  return lines(
    outputs,
    (i) => `{ const long c = u * ${gather.outputChannels} + o + ${i};
      const long e = c * ${size} + pixel;
      ${fused.channelLocals('c')}
      ${lines(pixels, (j) => {
        const element = `e + ${j * columns.step}`;
        return `y[${element}] = ${fused.value(result, element, sum(i, j))};`;
      })}
    }`,
  );
}
