import type { Shape } from '../../../graph/types.js';
import { sizeOf } from '../../../graph/types.js';
import { rowMajorStrides } from './held.js';

/** Indices first + Σ position on axis k · strides[k]. */
export interface Regular {
  readonly first: number;
  readonly shape: Shape;
  readonly strides: readonly number[];
  /** False where the indices are regular in another shape only. */
  readonly isOwnShape: boolean;
}

/** The strides by which indices of `shape` count up evenly along each axis, or those of a list in a shape of its own; null where they do not. */
export function regularStrides(indices: readonly number[], shape: Shape): Regular | null {
  const own = fitted(indices, shape);
  if (own !== null) return { ...own, isOwnShape: true };
  if (shape.length !== 1) return null;
  const found = fitted(indices, foldedShape(indices));
  return found === null ? null : { ...found, isOwnShape: false };
}

function fitted(indices: readonly number[], shape: Shape): Omit<Regular, 'isOwnShape'> | null {
  if (indices.length === 0 || sizeOf(shape) !== indices.length) return null;
  const places = rowMajorStrides(shape);
  const first = indices[0]!;
  const strides = shape.map((extent, axis) => (extent === 1 ? 0 : indices[places[axis]!]! - first));
  const isRegular = indices.every((index, k) => {
    const sum = strides.reduce(
      (total, stride, axis) => total + stride * (Math.floor(k / places[axis]!) % shape[axis]!),
      first,
    );
    return sum === index;
  });
  return isRegular ? { first, shape, strides } : null;
}

/** Extents of the runs that a list counts up in: the last axis is as long as its first run, and so on for the runs' starts. */
function foldedShape(indices: readonly number[]): Shape {
  const extents: number[] = [];
  let list = indices;
  while (list.length > 1 && extents.length < 6) {
    const step = list[1]! - list[0]!;
    let run = 2;
    while (run < list.length && list[run]! - list[run - 1]! === step) run++;
    if (list.length % run !== 0) break;
    extents.unshift(run);
    list = list.filter((_, k) => k % run === 0);
  }
  return [list.length, ...extents];
}
