import * as Plot from '@observablehq/plot';
import type { LayerTotal } from '../../analysis/index.js';
import { estimateWidth, shortNames } from '../text.js';
import { figureWidth, fontSize } from './canvas.js';

/** Rows of a figure at most: more would be slivers. */
const rowLimit = 24;
const longestName = 22;

/** Which layers have a row of their own in figures by layer, and which share the last one. */
export interface LayerSelection {
  /** Indices of the layers with the largest totals, in order of the layers. */
  readonly shown: readonly number[];
  /** Indices of all others; none where there is room for all. */
  readonly others: readonly number[];
  /** Names of the rows, short enough for their axis. */
  readonly labels: readonly string[];
}

/** Of an objective's layers, those that have rows. */
export function selectLayers(layers: readonly Pick<LayerTotal, 'layer' | 'total'>[]): LayerSelection {
  const names = shortNames(
    layers.map(({ layer }) => layer),
    longestName,
  );
  const order = layers.map((_, i) => i);
  if (order.length <= rowLimit) return { shown: order, others: [], labels: names };
  order.sort((a, b) => Math.abs(layers[b]!.total) - Math.abs(layers[a]!.total) || a - b);
  const shown = order.slice(0, rowLimit - 1).sort((a, b) => a - b);
  const others = order.slice(rowLimit - 1).sort((a, b) => a - b);
  return { shown, others, labels: [...shown.map((i) => names[i]!), `${others.length} other layers`] };
}

/** One value for each row: those of the shown layers, and what `combine` makes of the others'. */
export function rowValues<T>(
  { shown, others }: LayerSelection,
  values: readonly T[],
  combine: (values: readonly T[]) => T,
): T[] {
  const own = shown.map((i) => values[i]!);
  return others.length === 0 ? own : [...own, combine(others.map((i) => values[i]!))];
}

/** Says, where layers share a row, which; begins with a space. */
export function othersNote({ shown, others }: LayerSelection): string {
  if (others.length === 0) return '';
  return ` The ${shown.length} layers with the largest totals have rows, the other ${others.length} share one; the table below lists all.`;
}

/** The column of values at the right of rows. */
export function valueColumn(values: readonly string[]): Plot.Markish {
  return Plot.text(values, {
    y: (_: string, row: number) => row,
    frameAnchor: 'right',
    textAnchor: 'end',
    dx: widestOf(values) + 10,
    text: (value: string) => value,
  });
}

/** A piece of a row's bar. */
export interface Piece {
  readonly row: number;
  readonly from: number;
  readonly to: number;
  readonly colour: string;
  readonly text: string;
}

/** The axis of sums of allocations, in this unit. */
export const allocationAxis = (unit: string): Plot.ScaleOptions => ({
  label: `Σ allocations (${unit})`,
  labelAnchor: 'center',
  labelArrow: 'none',
  ticks: 4,
  nice: true,
});

/** Geometry of a figure with one row per layer, from the first layer at the top. */
export interface LayerRows {
  readonly height: number;
  readonly marginLeft: number;
  readonly marginRight: number;
  readonly marginTop: number;
  readonly marginBottom: number;
  /** Scale of the rows' indices. */
  readonly y: Plot.ScaleOptions;
}

const widestOf = (texts: readonly string[]): number =>
  Math.max(...texts.map((text) => estimateWidth(text, fontSize)));

/** Rows with these names, and with `values` in a column at the right. */
export function layerRows({ labels }: LayerSelection, values: readonly string[]): LayerRows {
  const [marginTop, marginBottom] = [8, 42];
  return {
    height: marginTop + marginBottom + labels.length * (fontSize + (labels.length > 12 ? 7 : 13)),
    marginLeft: Math.min(figureWidth * 0.45, widestOf(labels) + 14),
    marginRight: widestOf(values) + 12,
    marginTop,
    marginBottom,
    y: {
      type: 'band',
      domain: labels.map((_, i) => i),
      tickFormat: (i: number) => labels[i]!,
      label: null,
      tickSize: 0,
      padding: 0.25,
    },
  };
}
