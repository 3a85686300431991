import type * as Plot from '@observablehq/plot';
import { figureWidth, fontSize } from './canvas.js';
import { estimateWidth, shorten } from '../text.js';

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
