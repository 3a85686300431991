import type { Application } from './application.js';
import { inputOf, misfit } from './application.js';
import { intAttribute, intsAttribute } from './attributes.js';
import type { Shape } from './types.js';

/** How a window slides over the spatial axes; every list has one entry per spatial axis. */
export interface Windows {
  /** Extents of what the window slides over. */
  readonly input: Shape;
  /** Extents of the window, dilation not counted. */
  readonly kernel: Shape;
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padsBegin: readonly number[];
  readonly padsEnd: readonly number[];
  /** Number of window positions. */
  readonly output: Shape;
}

/** Shapes of a convolution. ConvTranspose is the gradient of one: its output is what the window slides over. */
export interface Convolution extends Windows {
  readonly examples: number;
  readonly group: number;
  readonly inputChannels: number;
  readonly outputChannels: number;
}

/** A pooling with its geometry resolved. */
export interface Pooling extends Windows {
  readonly examples: number;
  readonly channels: number;
}

/** ONNX's ways to choose pads. */
export type AutoPad = 'NOTSET' | 'VALID' | 'SAME_UPPER' | 'SAME_LOWER';

function dilatedExtent(kernel: number, dilation: number): number {
  return (kernel - 1) * dilation + 1;
}

function splitPads(autoPad: AutoPad, totals: readonly number[]): number[] {
  const small = totals.map((total) => Math.floor(total / 2));
  const large = totals.map((total, axis) => total - small[axis]!);
  return autoPad === 'SAME_LOWER' ? [...large, ...small] : [...small, ...large];
}

/** ONNX's `auto_pad` of a convolution or pooling as `pads` [begins…, ends…]: SAME gives ceil(input / stride) windows. */
export function resolvePads(
  autoPad: AutoPad,
  input: Shape,
  kernel: Shape,
  strides: readonly number[] = kernel.map(() => 1),
  dilations: readonly number[] = kernel.map(() => 1),
): number[] {
  if (autoPad === 'NOTSET' || autoPad === 'VALID') return new Array<number>(2 * kernel.length).fill(0);
  const totals = kernel.map((extent, axis) => {
    const steps = Math.ceil(input[axis]! / strides[axis]!) - 1;
    return Math.max(0, steps * strides[axis]! + dilatedExtent(extent, dilations[axis]!) - input[axis]!);
  });
  return splitPads(autoPad, totals);
}

/** What ConvTranspose's `auto_pad` or `output_shape` leave open, as `pads`. `output` defaults to input · stride. */
export function resolveTransposePads(
  autoPad: AutoPad,
  input: Shape,
  kernel: Shape,
  strides: readonly number[],
  dilations: readonly number[],
  outputPadding: readonly number[],
  output: Shape = input.map((extent, axis) => extent * strides[axis]!),
): number[] {
  if (autoPad === 'VALID') return new Array<number>(2 * kernel.length).fill(0);
  const totals = kernel.map((extent, axis) => {
    const reach = strides[axis]! * (input[axis]! - 1) + dilatedExtent(extent, dilations[axis]!);
    return Math.max(0, reach + outputPadding[axis]! - output[axis]!);
  });
  return splitPads(autoPad === 'SAME_UPPER' ? 'SAME_UPPER' : 'SAME_LOWER', totals);
}

function spatialInts(
  node: Application,
  name: string,
  count: number,
  fallback: number,
  least: number,
): number[] {
  const values = [...intsAttribute(node, name, new Array<number>(count).fill(fallback))];
  if (values.length !== count || values.some((value) => value < least)) {
    throw misfit(node, `attribute ${name}: ${count} integers of at least ${least}`);
  }
  return values;
}

function slidingAttributes(node: Application, kernel: Shape): Omit<Windows, 'input' | 'output'> {
  const rank = kernel.length;
  const pads = spatialInts(node, 'pads', 2 * rank, 0, 0);
  return {
    kernel,
    strides: spatialInts(node, 'strides', rank, 1, 1),
    dilations: spatialInts(node, 'dilations', rank, 1, 1),
    padsBegin: pads.slice(0, rank),
    padsEnd: pads.slice(rank),
  };
}

function windowsOver(node: Application, input: Shape, kernel: Shape, ceil = false): Windows {
  const sliding = slidingAttributes(node, kernel);
  const output = input.map((extent, axis) => {
    const stride = sliding.strides[axis]!;
    const begin = sliding.padsBegin[axis]!;
    const reach = dilatedExtent(kernel[axis]!, sliding.dilations[axis]!);
    const room = (extent + begin + sliding.padsEnd[axis]! - reach) / stride;
    if (!ceil) return Math.floor(room) + 1;
    const count = Math.ceil(room) + 1;
    // A last window that would start inside the padding after the input has nothing to look at.
    return (count - 1) * stride >= extent + begin ? count - 1 : count;
  });
  if (output.some((extent) => extent < 1)) {
    throw misfit(node, `a window that fits into [${input.join(', ')}] with its padding`);
  }
  return { ...sliding, input, output };
}

