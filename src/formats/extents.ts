import { sizeOf } from './array.js';

/** Extents without those of 1, which hold no order. */
export const withoutOnes = (extents: readonly number[]): number[] => extents.filter((extent) => extent !== 1);

/** What to do with an array of examples of that shape, where another is wanted: a call of numpy's, or null where none makes it so. */
export function remedyOfShape(
  array: string,
  shape: readonly number[],
  wanted: readonly number[],
): string | null {
  const order = permutationTo(shape, wanted);
  if (order !== null) {
    const why = order.length === 3 ? ': it has its channels last' : '';
    return `save ${array}.transpose(0, ${order.map((axis) => axis + 1).join(', ')})${why}`;
  }
  if (sizeOf(shape) !== sizeOf(wanted)) return null;
  return `save ${array}.reshape(${[-1, ...wanted].join(', ')}), if its numbers stand in that order`;
}

/** For each axis of `wanted` that of `shape` with its extent, the moved one first among equals; null where extents differ. */
function permutationTo(shape: readonly number[], wanted: readonly number[]): number[] | null {
  if (shape.length === 3 && [shape[2], shape[0], shape[1]].join() === wanted.join()) return [2, 0, 1];
  if (shape.length === 3 && [shape[1], shape[2], shape[0]].join() === wanted.join()) return [1, 2, 0];
  const left = [...shape.keys()];
  const order = wanted.map((extent) => {
    const at = left.findIndex((axis) => shape[axis] === extent);
    return at < 0 ? -1 : left.splice(at, 1)[0]!;
  });
  return order.includes(-1) || left.length > 0 ? null : order;
}
