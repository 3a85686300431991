import type { Pooling } from '../../../graph/windows.js';
import type { EmittedAttributes } from '../emitter.js';

/**
 * ONNX's attributes of a pooling. In place of `ceil_mode`, whose output shape ONNX Runtime's shape inference and kernels do
 * not agree on, the end is padded by what the last windows need.
 */
export function poolingAttributes(p: Pooling): EmittedAttributes {
  const padsEnd = p.output.map((extent, axis) => {
    const reach = (p.kernel[axis]! - 1) * p.dilations[axis]! + 1;
    const covered = (extent - 1) * p.strides[axis]! + reach;
    return Math.max(0, covered - p.padsBegin[axis]! - p.input[axis]!);
  });
  return {
    kernel_shape: p.kernel,
    strides: p.strides,
    dilations: p.dilations,
    pads: [...p.padsBegin, ...padsEnd],
  };
}
