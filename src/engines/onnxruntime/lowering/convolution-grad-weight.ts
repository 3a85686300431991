import type { Convolution } from '../../../graph/windows.js';
import { convolutionOf } from '../../../graph/windows.js';
import { sizeOf } from '../../../graph/types.js';
import type { Emitter } from '../../../graph/onnx/standard/emitter.js';
import type { Lowering } from '../../../graph/onnx/standard/lowering.js';
import { padSpatially, reshape, seenThrough, tapsOf } from './taps.js';

/**
 * The weight gradient, dw[m, c, tap] = Σ over examples and positions of dy[m] times x[c] seen through the tap. Two ways;
 * which one is faster depends on the shape (docs/decisions/onnxruntime-lowering.md has the figures).
 */
export const convolutionGradWeight: Lowering = (emit, node, [dy, x]) => {
  const c = convolutionOf(node);
  return prefersVolume(c) ? asVolume(emit, dy!, x!, c) : asColumns(emit, dy!, x!, c);
};

/** From this many pairs of channels on, one convolution over a volume is faster than products of columns. */
const manyChannelPairs = 96 * 96;
/** Columns hold every input once per tap; beyond this many numbers they would take over a gibibyte. */
const manyColumnElements = 2 ** 28;

function prefersVolume(c: Convolution): boolean {
  const taps = sizeOf(c.kernel);
  if (c.group !== 1 || c.kernel.length > 2 || taps === 1) return false;
  const columnElements = c.examples * c.inputChannels * taps * sizeOf(c.output);
  return c.inputChannels * c.outputChannels >= manyChannelPairs || columnElements > manyColumnElements;
}

/**
 * One convolution with examples as channels and channels as an outermost spatial axis, over which a kernel of extent one
 * slides: x as [1, N, C, …], dy as kernels [M, N, 1, …]. Strides and dilations change roles.
 */
function asVolume(emit: Emitter, dy: string, x: string, c: Convolution): string {
  const swapped = emit.add('Transpose', [dy], { perm: [1, 0, ...c.kernel.map((_, axis) => axis + 2)] });
  const kernels = reshape(emit, swapped, [c.outputChannels, c.examples, 1, ...c.output]);
  const volume = reshape(emit, x, [1, c.examples, c.inputChannels, ...c.input]);
  const correlation = emit.add('Conv', [volume, kernels], {
    strides: [1, ...c.dilations],
    dilations: [1, ...c.strides],
    pads: [0, ...c.padsBegin, 0, ...c.padsEnd],
  });
  return reshape(emit, cropToKernel(emit, correlation, c), [c.outputChannels, c.inputChannels, ...c.kernel]);
}

/** Where the windows leave a rest of the input unseen, the correlation has more positions than the kernel has taps. */
function cropToKernel(emit: Emitter, correlation: string, c: Convolution): string {
  const axes = c.kernel.map((_, axis) => axis + 3);
  const starts = axes.map(() => 0);
  return emit.add('Slice', [correlation, ...[starts, c.kernel, axes].map((list) => emit.ints(list))]);
}

/** Products of dy [N, g, M/g, positions] with the columns [N, g, taps · C/g, positions], added up over examples. */
function asColumns(emit: Emitter, dy: string, x: string, c: Convolution): string {
  const taps = sizeOf(c.kernel);
  const positions = sizeOf(c.output);
  const [rows, depth] = [c.outputChannels / c.group, c.inputChannels / c.group];
  const columns = emit.add('Transpose', [columnsOf(emit, x, c)], { perm: [0, 1, 3, 2] });
  const gradients = reshape(emit, dy, [c.examples, c.group, rows, positions]);
  const products = emit.add('MatMul', [gradients, columns]);
  const sum = emit.add('ReduceSum', [products, emit.ints([0])], { keepdims: 0 });
  const ordered = emit.add('Transpose', [reshape(emit, sum, [c.group, rows, taps, depth])], {
    perm: [0, 1, 3, 2],
  });
  return reshape(emit, ordered, [c.outputChannels, depth, ...c.kernel]);
}

/** x as each tap sees it, side by side: [N, g, taps · C/g, positions]. */
function columnsOf(emit: Emitter, x: string, c: Convolution): string {
  const positions = sizeOf(c.output);
  const depth = c.inputChannels / c.group;
  const padded = padSpatially(emit, x, c.padsBegin, c.padsEnd);
  const views = tapsOf(c.kernel).map((tap) =>
    reshape(emit, seenThrough(emit, padded, tap, c), [c.examples, c.group, depth, positions]),
  );
  return views.length === 1 ? views[0]! : emit.add('Concat', views, { axis: 2 });
}
