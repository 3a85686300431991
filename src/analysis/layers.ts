import type { LedgerView, MeasuredSplit } from '../ledger/types.js';
import { sum } from '../num/sums.js';
import { measuredSplit } from './checks.js';

/** One layer's share of the run (paper Section 4, Figure 4: allocations summed over a layer and over all time). */
export interface LayerTotal {
  readonly layer: string;
  /** Number of parameters. */
  readonly parameters: number;
  /** Σ of the layer's allocations in nats; negative helped. */
  readonly total: number;
  /** The layer's running total in nats [T+1], from 0 at the first row of the trajectory (paper Section 5). */
  readonly cumulative: readonly number[];
}

/** Running totals [T+1] of one column of the row-major [T, layers] array, with Neumaier's compensation. */
function runningTotals(cells: Float64Array, layers: number, layer: number): number[] {
  const totals = [0];
  let total = 0;
  let lost = 0;
  for (let at = layer; at < cells.length; at += layers) {
    const value = cells[at]!;
    const next = total + value;
    lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
    total = next;
    totals.push(total + lost);
  }
  return totals;
}

/** Parameters per layer, in order of the layers. */
function parametersPerLayer({ layout }: LedgerView): number[] {
  return layout.layers.map((layer) =>
    sum(layout.tensors.filter((tensor) => tensor.layer === layer).map((tensor) => tensor.size)),
  );
}

/** Totals and running totals of every layer, in order of the layers; null where the split was not measured. */
export function analyseLayers(view: LedgerView, name: MeasuredSplit): readonly LayerTotal[] | null {
  const split = measuredSplit(view, name);
  if (!split) return null;
  const parameters = parametersPerLayer(view);
  return view.layout.layers.map((layer, index) => {
    const cumulative = runningTotals(split.layerSums, parameters.length, index);
    return { layer, parameters: parameters[index]!, total: cumulative.at(-1)!, cumulative };
  });
}
