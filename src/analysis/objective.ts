import type { ParameterLayout } from '../ledger/types.js';
import type { LedgerView } from '../ledger/view.js';
import { sum } from '../num/sums.js';
import { analyseCertainty, type CertaintyAnalysis } from './certainty.js';
import { requireSegments } from './checks.js';
import { auditObjective, type Conservation } from './conservation.js';
import type { ComponentTotals } from './components.js';
import type { Distribution } from './rows/distribution.js';
import type { Extremes } from './rows/extremes.js';
import type { FirstLayer } from './rows/first-layer.js';
import type { PartTotals } from './parts/parts.js';
import { analyseSampling, type SamplingAnalysis } from './sampling.js';
import { analyseShares, type ShareAnalysis } from './shares.js';

/** The measured loss, the loss that the ledger adds up to, and what separates them (paper Section 2); all in the loss's unit. */
export interface LossAnalysis {
  /** [T+1] as evaluated. */
  readonly measured: readonly number[];
  /** [T+1] the first loss plus all allocations so far. */
  readonly integrated: readonly number[];
  /** [T] sum of a segment's allocations minus the loss change, for the chosen rule. */
  readonly residual: readonly number[];
  /** [T] the same for the left rule (first order); null where the rule evaluates no gradient at the start. */
  readonly leftResidual: readonly number[] | null;
}

/** One layer's share of the run (paper Section 4, Figure 4: allocations summed over a layer and over all time). */
export interface LayerTotal {
  readonly layer: string;
  /** Number of parameters. */
  readonly parameters: number;
  /** Σ of the layer's allocations in the loss's unit; negative helped. */
  readonly total: number;
  /** The layer's running total in the loss's unit [T+1], from 0 at the first row of the trajectory (paper Section 5). */
  readonly cumulative: readonly number[];
}

/**
 * What rows of single allocations and of neurons say. Null where they were not kept, and for all objectives but the first: reading them
 * takes longer than everything else together.
 */
export interface RowAnalysis {
  readonly distribution: Distribution | null;
  /** Parameters whose totals over the run stand out. */
  readonly parameters: Extremes | null;
  /** Output neurons or channels whose totals over the run stand out. */
  readonly neurons: Extremes | null;
  /** Null too where the network's input is no image that its first layer reads. */
  readonly firstLayer: FirstLayer | null;
  /** Null too where updates were not split. */
  readonly components: ComponentTotals | null;
  /** By each thing that the objective is divided by; null too where it is not. */
  readonly parts: readonly PartTotals[] | null;
}

/** Of an objective whose rows are not read. */
export const withoutRows: RowAnalysis = {
  distribution: null,
  parameters: null,
  neurons: null,
  firstLayer: null,
  components: null,
  parts: null,
};

/** Everything that is known about one objective over time. */
export interface ObjectiveAnalysis extends RowAnalysis {
  readonly name: string;
  readonly conservation: Conservation;
  readonly loss: LossAnalysis;
  /** In order of the layers. */
  readonly layers: readonly LayerTotal[];
  readonly shares: ShareAnalysis;
  /** Null where it was measured on all its examples. */
  readonly sampling: SamplingAnalysis | null;
  /** Null where errors were not estimated (`--certify`). */
  readonly certainty: CertaintyAnalysis | null;
}

/** Loss against integrated loss of one objective. Throws UsageError before the first segment. */
export function analyseLoss(view: LedgerView, name: string): LossAnalysis {
  requireSegments(view);
  const measured = [...view.column('loss', name)];
  const layerSums = view.column('layer_sums', name);
  const layers = view.layout.layers.length;
  const integrated = [measured[0]!];
  for (let t = 0; t < view.segments; t++) {
    let total = 0;
    for (let layer = 0; layer < layers; layer++) total += layerSums[t * layers + layer]!;
    integrated.push(integrated[t]! + total);
  }
  return {
    measured,
    integrated,
    residual: [...view.column('residual', name)],
    leftResidual: view.has('left_residual', name) ? [...view.column('left_residual', name)] : null,
  };
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

/** Number of parameters of a layer. */
export const parametersOf = ({ tensors }: ParameterLayout, layer: string): number =>
  sum(tensors.filter((tensor) => tensor.layer === layer).map(({ size }) => size));

/** Totals and running totals of every layer, in order of the layers. Throws UsageError before the first segment. */
export function analyseLayers(view: LedgerView, name: string): readonly LayerTotal[] {
  requireSegments(view);
  const { layout } = view;
  const layerSums = view.column('layer_sums', name);
  return layout.layers.map((layer, index) => {
    const cumulative = runningTotals(layerSums, layout.layers.length, index);
    return { layer, parameters: parametersOf(layout, layer), total: cumulative.at(-1)!, cumulative };
  });
}

/** All that columns say about one objective, beside what its rows of parameters and neurons say. Throws UsageError before the first segment. */
export async function analyseObjective(
  view: LedgerView,
  name: string,
  rows: RowAnalysis,
): Promise<ObjectiveAnalysis> {
  return {
    name,
    conservation: auditObjective(view, name),
    loss: analyseLoss(view, name),
    layers: analyseLayers(view, name),
    shares: analyseShares(view, name),
    sampling: await analyseSampling(view, name),
    certainty: analyseCertainty(view, name),
    ...rows,
  };
}
