import { balanceLimitPercent } from '../analysis/index.js';
import type { Balance, Conservation, RunSummary } from '../analysis/index.js';
import { formatLoss, formatPercent } from './format.js';

/** What a reader must know about the ledger before anything else. */
export interface Verdict {
  readonly balance: Balance;
  readonly headline: string;
  /** Whole sentences. */
  readonly details: readonly string[];
}

type Named = readonly ['training' | 'validation', Conservation];

const measured = ({ train, validation }: RunSummary): Named[] => [
  ...(train ? [['training', train] as const] : []),
  ...(validation ? [['validation', validation] as const] : []),
];

function describe([name, audit]: Named, unit: string): string {
  const error = audit.chosen.totalErrorPercent;
  if (error === null) return `The ${name} loss did not change, so there is no cumulative error to state.`;
  return (
    `The allocations sum to ${formatLoss(audit.chosen.allocations, unit)} and the ${name} loss changed by ` +
    `${formatLoss(audit.lossChange, unit)}: a cumulative error of ${formatPercent(error)} (limit ${balanceLimitPercent} %).`
  );
}

/** Sums that contradict their own residuals point at a damaged ledger, not at coarse integration. */
function contradictions(splits: readonly Named[], unit: string): string[] {
  return splits
    .filter(([, { balance, chosen }]) => {
      const error = chosen.totalErrorPercent;
      return balance === 'unbalanced' && (error === null || Math.abs(error) <= balanceLimitPercent);
    })
    .map(
      ([name, { inconsistency }]) =>
        `The stored ${name} sums contradict the stored losses and residuals by ${formatLoss(inconsistency, unit)}: check the run with \`lca verify\`.`,
    );
}

function isCoarse([, { chosen }]: Named): boolean {
  return Math.abs(chosen.totalErrorPercent ?? 0) > balanceLimitPercent;
}

const headlines: Readonly<Record<Balance, string>> = {
  balanced: 'The ledger balances',
  unbalanced: 'Warning: the ledger does not balance',
  undetermined: 'The ledger has no verdict',
};

/** Says whether the ledger balances, and why or why not (limit of paper Section 2: 1 % cumulative error). */
export function verdictOf(summary: RunSummary): Verdict {
  const splits = measured(summary);
  const { balance, unit } = summary;
  if (splits.length === 0) {
    return {
      balance,
      headline: 'Nothing has been measured yet',
      details: ['Measure the run with `lca measure` or `lca resume`.'],
    };
  }
  const unfinished =
    summary.segments < summary.planned
      ? [`Only ${summary.segments} of ${summary.planned} segments are measured: go on with \`lca resume\`.`]
      : [];
  const advice = splits.some(isCoarse)
    ? [
        'Do not trust the allocations of this run: measure again with a better rule, more subintervals or a smaller tolerance.',
      ]
    : [];
  return {
    balance,
    headline: unfinished.length > 0 ? `Unfinished. ${headlines[balance]}` : headlines[balance],
    details: [
      ...unfinished,
      ...splits.map((split) => describe(split, unit)),
      ...contradictions(splits, unit),
      ...advice,
    ],
  };
}
