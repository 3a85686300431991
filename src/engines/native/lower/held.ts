import type { Shape } from '../../../graph/types.js';
import type { Expression } from '../plan/expression.js';
import type { Feed, Numbers, Sums, Table } from '../plan/objects.js';

/** Numbers of θ or the constants, seen with a shape and strides (in numbers, 0 where broadcast). */
export interface StaticView {
  readonly kind: 'static';
  readonly numbers: Numbers;
  readonly shape: Shape;
  readonly strides: readonly number[];
}

/** The same number everywhere, known now. */
export interface Uniform {
  readonly kind: 'uniform';
  readonly value: number;
  readonly shape: Shape;
}

/** Numbers of each example, [N, …]. */
export interface PerExample {
  readonly kind: 'examples';
  readonly expression: Expression;
  readonly shape: Shape;
  /** True where lanes without an example hold zeros, so that sums over lanes need no mask. */
  readonly hasZeroTail: boolean;
}

/** A fed array that is not in lanes. */
export interface Fed {
  readonly kind: 'fed';
  readonly feed: Feed;
}

/** Fed bytes [N, …] that a matrix unit takes as they are. */
export interface FedBytes {
  readonly kind: 'bytes';
  readonly feed: Feed;
}

/** Numbers of each channel that are known only after a pass over the chunk, such as its mean. */
export interface Statistic {
  readonly kind: 'statistic';
  readonly table: Table;
}

/** Sums over the examples of the chunk, times a factor, in row-major order before `strides`. */
export interface Reduced {
  readonly kind: 'reduced';
  readonly sums: Sums;
  readonly factor: number;
  readonly shape: Shape;
  readonly strides: readonly number[];
}

/** What stands for a value of the graph while code is generated. */
export type Held = StaticView | Uniform | PerExample | Fed | FedBytes | Statistic | Reduced;

/** What does not vary by example: parameters, constants, and sums over the examples. */
export type ArrayHeld = StaticView | Uniform | Reduced;

/** Strides of a row-major array. */
export function rowMajorStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
}

/** Sums as they are, row-major in a shape. */
export function reducedSums(sums: Sums, shape: Shape): Reduced {
  return { kind: 'reduced', sums, factor: 1, shape, strides: rowMajorStrides(shape) };
}

/** True where a view lies in memory like a row-major array of its shape. */
export function isRowMajor({ shape, strides }: { shape: Shape; strides: readonly number[] }): boolean {
  const wanted = rowMajorStrides(shape);
  return shape.every((extent, axis) => extent === 1 || strides[axis] === wanted[axis]);
}

/** The view with `shape` instead, numpy's broadcasting; null where it does not fit. */
export function broadcastStrides(
  view: { readonly shape: Shape; readonly strides: readonly number[] },
  shape: Shape,
): number[] | null {
  const missing = shape.length - view.shape.length;
  if (missing < 0) return null;
  const strides = shape.map((extent, axis) => {
    const own = axis < missing ? 1 : view.shape[axis - missing]!;
    if (own === extent && own !== 1) return view.strides[axis - missing]!;
    return own === 1 ? 0 : NaN;
  });
  return strides.some(Number.isNaN) ? null : strides;
}
