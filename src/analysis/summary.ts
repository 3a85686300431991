import type { LedgerView } from '../ledger/view.js';
import { sum } from '../num/sums.js';
import { parametersLayout } from './parameters-only.js';
import type { Balance, Conservation } from './conservation.js';

/** Mean, smallest, largest and sum of a count per segment; null without segments. */
export interface CountStatistics {
  readonly mean: number;
  readonly least: number;
  readonly most: number;
  readonly total: number;
}

/** How much of a run there is. */
export interface RunExtent {
  /** Segments that the run will have when it is complete; default those that a view has. */
  readonly iterations?: number;
  /** Segments that are measured behind the first that is missing, which no view has; default none. */
  readonly apart?: number;
}

/** What happened in a run and whether its ledger balances (paper Section 2, Table S1). */
export interface RunSummary {
  /** T: segments that are measured. */
  readonly segments: number;
  /** Segments that the run will have when it is complete. */
  readonly planned: number;
  /** Segments that are measured behind the first that is missing: no analysis has them. */
  readonly apart: number;
  readonly firstIteration: number;
  readonly lastIteration: number;
  /** Parameters of θ: K, but for running statistics. */
  readonly parameters: number;
  /** Of losses, allocations and errors, here and in all analyses of the run: `nats`, or another loss's. */
  readonly unit: string;
  readonly rule: string;
  /** Null: never refined. */
  readonly tolerance: number | null;
  readonly subintervals: CountStatistics | null;
  /** Points evaluated per segment, its start and end counted; neighbours share a point. */
  readonly evaluations: CountStatistics | null;
  /** The worst of all objectives: unbalanced, else undetermined, else balanced. */
  readonly balance: Balance;
}

function statisticsOf(counts: Int32Array): CountStatistics | null {
  if (counts.length === 0) return null;
  const total = sum([...counts]);
  const least = counts.reduce((a, b) => Math.min(a, b));
  const most = counts.reduce((a, b) => Math.max(a, b));
  return { mean: total / counts.length, least, most, total };
}

function worstBalance(audits: readonly Conservation[]): Balance {
  const found = audits.map(({ balance }) => balance);
  if (found.includes('unbalanced')) return 'unbalanced';
  return found.length === 0 || found.includes('undetermined') ? 'undetermined' : 'balanced';
}

/**
 * Summarises a ledger whose objectives were audited; none before the first segment. Reads no allocation rows.
 */
export function summarise(
  view: LedgerView,
  audits: readonly Conservation[],
  { iterations: planned = view.segments, apart = 0 }: RunExtent = {},
): RunSummary {
  return {
    segments: view.segments,
    planned,
    apart,
    firstIteration: view.iteration[0]!,
    lastIteration: view.iteration[view.segments]!,
    parameters: parametersLayout(view.layout).size,
    unit: view.unit,
    rule: view.rule,
    tolerance: view.tolerance,
    subintervals: statisticsOf(view.column('subintervals')),
    evaluations: statisticsOf(view.column('evaluations')),
    balance: worstBalance(audits),
  };
}
