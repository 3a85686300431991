import type { Shape } from './types.js';

/** Whether two shapes have the same axes. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}

/** Numpy's broadcast of shapes, or null where they do not fit. */
export function broadcastShapes(...shapes: readonly Shape[]): Shape | null {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const result = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    for (const [k, extent] of shape.entries()) {
      const axis = rank - shape.length + k;
      if (extent === 1 || extent === result[axis]) continue;
      if (result[axis] !== 1) return null;
      result[axis] = extent;
    }
  }
  return result;
}

/** Shape of a reduction over `axes` (each in [0, rank)). */
export function reducedShape(shape: Shape, axes: readonly number[], keepdims: boolean): Shape {
  if (keepdims) return shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
  return shape.filter((_, axis) => !axes.includes(axis));
}

/** Shape of numpy's matmul, or null where the operands do not fit. Vectors are rows on the left, columns on the right. */
export function matMulShape(a: Shape, b: Shape): Shape | null {
  if (a.length === 0 || b.length === 0) return null;
  const left = a.length === 1 ? [1, a[0]!] : a;
  const right = b.length === 1 ? [b[0]!, 1] : b;
  const batch = broadcastShapes(left.slice(0, -2), right.slice(0, -2));
  if (batch === null || left.at(-1) !== right.at(-2)) return null;
  const rows = a.length === 1 ? [] : [left.at(-2)!];
  const columns = b.length === 1 ? [] : [right.at(-1)!];
  return [...batch, ...rows, ...columns];
}

/** Elements between neighbours along each axis of a row-major array. One number by axis. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
}

/** Shape whose first entry is the product before `axis`, then the extent of `axis`, then the product after it. */
export function aroundAxis(
  shape: Shape,
  axis: number,
): readonly [outer: number, extent: number, inner: number] {
  const product = (extents: Shape): number => extents.reduce((a, b) => a * b, 1);
  return [product(shape.slice(0, axis)), shape[axis]!, product(shape.slice(axis + 1))];
}
