import type { Emitter } from '../../../graph/onnx/standard/emitter.js';
import type { LoweringTable } from '../../../graph/onnx/standard/lowering.js';
import { convolutionAttributes } from '../../../graph/onnx/standard/windows.js';
import type { Convolution } from '../../../graph/windows.js';
import { convolutionOf } from '../../../graph/windows.js';
import { convolutionGradWeight } from './convolution-grad-weight.js';

/** What a transposed convolution adds at the end of each axis to give back the whole input. */
function outputPadding(c: Convolution): number[] {
  return c.input.map((extent, axis) => {
    const reach = (c.kernel[axis]! - 1) * c.dilations[axis]! + 1;
    const covered = (c.output[axis]! - 1) * c.strides[axis]! + reach;
    return extent + c.padsBegin[axis]! + c.padsEnd[axis]! - covered;
  });
}

/**
 * ConvTranspose whose output is `input` of the convolution. ONNX Runtime wants output_padding smaller than the stride,
 * which that of a convolution's gradient always is.
 */
function transposed(emit: Emitter, inputs: readonly string[], c: Convolution): string {
  return emit.add('ConvTranspose', inputs, { ...convolutionAttributes(c), output_padding: outputPadding(c) });
}

/** A 1x1 convolution of stride 1 without padding: a product of matrices at each position. */
function isPointwise(c: Convolution): boolean {
  const ones = (list: readonly number[]): boolean => list.every((entry) => entry === 1);
  const pads = [...c.padsBegin, ...c.padsEnd];
  return c.group === 1 && ones(c.kernel) && ones(c.strides) && pads.every((pad) => pad === 0);
}

/** The gradient of a pointwise convolution is a convolution with the transposed weight. */
function pointwiseGradInput(emit: Emitter, [dy, w]: readonly string[], c: Convolution): string {
  const perm = [1, 0, ...c.kernel.map((_, axis) => axis + 2)];
  return emit.add('Conv', [dy!, emit.add('Transpose', [w!], { perm })]);
}

/** Gradients of convolutions. */
export const convolutionGradients: LoweringTable = {
  ConvGradInput: (emit, node, inputs) => {
    const c = convolutionOf(node);
    return isPointwise(c) ? pointwiseGradInput(emit, inputs, c) : transposed(emit, inputs, c);
  },
  ConvGradWeight: convolutionGradWeight,
};
