/** One sample of a line. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Index of the smallest and of the largest value in [from, to). */
function extremes(values: readonly number[], from: number, to: number): [number, number] {
  let least = from;
  let most = from;
  for (let i = from + 1; i < to; i++) {
    if (values[i]! < values[least]!) least = i;
    if (values[i]! > values[most]!) most = i;
  }
  return least < most ? [least, most] : [most, least];
}

/** At most `limit` (≥ 4) points of a line: the first, the last, and the least and greatest of equal stretches between them. */
export function thin(x: readonly number[], y: readonly number[], limit: number): Point[] {
  const point = (i: number): Point => ({ x: x[i]!, y: y[i]! });
  if (y.length <= limit) return y.map((_, i) => point(i));
  const stretches = Math.floor((limit - 2) / 2);
  const inner = y.length - 2;
  const kept = new Set([0]);
  for (let s = 0; s < stretches; s++) {
    const from = 1 + Math.floor((s * inner) / stretches);
    const to = 1 + Math.floor(((s + 1) * inner) / stretches);
    for (const i of extremes(y, from, to)) kept.add(i);
  }
  kept.add(y.length - 1);
  return [...kept].map(point);
}

/** A stretch of consecutive segments [from, to), and where it lies in training iterations. */
export interface Bin {
  readonly from: number;
  readonly to: number;
  readonly x1: number;
  readonly x2: number;
}

/** Cuts T segments into at most `limit` stretches of nearly equal length. `iteration` is [T+1]. */
export function binSegments(iteration: readonly number[], limit: number): Bin[] {
  const segments = iteration.length - 1;
  const bins = Math.min(segments, limit);
  const edge = (bin: number): number => Math.floor((bin * segments) / bins);
  return Array.from({ length: bins }, (_, bin) => {
    const from = edge(bin);
    const to = edge(bin + 1);
    return { from, to, x1: iteration[from]!, x2: iteration[to]! };
  });
}

/** Largest absolute value; 0 without values. */
export function largestMagnitude(values: readonly number[]): number {
  return values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
}