function convolution(node: Application, input: Shape, weight: Shape): Convolution {
  const group = intAttribute(node, 'group', 1);
  if (input.length < 3 || weight.length !== input.length) {
    throw misfit(node, 'x [N, C, …] and w [M, C/group, …] with as many spatial axes, one or more');
  }
  const inputChannels = input[1]!;
  const outputChannels = weight[0]!;
  if (group < 1 || weight[1]! * group !== inputChannels || outputChannels % group !== 0) {
    throw misfit(node, `input channels = ${weight[1]!} · group, and ${outputChannels} divisible by group`);
  }
  const windows = windowsOver(node, input.slice(2), weight.slice(2));
  return { ...windows, examples: input[0]!, group, inputChannels, outputChannels };
}

function transposedInputShape(node: Application): Shape {
  const x = inputOf(node, 0).shape;
  const w = inputOf(node, 1).shape;
  if (x.length < 3 || w.length !== x.length || w[0] !== x[1]) {
    throw misfit(node, 'x [N, C, …] and w [C, M/group, …] with as many spatial axes, one or more');
  }
  const sliding = slidingAttributes(node, w.slice(2));
  const extra = spatialInts(node, 'output_padding', w.length - 2, 0, 0);
  if (extra.some((padding, axis) => padding >= sliding.strides[axis]!)) {
    throw misfit(node, 'output_padding smaller than strides');
  }
  const extents = x.slice(2).map((extent, axis) => {
    const reach = dilatedExtent(sliding.kernel[axis]!, sliding.dilations[axis]!);
    const pads = sliding.padsBegin[axis]! + sliding.padsEnd[axis]!;
    return sliding.strides[axis]! * (extent - 1) + extra[axis]! + reach - pads;
  });
  if (extents.some((extent) => extent < 1)) {
    throw misfit(
      node,
      `pads that leave something of its output: of these axes remain [${extents.join(', ')}]`,
    );
  }
  return [x[0]!, w[1]! * intAttribute(node, 'group', 1), ...extents];
}

/**
 * The convolution behind a Conv, ConvGradInput, ConvGradWeight or ConvTranspose node. Throws GraphError where shapes and
 * attributes do not fit.
 */
export function convolutionOf(node: Application): Convolution {
  switch (node.op) {
    case 'ConvGradInput':
      return convolution(node, intsAttribute(node, 'input_shape'), inputOf(node, 1).shape);
    case 'ConvGradWeight':
      return convolution(node, inputOf(node, 1).shape, intsAttribute(node, 'kernel_shape'));
    case 'ConvTranspose':
      return convolution(node, transposedInputShape(node), inputOf(node, 1).shape);
    default:
      return convolution(node, inputOf(node, 0).shape, inputOf(node, 1).shape);
  }
}

/** [N, M, …] of a convolution's output. */
export function convolutionOutput(c: Convolution): Shape {
  return [c.examples, c.outputChannels, ...c.output];
}

/** [N, C, …] of what a convolution reads. */
export function convolutionInput(c: Convolution): Shape {
  return [c.examples, c.inputChannels, ...c.input];
}

/**
 * The windows behind a MaxPool, MaxPoolGrad, AveragePool or AveragePoolGrad node. Throws GraphError where shapes and
 * attributes do not fit.
 */
export function poolingOf(node: Application): Pooling {
  const input =
    node.op === 'AveragePoolGrad'
      ? intsAttribute(node, 'input_shape')
      : inputOf(node, node.op === 'MaxPoolGrad' ? 1 : 0).shape;
  const kernel = intsAttribute(node, 'kernel_shape');
  if (input.length < 3 || kernel.length !== input.length - 2 || kernel.some((extent) => extent < 1)) {
    throw misfit(node, 'x [N, C, …] and one entry of kernel_shape per spatial axis');
  }
  const windows = windowsOver(node, input.slice(2), kernel, intAttribute(node, 'ceil_mode', 0) === 1);
  if (windows.kernel.some((_, axis) => padsSwallowWindow(windows, axis))) {
    throw misfit(node, 'pads smaller than the window, so that each window sees the input');
  }
  return { ...windows, examples: input[0]!, channels: input[1]! };
}

function padsSwallowWindow(windows: Windows, axis: number): boolean {
  const reach = dilatedExtent(windows.kernel[axis]!, windows.dilations[axis]!);
  return windows.padsBegin[axis]! >= reach || windows.padsEnd[axis]! >= reach;
}
