import type { Windows } from '../../../graph/windows.js';

/** One spatial axis of a convolution or pooling. */
export interface Axis {
  readonly input: number;
  readonly output: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly pad: number;
}

/** The two spatial axes of windows; where there is only one, it counts as a single row. */
export function axesOf(w: Windows): { readonly y: Axis; readonly x: Axis } {
  const axis = (k: number): Axis => ({
    input: w.input[k]!,
    output: w.output[k]!,
    kernel: w.kernel[k]!,
    stride: w.strides[k]!,
    dilation: w.dilations[k]!,
    pad: w.padsBegin[k]!,
  });
  const single: Axis = { input: 1, output: 1, kernel: 1, stride: 1, dilation: 1, pad: 0 };
  return w.input.length === 1 ? { y: single, x: axis(0) } : { y: axis(0), x: axis(1) };
}
