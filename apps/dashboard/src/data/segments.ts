import { whole } from '../draw/numbers.js';

/** What a segment of a run is: an iteration, unless rows of θ are further apart. `iteration` is [T + 1]. */
export function stepWord(iteration: ArrayLike<number>): 'iteration' | 'segment' {
  const last = iteration.length - 1;
  return last > 0 && iteration[last]! - iteration[0]! > last ? 'segment' : 'iteration';
}

/** The iterations that segment t is made of: one by its number, more by those that bound it. */
export function segmentName(iteration: ArrayLike<number>, t: number): string {
  const [from, to] = [iteration[t] ?? 0, iteration[t + 1] ?? 0];
  return to - from > 1 ? `iterations ${whole(from)}–${whole(to)}` : `iteration ${whole(from)}`;
}
