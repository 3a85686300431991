import type { LedgerView } from '../../ledger/view.js';
import { kindsOf } from './one-kind.js';
import { headTimes, layerTimes, type PartTimes } from './times.js';

/** What one part of an objective did over the run. */
export interface PartTotal {
  readonly name: string;
  /** What it contributes to the objective's loss at each row of θ [T+1], in the loss's unit. */
  readonly loss: readonly number[];
  /** Σ of its allocations over all layers, in the loss's unit; negative helped. */
  readonly total: number;
  /** The same of each layer [layers]. */
  readonly layers: readonly number[];
}

/** The parts of an objective by one thing, such as `class`: they add up to it. */
export interface PartTotals {
  readonly by: string;
  readonly parts: readonly PartTotal[];
  /** What they did in layers, and in attention heads where there are, over the run. */
  readonly times: readonly PartTimes[];
}

/** Adds up the parts' allocations by layer, a row at a time; null where the objective is not divided, but for the blocks of a sample. */
export async function partTotals(view: LedgerView, objective: string): Promise<PartTotals[] | null> {
  const own = view.objectives.find(({ name }) => name === objective)!;
  const { parts: names, by = [] } = own;
  const kinds = kindsOf(own);
  const rows = view.rows('part_layer_sums', objective);
  if (rows === null || names.length < 2 || kinds.length === 0) return null;
  const layers = view.layout.layers.length;
  const totals = new Float64Array(names.length * layers);
  for await (const row of rows) for (let k = 0; k < totals.length; k++) totals[k]! += row[k]!;
  const losses = view.column('part_loss', objective);
  const totalOf = (name: string, p: number): PartTotal => {
    const sums = [...totals.subarray(p * layers, (p + 1) * layers)];
    const loss = Array.from({ length: view.segments + 1 }, (_, row) => losses[row * names.length + p]!);
    return { name, loss, total: sums.reduce((sum, value) => sum + value, 0), layers: sums };
  };
  const times = [
    await layerTimes(view, objective, names.length),
    await headTimes(view, objective, names.length),
  ];
  return kinds.map((kind) => ({
    by: kind,
    parts: names.flatMap((name, p) => (by[p] === kind ? [totalOf(name, p)] : [])),
    times: times.flatMap((each) =>
      each === null ? [] : [{ ...each, sums: each.sums.filter((_, p) => by[p] === kind) }],
    ),
  }));
}
