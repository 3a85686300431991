import type { LedgerView } from '../ledger/view.js';

/** What each component of the updates did over the run. */
export interface ComponentTotals {
  /** In the run's order, rounding last. */
  readonly components: readonly {
    readonly name: string;
    /** Σ of its allocations over all layers, in the loss's unit; negative helped. */
    readonly total: number;
    /** The same of each layer [layers]. */
    readonly layers: readonly number[];
  }[];
}

/** Adds up the components' allocations by layer, a row at a time; null where updates were not split. */
export async function componentTotals(view: LedgerView, objective: string): Promise<ComponentTotals | null> {
  const rows = view.rows('component_sums', objective, 'layer');
  if (rows === null || view.components.length === 0) return null;
  const layers = view.layout.layers.length;
  const totals = new Float64Array(view.components.length * layers);
  for await (const row of rows) for (let k = 0; k < totals.length; k++) totals[k]! += row[k]!;
  return {
    components: view.components.map((name, c) => {
      const own = [...totals.subarray(c * layers, (c + 1) * layers)];
      return { name, total: own.reduce((sum, value) => sum + value, 0), layers: own };
    }),
  };
}
