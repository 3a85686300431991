import type * as Plot from '@observablehq/plot';
import { formatCount, powerOfTen } from '../format.js';
import { estimateWidth, shorten } from '../text.js';
import { figureWidth, fontSize } from './canvas.js';

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

/** Geometry of a figure with one row per layer, from the first layer at the top. */
export interface LayerRows {
  readonly height: number;
  readonly marginLeft: number;
  readonly marginTop: number;
  readonly marginBottom: number;
  /** Scale of the rows' indices: two layers may have names that look alike when shortened. */
  readonly y: Plot.ScaleOptions;
  /** Font size in pixels. */
  readonly size: number;
}

const longestName = 22;

/** Rows for layers with these names; many layers make narrow rows with small text. */
export function layerRows(names: readonly string[]): LayerRows {
  const size = names.length > 24 ? fontSize - 2 : fontSize;
  const labels = names.map((name) => shorten(name, longestName));
  const widest = Math.max(...labels.map((label) => estimateWidth(label, size)));
  const [marginTop, marginBottom] = [8, 38];
  return {
    height: marginTop + marginBottom + names.length * (size + (names.length > 24 ? 4 : 13)),
    marginLeft: Math.min(figureWidth * 0.42, widest + 14),
    marginTop,
    marginBottom,
    y: {
      type: 'band',
      domain: names.map((_, i) => i),
      tickFormat: (i: number) => labels[i]!,
      label: null,
      tickSize: 0,
      padding: 0.25,
    },
    size,
  };
}
