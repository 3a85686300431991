import { neuronOffsets, placeOf } from '../../ledger/layout.js';
import type { ParameterLayout } from '../../ledger/types.js';
import type { LedgerView } from '../../ledger/view.js';

/** One neuron or parameter with what it did over the run. */
export interface Extreme {
  readonly layer: string;
  /** Of a parameter: its tensor, and its index along each axis of it. Of a neuron: null. */
  readonly tensor: string | null;
  /** Of a neuron: its number within the layer, from 0. */
  readonly index: readonly number[];
  /** Σ of its allocations over all segments in the loss's unit. */
  readonly total: number;
}

/** Those that lowered and raised the loss most, largest first; fewer than asked for where fewer did. */
export interface Extremes {
  readonly helped: readonly Extreme[];
  readonly hurt: readonly Extreme[];
}

/** How many are named of either kind. */
const named = 10;

/** Indices of the `count` least values below zero, least first; equal values in order. */
function least(values: Float64Array, count: number): number[] {
  const found: number[] = [];
  for (let k = 0; k < values.length; k++) {
    const value = values[k]!;
    if (!(value < 0) || (found.length === count && value >= values[found.at(-1)!]!)) continue;
    const at = found.findIndex((other) => value < values[other]!);
    found.splice(at < 0 ? found.length : at, 0, k);
    found.length = Math.min(found.length, count);
  }
  return found;
}

function extremesOf(totals: Float64Array, describe: (k: number) => Omit<Extreme, 'total'>): Extremes {
  const list = (indices: readonly number[]): Extreme[] =>
    indices.map((k) => ({ ...describe(k), total: totals[k]! }));
  return {
    helped: list(least(totals, named)),
    hurt: list(
      least(
        totals.map((total) => -total),
        named,
      ),
    ),
  };
}

/** Index along each axis of the element at `index` of a row-major array. */
function coordinatesOf(shape: readonly number[], index: number): number[] {
  const coordinates: number[] = [];
  let rest = index;
  for (const extent of shape.toReversed()) {
    coordinates.unshift(rest % extent);
    rest = Math.floor(rest / extent);
  }
  return coordinates;
}

/** Of totals [K] of parameters over the run, those that stand out. */
export function extremeParameters(layout: ParameterLayout, totals: Float64Array): Extremes {
  const spans = new Map(layout.tensors.map((span) => [span.name, span]));
  return extremesOf(totals, (k) => {
    const { tensor, index } = placeOf(layout, k);
    const { layer, shape } = spans.get(tensor)!;
    return { layer, tensor, index: coordinatesOf(shape, index) };
  });
}

/** Of totals [neurons] of neurons over the run, those that stand out. */
export function extremeNeurons(layout: ParameterLayout, totals: Float64Array): Extremes {
  const offsets = neuronOffsets(layout);
  return extremesOf(totals, (k) => {
    const layer = layout.neurons.findLastIndex((count, i) => count > 0 && offsets[i]! <= k);
    return { layer: layout.layers[layer]!, tensor: null, index: [k - offsets[layer]!] };
  });
}

/** Σ over the segments of an objective's neurons [neurons] in the loss's unit; null where they were not kept, or there are none. */
export async function neuronTotals(view: LedgerView, objective: string): Promise<Float64Array | null> {
  const rows = view.rows('neuron_sums', objective);
  const count = view.layout.neurons.reduce((sum, each) => sum + each, 0);
  if (rows === null || count === 0) return null;
  const totals = new Float64Array(count);
  for await (const row of rows) for (let k = 0; k < count; k++) totals[k]! += row[k]!;
  return totals;
}
