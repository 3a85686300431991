import type { LedgerView } from '../ledger/view.js';
import { sum } from '../num/sums.js';
import { requireSegments } from './checks.js';

/** Largest cumulative error of a balanced ledger, in percent of the loss change (paper Section 2: "less than 1%"). */
export const balanceLimitPercent = 1;

/** How well one quadrature rule's allocations add up to the loss change; the columns of Table S1. */
export interface RuleError {
  /** Σ of all allocations in the loss's unit. */
  readonly allocations: number;
  /**
   * (Σ allocations − ΔL) / |ΔL| · 100. Negative: the allocations claim more decrease than happened, as the left rule does on a
   * convex path (−171 % in Table S1 means that it claimed 2.71 times the decrease). Null where ΔL is zero.
   */
  readonly totalErrorPercent: number | null;
  /** Mean of abs(residual) over the segments in the loss's unit ("average iteration error"). */
  readonly meanIterationError: number;
  /** Largest abs(residual) in the loss's unit and the segment where it is. */
  readonly worst: { readonly segment: number; readonly iteration: number; readonly error: number };
}

/**
 * `balanced`: the cumulative error is at most `balanceLimitPercent` and the stored sums agree with the stored residuals.
 * `undetermined`: nothing was measured, or the error is a large part of the loss's change only because the loss hardly changed: it is below
 * what one segment may leave, a thousandth of the loss.
 */
export type Balance = 'balanced' | 'unbalanced' | 'undetermined';

/** Audit of one objective (paper Section 2 and Table S1). */
export interface Conservation {
  /** In the loss's unit, as all that follow. */
  readonly lossStart: number;
  readonly lossEnd: number;
  /** ΔL = end − start in the loss's unit; negative is a decrease. */
  readonly lossChange: number;
  readonly chosen: RuleError;
  /** The left rule (first order), at no extra gradient; null where the rule evaluates none at the start. */
  readonly left: RuleError | null;
  /** Segments whose abs(residual) exceeds the tolerance; null where there was none. */
  readonly overTolerance: number | null;
  /** Largest disagreement of a segment's stored sums with its stored residual and losses in the loss's unit; rounding only, if sound. */
  readonly inconsistency: number;
  readonly balance: Balance;
}

/** Σ layer sums [T, layers] − (ΔL + residual) of every segment, in the loss's unit; the largest magnitude. */
function inconsistencyOf(layerSums: Float64Array, loss: Float64Array, residual: Float64Array): number {
  const layers = layerSums.length / residual.length;
  let largest = 0;
  for (let t = 0; t < residual.length; t++) {
    const total = sum(layerSums.subarray(t * layers, (t + 1) * layers));
    const change = loss[t + 1]! - loss[t]!;
    largest = Math.max(largest, Math.abs(total - change - residual[t]!));
  }
  return largest;
}

function worstOf(view: LedgerView, residual: Float64Array): RuleError['worst'] {
  let segment = 0;
  residual.forEach((value, t) => {
    if (Math.abs(value) > Math.abs(residual[segment]!)) segment = t;
  });
  return { segment, iteration: view.iteration[segment]!, error: Math.abs(residual[segment]!) };
}

function errorOf(view: LedgerView, residual: Float64Array, change: number, allocations: number): RuleError {
  return {
    allocations,
    totalErrorPercent: change === 0 ? null : ((allocations - change) / Math.abs(change)) * 100,
    meanIterationError: sum(residual.map(Math.abs)) / view.segments,
    worst: worstOf(view, residual),
  };
}

/** Rounding that float64 sums of a segment may differ by when they are taken in another order. */
const roundingAllowance = (lossStart: number, lossEnd: number): number =>
  1e-9 * Math.max(1, Math.abs(lossStart), Math.abs(lossEnd));

/**
 * An error of all segments together that says nothing, however large a part it is of a loss that hardly changes: what the paper lets a single
 * segment leave, 0.001 nats of a loss that starts at about 1.
 */
const negligible = (lossStart: number, lossEnd: number): number =>
  0.001 * Math.max(Math.abs(lossStart), Math.abs(lossEnd));

/** Whether allocations that sum to `allocations` balance a loss that went from `lossStart` to `lossEnd`; all in the loss's unit. */
export function balanceOfSums(allocations: number, lossStart: number, lossEnd: number): Balance {
  const change = lossEnd - lossStart;
  const error = Math.abs(allocations - change);
  if (change !== 0 && (error / Math.abs(change)) * 100 <= balanceLimitPercent) return 'balanced';
  return error <= negligible(lossStart, lossEnd) ? 'undetermined' : 'unbalanced';
}

function countOver(residual: Float64Array, tolerance: number): number {
  return residual.reduce((count, value) => count + (Math.abs(value) > tolerance ? 1 : 0), 0);
}

/** Audits one objective. Throws UsageError before the first segment. */
export function auditObjective(view: LedgerView, name: string): Conservation {
  requireSegments(view);
  const [loss, layerSums] = [view.column('loss', name), view.column('layer_sums', name)];
  const residual = view.column('residual', name);
  const leftResidual = view.has('left_residual', name) ? view.column('left_residual', name) : null;
  const [lossStart, lossEnd] = [loss[0]!, loss[view.segments]!];
  const lossChange = lossEnd - lossStart;
  const chosen = errorOf(view, residual, lossChange, sum(layerSums));
  const inconsistency = inconsistencyOf(layerSums, loss, residual);
  return {
    lossStart,
    lossEnd,
    lossChange,
    chosen,
    left: leftResidual && errorOf(view, leftResidual, lossChange, lossChange + sum(leftResidual)),
    overTolerance: view.tolerance === null ? null : countOver(residual, view.tolerance),
    inconsistency,
    balance:
      inconsistency > roundingAllowance(lossStart, lossEnd)
        ? 'unbalanced'
        : balanceOfSums(chosen.allocations, lossStart, lossEnd),
  };
}
