import type { Shape, Value } from '../types.js';
import { sizeOf } from '../types.js';

/**
 * Where the examples are in a tensor: element i is of example ⌊i / after⌋ mod N. In row-major order, so that no Reshape moves them. An
 * axis may hold them alone, or merged with other extents (`[length · N · heads, width]`).
 */
export interface Place {
  /** The axis that holds the examples. */
  readonly axis: number;
  /** Elements of one example between two of them along the axis. */
  readonly inner: number;
}

/** Elements between one example and the next in row-major order, of a tensor with the examples there. */
export function afterOf(shape: Shape, { axis, inner }: Place): number {
  return inner * sizeOf(shape.slice(axis + 1));
}

/** Where a tensor holds so many examples that follow each other after `after` elements; null where they are on no one axis. */
export function placeOf(shape: Shape, after: number, examples: number): Place | null {
  let tail = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const whole = tail * shape[axis]!;
    if (whole <= after) {
      tail = whole;
      continue;
    }
    const inner = after / tail;
    return Number.isInteger(inner) && shape[axis]! % (inner * examples) === 0 ? { axis, inner } : null;
  }
  return null;
}

/** An input of a node that depends on the examples, and where it holds them. */
export interface Placed {
  readonly value: Value;
  readonly place: Place;
}
