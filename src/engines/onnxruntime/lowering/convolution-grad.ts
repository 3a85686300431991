import type { Emitter } from '../../../onnx/standard/emitter.js';
import type { LoweringTable } from '../../../onnx/standard/lowering.js';
import { convolutionAttributes } from '../../../onnx/standard/windows.js';
import { sizeOf } from '../../../graph/types.js';
import type { Convolution } from '../../../graph/windows.js';
import { convolutionOf } from '../../../graph/windows.js';
import { convolutionGradWeight } from './convolution-grad-weight.js';

/** How far a window reaches along one axis, dilation counted. */
function reachOf(c: Convolution, axis: number): number {
  return (c.kernel[axis]! - 1) * c.dilations[axis]! + 1;
}

/** What a transposed convolution adds at the end of each axis to give back the whole input: less than the stride. */
function outputPadding(c: Convolution): number[] {
  return c.input.map((extent, axis) => {
    const covered = (c.output[axis]! - 1) * c.strides[axis]! + reachOf(c, axis);
    return extent + c.padsBegin[axis]! + c.padsEnd[axis]! - covered;
  });
}

function asTransposed(emit: Emitter, inputs: readonly string[], c: Convolution): string {
  const attributes = { ...convolutionAttributes(c), output_padding: outputPadding(c) };
  return emit.add('ConvTranspose', inputs, attributes);
}

/**
 * Whether a convolution with the turned kernel gives the gradient, and is faster than a transposed one: where every window
 * position is used, and no fewer channels go in than come out (docs/decisions/onnxruntime-lowering.md).
 */
function prefersTurned(c: Convolution): boolean {
  const within = c.kernel.every((_, axis) => {
    const most = reachOf(c, axis) - 1;
    return c.strides[axis] === 1 && c.padsBegin[axis]! <= most && c.padsEnd[axis]! <= most;
  });
  return within && c.group === 1 && (sizeOf(c.kernel) === 1 || c.inputChannels >= c.outputChannels);
}

/** The kernel [M, C, …] as [C, M, …] with each spatial axis reversed. */
function turned(emit: Emitter, w: string, kernel: readonly number[]): string {
  const perm = [1, 0, ...kernel.map((_, axis) => axis + 2)];
  return kernel.reduce(
    (weight, extent, axis) => {
      if (extent === 1) return weight;
      const reversed = Array.from({ length: extent }, (_, k) => extent - 1 - k);
      return emit.add('Gather', [weight, emit.ints(reversed)], { axis: axis + 2 });
    },
    emit.add('Transpose', [w], { perm }),
  );
}

function asTurned(emit: Emitter, [dy, w]: readonly string[], c: Convolution): string {
  const pads = [c.padsBegin, c.padsEnd].flatMap((list) =>
    list.map((pad, axis) => reachOf(c, axis) - 1 - pad),
  );
  return emit.add('Conv', [dy!, turned(emit, w!, c.kernel)], { dilations: c.dilations, pads });
}

/** Gradients of convolutions. */
export const convolutionGradients: LoweringTable = {
  ConvGradInput: (emit, node, inputs) => {
    const c = convolutionOf(node);
    return prefersTurned(c) ? asTurned(emit, inputs, c) : asTransposed(emit, inputs, c);
  },
  ConvGradWeight: convolutionGradWeight,
};
