import type { Shape } from '../../../graph/types.js';
import { sizeOf } from '../../../graph/types.js';
import type { Tensor } from '../plan/objects.js';
import { rowMajorStrides } from './held.js';

/** Numbers of each example, [N, …], that lie in a tensor in another order, or are some of its numbers. */
export interface View {
  readonly tensor: Tensor;
  readonly offset: number;
  /** Of the axes behind the examples, in elements; 0 where broadcast. */
  readonly strides: readonly number[];
}

/** A tensor [N, …] as it lies in memory. */
export function wholeView(tensor: Tensor, shape: Shape): View {
  return { tensor, offset: 0, strides: rowMajorStrides(shape.slice(1)) };
}

/** True where a view of `shape` [N, …] is the whole tensor in its own order. */
export function isWhole({ tensor, offset, strides }: View, shape: Shape): boolean {
  const inner = shape.slice(1);
  const wanted = rowMajorStrides(inner);
  const isInOrder = inner.every((extent, axis) => extent === 1 || strides[axis] === wanted[axis]);
  return offset === 0 && isInOrder && tensor.elements === sizeOf(inner);
}

/** Strides by which the same numbers in the same order have another shape; null where they would have to move. */
export function reshapedStrides(from: Shape, strides: readonly number[], to: Shape): number[] | null {
  const axes = [...from.keys()].filter((axis) => from[axis] !== 1);
  const result: number[] = [];
  let axis = axes.length - 1;
  /** Elements left of the axis that is being divided, and the stride of its last ones. */
  let left = 1;
  let stride = 1;
  for (let k = to.length - 1; k >= 0; k--) {
    const extent = to[k]!;
    if (extent === 1) {
      result.unshift(0);
      continue;
    }
    if (left === 1) {
      if (axis < 0) return null;
      [left, stride] = [from[axes[axis]!]!, strides[axes[axis]!]!];
      axis--;
    }
    while (left % extent !== 0 && axis >= 0 && strides[axes[axis]!] === stride * left) {
      left *= from[axes[axis]!]!;
      axis--;
    }
    if (left % extent !== 0) return null;
    result.unshift(stride);
    stride *= extent;
    left /= extent;
  }
  return result;
}
