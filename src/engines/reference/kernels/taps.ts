import { stridesOf } from '../../../graph/shapes.js';
import type { Windows } from '../../../graph/windows.js';
import { offsetsOf } from '../tensor.js';

/** What one element of a window meets: window `output[k]` reads element `input[k]` (flat spatial indices). */
export interface Tap {
  readonly output: Int32Array;
  readonly input: Int32Array;
}

/** Index that each window reads along one axis at this place in the window, or -1 in the padding. */
function readsAlong(windows: Windows, axis: number, place: number): number[] {
  const { strides, dilations, padsBegin, input, output } = windows;
  return Array.from({ length: output[axis]! }, (_, window) => {
    const index = window * strides[axis]! + place * dilations[axis]! - padsBegin[axis]!;
    return index >= 0 && index < input[axis]! ? index : -1;
  });
}

function tapAt(windows: Windows, places: readonly number[]): Tap {
  const strides = stridesOf(windows.input);
  let reads = [0];
  for (const [axis, place] of places.entries()) {
    const along = readsAlong(windows, axis, place);
    reads = reads.flatMap((from) =>
      along.map((index) => (from < 0 || index < 0 ? -1 : from + index * strides[axis]!)),
    );
  }
  const output = [...reads.keys()].filter((window) => reads[window]! >= 0);
  return { output: Int32Array.from(output), input: Int32Array.from(output, (window) => reads[window]!) };
}

/** One tap for each element of the window, in row-major order. */
export function tapsOf(windows: Windows): Tap[] {
  const strides = stridesOf(windows.kernel);
  const places = offsetsOf(windows.kernel, strides);
  return Array.from(places, (flat) =>
    tapAt(
      windows,
      windows.kernel.map((extent, axis) => Math.floor(flat / strides[axis]!) % extent),
    ),
  );
}
