import { sizeOf } from '../../../../graph/types.js';
import type { Shape } from '../../../../graph/types.js';

/** Where a shape has the examples: on `axis`, whose extent is outer · N · inner. */
export interface Place {
  readonly axis: number;
  readonly outer: number;
}

/** True where the examples are all of axis 0. */
export function isFirst({ axis, outer }: Place, shape: Shape, examples: number): boolean {
  return axis === 0 && outer === 1 && shape[0] === examples;
}

/** The shape with the examples as a further axis in front; what else was on their axis stays there. */
export function separated(shape: Shape, { axis }: Place, examples: number): number[] {
  return [examples, ...shape.map((extent, k) => (k === axis ? extent / examples : extent))];
}

/** The shape in which a value with examples is worked on: the examples are axis 0. */
export function canonicalShape(shape: Shape, place: Place, examples: number): Shape {
  return isFirst(place, shape, examples) ? shape : separated(shape, place, examples);
}

/** Numbers before the next example's first one, in row-major order. */
function before({ axis, outer }: Place, shape: Shape): number {
  return sizeOf(shape.slice(0, axis)) * outer;
}

/** Where the examples are after a reshape, preferably alone on an axis; null where they are torn apart. */
export function reshapedPlace(from: Shape, place: Place, to: Shape, examples: number): Place | null {
  const wanted = before(place, from);
  let found: Place | null = null;
  let prefix = 1;
  for (const [axis, extent] of to.entries()) {
    const outer = wanted / prefix;
    if (Number.isInteger(outer) && extent % (outer * examples) === 0) {
      if (outer === 1 && extent === examples) return { axis, outer };
      found ??= { axis, outer };
    }
    prefix *= extent;
  }
  return found;
}

/** The place seen from a shape with as many more axes in front. */
export function aligned(place: Place, rank: number, toRank: number): Place {
  return { ...place, axis: place.axis + toRank - rank };
}
