import { paperCitation } from '../analysis/index.js';
import type { RuleError, RunAnalysis, RunSummary } from '../analysis/index.js';
import { formatCount, formatNumber, formatPercent } from './format.js';
import { printable, stepOf } from './text.js';

/** One row of the table of errors, as text; the columns of Table S1 and two more. */
export interface ErrorRow {
  readonly what: string;
  readonly total: string;
  readonly mean: string;
  readonly worst: string;
  readonly over: string;
}

/** Their heads. */
export function errorColumns(summary: RunSummary): Omit<ErrorRow, 'what'> {
  const { unit } = summary;
  const step = stepOf(summary);
  return {
    total: 'cumulative error (% of the loss change)',
    mean: `mean error of ${step === 'segment' ? 'a' : 'an'} ${step} (${unit})`,
    worst: `largest error of ${step === 'segment' ? 'a' : 'an'} ${step} (${unit})`,
    over: `${step}s over tolerance`,
  };
}

/** Explains the first column's sign. */
export const errorDefinition =
  'Cumulative error: (sum of all allocations − change of the loss) ÷ |change of the loss|. Negative means that the allocations claim more decrease than happened.';

function ownRow(what: string, error: RuleError, over: number | null, summary: RunSummary): ErrorRow {
  const from = stepOf(summary) === 'segment' ? 'from iteration' : 'iteration';
  return {
    what: printable(what),
    total: formatPercent(error.totalErrorPercent),
    mean: formatNumber(error.meanIterationError, 3),
    worst: `${formatNumber(error.worst.error, 3)} (${from} ${formatCount(error.worst.iteration)})`,
    over: over === null ? '–' : formatCount(over),
  };
}

function paperRows({ paper }: RunAnalysis): ErrorRow[] {
  if (!paper) return [];
  return (['rungeKutta', 'firstOrder'] as const).map((rule) => ({
    what: `paper, ${rule === 'rungeKutta' ? 'RK4 (Simpson)' : 'first order (left)'}`,
    total: formatPercent(paper.totalErrorPercent[rule]),
    mean: formatNumber(paper.meanIterationError[rule], 3),
    worst: '–',
    over: '–',
  }));
}

/** This run's errors with its rule and with the left rule, then the paper's. */
export function errorRows(analysis: RunAnalysis): ErrorRow[] {
  const { objectives, summary } = analysis;
  return [
    ...objectives.map(({ name, conservation: { chosen, overTolerance } }) =>
      ownRow(`${summary.rule} rule, ${name}`, chosen, overTolerance, summary),
    ),
    ...(summary.rule === 'left'
      ? []
      : objectives.flatMap(({ name, conservation: { left } }) =>
          left === null ? [] : [ownRow(`left rule, ${name}`, left, null, summary)],
        )),
    ...paperRows(analysis),
  ];
}

/** Names the experiment that the paper's rows are of, and how long it was; null without such rows. */
export function paperNote({ paper, summary }: RunAnalysis): string | null {
  if (!paper) return null;
  const here = summary.segments === paper.iterations ? '' : `, here ${formatCount(summary.segments)}`;
  return `Paper: ${paper.experiment}, ${formatCount(paper.iterations)} iterations${here}; Table S1 of ${paperCitation}.`;
}
