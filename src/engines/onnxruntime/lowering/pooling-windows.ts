import type { Pooling } from '../../../graph/windows.js';
import type { EmittedAttributes, Emitter } from '../../../onnx/standard/emitter.js';
import { padSpatially } from './taps.js';

/**
 * What the last windows need after the input. ONNX Runtime's shape inference and kernels do not agree on the output shape
 * of `ceil_mode`, so it is never used: the end is padded instead.
 */
export function endPads(p: Pooling): number[] {
  return p.output.map((extent, axis) => {
    const reach = (p.kernel[axis]! - 1) * p.dilations[axis]! + 1;
    const covered = (extent - 1) * p.strides[axis]! + reach;
    return Math.max(0, covered - p.padsBegin[axis]! - p.input[axis]!);
  });
}

/** A max pooling whose padding ONNX Runtime takes. */
export interface PaddedPooling {
  readonly x: string;
  /** Spatial extents of x. */
  readonly input: readonly number[];
  readonly padsBegin: readonly number[];
  readonly attributes: EmittedAttributes;
}

/** ONNX Runtime wants pads smaller than `kernel_shape`, even where windows are dilated; larger ones become a Pad. */
export function paddedPooling(emit: Emitter, x: string, p: Pooling): PaddedPooling {
  const ends = endPads(p);
  const fits = p.kernel.every((extent, axis) => p.padsBegin[axis]! < extent && ends[axis]! < extent);
  const attributes = { kernel_shape: p.kernel, strides: p.strides, dilations: p.dilations };
  if (fits) {
    const pads = [...p.padsBegin, ...ends];
    return { x, input: p.input, padsBegin: p.kernel.map(() => 0), attributes: { ...attributes, pads } };
  }
  const input = p.input.map((extent, axis) => p.padsBegin[axis]! + extent + ends[axis]!);
  const padded = padSpatially(emit, x, p.padsBegin, ends, -Infinity);
  return { x: padded, input, padsBegin: p.padsBegin, attributes };
}
