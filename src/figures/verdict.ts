import { balanceLimitPercent, balanceOfSums } from '../analysis/index.js';
import type { Balance, ObjectiveAnalysis, RunAnalysis } from '../analysis/index.js';
import { formatLoss, formatPercent } from './format.js';
import { printable } from './text.js';

/** What a reader must know about the ledger before anything else. */
export interface Verdict {
  readonly balance: Balance;
  readonly headline: string;
  /** Whole sentences. */
  readonly details: readonly string[];
}

function describe({ name, conservation }: ObjectiveAnalysis, unit: string): string {
  const { chosen, lossChange, lossStart, balance } = conservation;
  const error = chosen.totalErrorPercent;
  const missing = Math.abs(chosen.allocations - lossChange);
  const small =
    balance === 'undetermined'
      ? ` The error is ${formatPercent((100 * missing) / Math.abs(lossStart))} of the loss itself, within what one segment may leave: the loss changed too little for the limit to tell.`
      : '';
  if (error === null)
    return balance === 'unbalanced'
      ? `The ${printable(name)} loss did not change, and the allocations sum to ${formatLoss(chosen.allocations, unit)}.`
      : `The ${printable(name)} loss did not change, so there is no cumulative error to state.`;
  return (
    `The allocations sum to ${formatLoss(chosen.allocations, unit)} and the ${printable(name)} loss changed by ` +
    `${formatLoss(lossChange, unit)}: a cumulative error of ${formatPercent(error)} (limit ${balanceLimitPercent} %).${small}`
  );
}

/** Sums that contradict their own residuals point at a damaged ledger, not at coarse integration. */
function contradictions(objectives: readonly ObjectiveAnalysis[], unit: string): string[] {
  return objectives
    .filter((objective) => objective.conservation.balance === 'unbalanced' && !isCoarse(objective))
    .map(
      ({ name, conservation: { inconsistency } }) =>
        `The stored sums of ${printable(name)} contradict its stored losses and residuals by ${formatLoss(inconsistency, unit)}: check the run with \`lca verify\`.`,
    );
}

/** Times its first value that a loss must reach for training to be called diverged. */
const divergence = 100;

/** A run that diverged is said to have, before anybody looks for reasons in its allocations. */
function divergences(objectives: readonly ObjectiveAnalysis[], unit: string): string[] {
  return objectives.flatMap(({ name, loss: { measured } }) => {
    const peak = measured.reduce((a, b) => Math.max(a, b));
    // A loss of exactly zero has no multiple.
    if (measured[0] === 0 || !(peak > divergence * Math.abs(measured[0]!))) return [];
    return [
      `Training diverged: the ${printable(name)} loss rose from ${formatLoss(measured[0]!, unit)} to as much as ${formatLoss(peak, unit)}. Steps of that size are too long to be integrated well; a smaller learning rate is the cure.`,
    ];
  });
}

const isCoarse = ({ conservation: { chosen, lossStart, lossEnd } }: ObjectiveAnalysis): boolean =>
  balanceOfSums(chosen.allocations, lossStart, lossEnd) === 'unbalanced';

const headlines: Readonly<Record<Balance, string>> = {
  balanced: 'The ledger balances',
  unbalanced: 'Warning: the ledger does not balance',
  undetermined: 'The ledger has no verdict',
};

/** What is measured behind the first segment that is missing, in words. */
const gapOf = ({ apart }: RunAnalysis['summary']): string =>
  apart === 0 ? '' : ` without a gap, and ${apart} behind it, which are not in these numbers`;

/** A run that cannot be told from its start yet. */
function unmeasured({ balance, apart, planned }: RunAnalysis['summary']): Verdict {
  const remedy = 'Measure the run with `lca measure` or `lca resume`.';
  if (apart === 0) return { balance, headline: 'Nothing has been measured yet', details: [remedy] };
  return {
    balance,
    headline: 'The first segment has not been measured yet',
    details: [
      `${apart} of ${planned} segments are measured, all behind it; a report tells a run from its start. ${remedy}`,
      'Their numbers are there by `lca export` with `--segments`.',
    ],
  };
}

/** Says whether the ledger balances, and why or why not (limit of paper Section 2: 1 % cumulative error). */
export function verdictOf({ objectives, summary }: RunAnalysis): Verdict {
  const { balance, unit } = summary;
  if (objectives.length === 0) return unmeasured(summary);
  const unfinished =
    summary.segments < summary.planned
      ? [`Only ${summary.segments} of ${summary.planned} segments are measured${gapOf(summary)}: go on with \`lca resume\`.`]
      : []; // prettier-ignore
  const advice = objectives.some(isCoarse)
    ? [
        'Do not trust the allocations of this run: measure again with a better rule, more subintervals or a smaller tolerance.',
      ]
    : [];
  return {
    balance,
    headline: unfinished.length > 0 ? `Unfinished. ${headlines[balance]}` : headlines[balance],
    details: [
      ...unfinished,
      ...objectives.map((objective) => describe(objective, unit)),
      ...divergences(objectives, unit),
      ...contradictions(objectives, unit),
      ...advice,
    ],
  };
}
