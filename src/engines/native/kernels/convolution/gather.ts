import type { Convolution } from '../../../../graph/windows.js';
import { axesOf, type Axis } from '../axes.js';

/** One tap of a window: where it reads relative to a position of the grid, and which weight it takes. */
export interface Tap {
  readonly dy: number;
  readonly dx: number;
  readonly ky: number;
  readonly kx: number;
}

/** Every `step`-th row (or column) of the output, from `start` on. */
export interface Grid {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

/** Outputs that are computed by the same taps. */
export interface TapClass {
  readonly rows: Grid;
  readonly columns: Grid;
  readonly taps: readonly Tap[];
}

export interface Extent {
  readonly height: number;
  readonly width: number;
}

/**
 * A convolution as a gathering sum: output (row r, column q of a class) = Σ over channels and taps of weight · input at
 * (r · strideY + dy, q · strideX + dx), zero outside. Forward convolutions have one class; the input gradient of a strided
 * one has a class for each remainder.
 */
export interface Gather {
  /** True for a gradient, of which everything that follows is a linear function. */
  readonly isGradient: boolean;
  /** Of the convolution that this is, or whose gradient it is. */
  readonly axes: { readonly y: Axis; readonly x: Axis };
  readonly group: number;
  /** Channels of one group. */
  readonly inputChannels: number;
  readonly outputChannels: number;
  readonly input: Extent;
  readonly output: Extent;
  readonly strideY: number;
  readonly strideX: number;
  readonly classes: readonly TapClass[];
}

/** Products of one example, positions that read only padding counted too. */
export function multiplyAdds({ group, inputChannels, outputChannels, classes }: Gather): number {
  const positions = classes.reduce(
    (total, { rows, columns, taps }) => total + rows.count * columns.count * taps.length,
    0,
  );
  return group * inputChannels * outputChannels * positions;
}

/** The sizes of a convolution, for the names of functions. */
export function sizesOf({ inputChannels, outputChannels, output }: Gather): string {
  return `${inputChannels}to${outputChannels}_${output.height}x${output.width}`;
}

const range = (count: number): number[] => Array.from({ length: count }, (_, k) => k);

function all(count: number): Grid {
  return { start: 0, step: 1, count };
}

/** All taps of a window. */
export function windowTaps(c: Convolution): Tap[] {
  const { y, x } = axesOf(c);
  return range(y.kernel).flatMap((ky) =>
    range(x.kernel).map((kx) => ({ dy: ky * y.dilation - y.pad, dx: kx * x.dilation - x.pad, ky, kx })),
  );
}

export function forwardGather(c: Convolution): Gather {
  const axes = axesOf(c);
  const { y, x } = axes;
  return {
    isGradient: false,
    axes,
    group: c.group,
    inputChannels: c.inputChannels / c.group,
    outputChannels: c.outputChannels / c.group,
    input: { height: y.input, width: x.input },
    output: { height: y.output, width: x.output },
    strideY: y.stride,
    strideX: x.stride,
    classes: [{ rows: all(y.output), columns: all(x.output), taps: windowTaps(c) }],
  };
}

interface AxisClass {
  readonly grid: Grid;
  readonly taps: readonly { readonly k: number; readonly d: number }[];
}

/** Inputs i with the same i mod stride are reached by the same taps: output (i + pad - k · dilation) / stride. */
function remainders(axis: Axis): AxisClass[] {
  return range(Math.min(axis.stride, axis.input)).map((start) => ({
    grid: { start, step: axis.stride, count: Math.ceil((axis.input - start) / axis.stride) },
    taps: range(axis.kernel)
      .map((k) => ({ k, d: (start + axis.pad - k * axis.dilation) / axis.stride }))
      .filter(({ d }) => Number.isInteger(d)),
  }));
}

/** The gradient with respect to the input gathers from the gradient of the output; so does a transposed convolution, forward. */
export function inputGradientGather(c: Convolution, isGradient: boolean): Gather {
  const axes = axesOf(c);
  const { y, x } = axes;
  const classes = remainders(y).flatMap((row) =>
    remainders(x).map((column) => ({
      rows: row.grid,
      columns: column.grid,
      taps: row.taps.flatMap(({ k: ky, d: dy }) =>
        column.taps.map(({ k: kx, d: dx }) => ({ dy, dx, ky, kx })),
      ),
    })),
  );
  return {
    isGradient,
    axes,
    group: c.group,
    inputChannels: c.outputChannels / c.group,
    outputChannels: c.inputChannels / c.group,
    input: { height: y.output, width: x.output },
    output: { height: y.input, width: x.input },
    strideY: 1,
    strideX: 1,
    classes,
  };
}
