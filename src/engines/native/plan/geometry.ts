import type { Shape } from '../../../graph/types.js';
import { sizeOf } from '../../../graph/types.js';

/** How the elements of one example divide into channels (axis 1) and pixels (all further axes). */
export interface Geometry {
  readonly channels: number;
  readonly pixels: number;
}

/** Of a tensor [N, C, …] or [N]. */
export function geometryOf(shape: Shape): Geometry {
  return { channels: shape[1] ?? 1, pixels: sizeOf(shape.slice(2)) };
}
