import type { Convolution } from '../../../graph/windows.js';
import { convolutionOf } from '../../../graph/windows.js';
import { sizeOf } from '../../../graph/types.js';
import type { Emitter } from '../../../onnx/standard/emitter.js';
import type { Lowering } from '../../../onnx/standard/lowering.js';
import { padSpatially, reshape, seenThrough, tapsOf } from './taps.js';

/**
 * The weight gradient, dw[m, c, tap] = Σ over examples and positions of dy[m] times x[c] seen through the tap. Which way is
 * fastest depends on the shape (docs/decisions/onnxruntime-lowering.md has the figures).
 */
export const convolutionGradWeight: Lowering = (emit, node, [dy, x]) => {
  const c = convolutionOf(node);
  if (prefersVolume(c)) return asVolume(emit, dy!, x!, c);
  const views = viewsOf(emit, x!, c);
  return asProducts(emit, dy!, areJoined(c) ? [emit.add('Concat', views, { axis: 2 })] : views, c);
};

/** True where the views of all taps become one operand. */
function areJoined(c: Convolution): boolean {
  return c.inputChannels / c.group < fewChannels && sizeOf(c.kernel) > 1;
}

/** Most arrays as large as a view of the input through one tap that are alive at once: all taps', and where joined, these once more. */
export function viewsAlive(c: Convolution): number {
  if (prefersVolume(c)) return 0;
  return (areJoined(c) ? 2 : 1) * sizeOf(c.kernel);
}

/** With fewer channels than this, one product for all taps is faster than one for each. */
const fewChannels = 16;
/** With at most this many positions, one convolution over a volume is faster than products by example. */
const fewPositions = 32;
/** Views that are joined hold every input once per tap; beyond this many numbers they would take half a gibibyte. */
const manyNumbers = 2 ** 27;

function prefersVolume(c: Convolution): boolean {
  const [taps, positions] = [sizeOf(c.kernel), sizeOf(c.output)];
  if (c.group !== 1 || c.kernel.length > 2 || taps === 1) return false;
  if (c.inputChannels >= fewChannels) return positions <= fewPositions;
  return c.examples * c.inputChannels * taps * positions > manyNumbers;
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

/** x as each tap sees it, [N, g, C/g, positions]. */
function viewsOf(emit: Emitter, x: string, c: Convolution): string[] {
  const padded = padSpatially(emit, x, c.padsBegin, c.padsEnd);
  const shape = [c.examples, c.group, c.inputChannels / c.group, sizeOf(c.output)];
  return tapsOf(c.kernel).map((tap) => reshape(emit, seenThrough(emit, padded, tap, c), shape));
}

/** Products of dy with views [N, g, taps · C/g, positions] of one or of all taps, added up over examples. */
function asProducts(emit: Emitter, dy: string, views: readonly string[], c: Convolution): string {
  const [rows, depth] = [c.outputChannels / c.group, c.inputChannels / c.group];
  const gradients = reshape(emit, dy, [c.examples, c.group, rows, sizeOf(c.output)]);
  const parts = views.map((view) => {
    const columns = emit.add('Transpose', [view], { perm: [0, 1, 3, 2] });
    const products = emit.add('MatMul', [gradients, columns]);
    const sum = emit.add('ReduceSum', [products, emit.ints([0])], { keepdims: 0 });
    return reshape(emit, sum, [c.group, rows, sizeOf(c.kernel) / views.length, depth]);
  });
  const all = parts.length === 1 ? parts[0]! : emit.add('Concat', parts, { axis: 2 });
  const ordered = emit.add('Transpose', [all], { perm: [0, 1, 3, 2] });
  return reshape(emit, ordered, [c.outputChannels, depth, ...c.kernel]);
}
