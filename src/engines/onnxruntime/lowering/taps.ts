import type { Windows } from '../../../graph/windows.js';
import type { Emitter } from '../../../onnx/standard/emitter.js';

/** Every index into a kernel, row-major. */
export function tapsOf(kernel: readonly number[]): number[][] {
  return kernel.reduce<number[][]>(
    (taps, extent) => taps.flatMap((tap) => Array.from({ length: extent }, (_, k) => [...tap, k])),
    [[]],
  );
}

/** The elements of a padded input [N, C, …] that one tap of the windows meets: [N, C, …output]. */
export function seenThrough(emit: Emitter, padded: string, tap: readonly number[], windows: Windows): string {
  const starts = tap.map((index, axis) => index * windows.dilations[axis]!);
  const ends = starts.map((start, axis) => start + (windows.output[axis]! - 1) * windows.strides[axis]! + 1);
  const axes = tap.map((_, axis) => axis + 2);
  return emit.add('Slice', [padded, ...[starts, ends, axes, windows.strides].map((list) => emit.ints(list))]);
}

/** x [N, C, …] with zeros or `fill` around its spatial axes; negative pads cut off. */
export function padSpatially(
  emit: Emitter,
  x: string,
  begins: readonly number[],
  ends: readonly number[],
  fill = 0,
): string {
  const pads = [0, 0, ...begins, 0, 0, ...ends];
  if (pads.every((pad) => pad === 0)) return x;
  return emit.add('Pad', [x, emit.ints(pads), emit.scalar(fill)], { mode: 'constant' });
}

export function reshape(emit: Emitter, x: string, shape: readonly number[]): string {
  return emit.add('Reshape', [x, emit.ints(shape)]);
}
