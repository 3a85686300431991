import type { LedgerView, MeasuredSplit } from '../ledger/types.js';
import { measuredSplit } from './checks.js';

/** The measured loss, the loss that the ledger adds up to, and what separates them (paper Section 2). */
export interface LossAnalysis {
  /** [T+1] nats, as evaluated. */
  readonly measured: readonly number[];
  /** [T+1] nats: the first loss plus all allocations so far. */
  readonly integrated: readonly number[];
  /** [T] nats: sum of a segment's allocations minus the loss change, for the chosen rule. */
  readonly residual: readonly number[];
  /** [T] nats: the same for the left rule (first order). */
  readonly leftResidual: readonly number[];
}

/** Loss against integrated loss of one split; null where it was not measured. */
export function analyseLoss(view: LedgerView, name: MeasuredSplit): LossAnalysis | null {
  const split = measuredSplit(view, name);
  if (!split) return null;
  const layers = view.layout.layers.length;
  const integrated = [split.loss[0]!];
  for (let t = 0; t < view.segments; t++) {
    let total = 0;
    for (let layer = 0; layer < layers; layer++) total += split.layerSums[t * layers + layer]!;
    integrated.push(integrated[t]! + total);
  }
  return {
    measured: [...split.loss],
    integrated,
    residual: [...split.residual],
    leftResidual: [...split.leftResidual],
  };
}
