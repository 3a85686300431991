import { broadcastShapes, stridesOf } from '../../graph/shapes.js';
import type { Node, Shape, TensorData } from '../../graph/types.js';
import { sizeOf } from '../../graph/types.js';

/** Row-major numbers in float64; integers and booleans (0 or 1) are exact in it. */
export interface Tensor {
  readonly shape: Shape;
  readonly data: Float64Array;
}

/** Computes one node. An input that is left out is undefined. */
export type Kernel = (inputs: readonly (Tensor | undefined)[], node: Node) => Tensor[];

/** A tensor [...shape] of zeros. */
export function zeros(shape: Shape): Tensor {
  return { shape, data: new Float64Array(sizeOf(shape)) };
}

/** A tensor [...shape] of row-major numbers, widened to float64. */
export function tensorOf(shape: Shape, data: TensorData): Tensor {
  return { shape, data: Float64Array.from(data as ArrayLike<number>, Number) };
}

/** Flat index `start` + Σ index · stride of every element of a row-major [...shape], in order. */
export function offsetsOf(shape: Shape, strides: readonly number[], start = 0): Int32Array {
  let offsets = Int32Array.of(start);
  for (const [axis, extent] of shape.entries()) {
    const finer = new Int32Array(offsets.length * extent);
    let k = 0;
    for (const offset of offsets) for (let i = 0; i < extent; i++) finer[k++] = offset + i * strides[axis]!;
    offsets = finer;
  }
  return offsets;
}

/** Where each element of the broadcast [...to] comes from in a tensor [...from]. */
export function broadcastOffsets(from: Shape, to: Shape): Int32Array {
  const missing = to.length - from.length;
  const own = stridesOf(from);
  const strides = to.map((_, axis) => {
    const k = axis - missing;
    return k < 0 || from[k] === 1 ? 0 : own[k]!;
  });
  return offsetsOf(to, strides);
}

/** The tensor [...shape] of elements that are picked by flat index. */
export function pick(from: Tensor, offsets: Int32Array, shape: Shape): Tensor {
  const result = zeros(shape);
  for (let i = 0; i < offsets.length; i++) result.data[i] = from.data[offsets[i]!]!;
  return result;
}

/** One function of one element. */
export function mapped(x: Tensor, f: (x: number) => number): Tensor {
  return { shape: x.shape, data: x.data.map(f) };
}

/** One function of two elements, broadcasting. */
export function zipped(a: Tensor, b: Tensor, f: (a: number, b: number) => number): Tensor {
  const result = zeros(broadcastShapes(a.shape, b.shape)!);
  const fromA = broadcastOffsets(a.shape, result.shape);
  const fromB = broadcastOffsets(b.shape, result.shape);
  for (let i = 0; i < fromA.length; i++) result.data[i] = f(a.data[fromA[i]!]!, b.data[fromB[i]!]!);
  return result;
}
