import type * as Plot from '@observablehq/plot';
import { formatCount, powerOfTen } from '../format.js';

/** Whole numbers, about five of them, that divide a range at 1, 2 or 5 times a power of ten. */
export function wholeTicks(first: number, last: number): number[] {
  const power = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, (last - first) / 5))));
  const step = [1, 2, 5, 10].map((times) => times * power).find((size) => (last - first) / size <= 6)!;
  const start = Math.ceil(first / step);
  const count = Math.floor(last / step) - start + 1;
  return Array.from({ length: count }, (_, i) => (start + i) * step);
}

/** Horizontal axis of everything that happens over training. */
export function iterationAxis(iteration: readonly number[]): Plot.ScaleOptions {
  return {
    label: 'training iteration',
    labelArrow: 'none',
    domain: [iteration[0]!, iteration.at(-1)!],
    ticks: wholeTicks(iteration[0]!, iteration.at(-1)!),
    tickFormat: formatCount,
  };
}

/** Logarithmic axis with powers of ten as limits and at most `labels` + 1 of them labelled. */
export function logAxis(least: number, greatest: number, labels: number): Plot.ScaleOptions {
  const low = Math.floor(Math.log10(least));
  const high = Math.max(low + 1, Math.ceil(Math.log10(greatest)));
  const step = Math.ceil((high - low) / labels);
  const ticks = Array.from({ length: Math.floor((high - low) / step) + 1 }, (_, i) => low + i * step);
  return {
    type: 'log',
    domain: [10 ** low, 10 ** high],
    ticks: ticks.map((exponent) => 10 ** exponent),
    tickFormat: (tick: number) => powerOfTen(Math.round(Math.log10(tick))),
    labelArrow: 'none',
  };
}
