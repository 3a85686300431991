import { accuracyOf, type Conservation, type LayerTotal, type RunAnalysis } from '../analysis/index.js';
import { formatCount, formatLoss, formatNumber, formatPercent, formatShare } from './format.js';
import { objectiveLabel } from './objectives.js';
import { shortNames, stepOf } from './text.js';

/** One number that the page begins with. */
export interface Headline {
  readonly label: string;
  readonly value: string;
  readonly note: string;
}

function ofLoss({ objectives, summary }: RunAnalysis): Headline[] {
  return objectives.map((objective) => {
    const { lossStart, lossEnd, lossChange } = objective.conservation;
    return {
      label: `${objectiveLabel(objective)} loss`,
      value: `${formatNumber(lossStart, 3)} → ${formatNumber(lossEnd, 3)}`,
      note: `${summary.unit}, a change of ${formatNumber(lossChange)}`,
    };
  });
}

function ofAccuracy({ objectives, accuracy }: RunAnalysis): Headline[] {
  return objectives.flatMap((objective) => {
    const own = accuracyOf(accuracy, objective.name);
    if (own === null) return [];
    return [
      {
        label: `${objectiveLabel(objective)} accuracy`,
        value: `${formatShare(own.share[0]!)} → ${formatShare(own.share.at(-1)!)}`,
        note: `of ${formatCount(own.labels)} labels, named rightly at the start and at the end`,
      },
    ];
  });
}

/** A layer's total beside the loss change that all layers make together, unless they make another one. */
function shareOfChange({ total }: LayerTotal, { lossChange, balance }: Conservation, unit: string): string {
  return lossChange === 0 || balance === 'unbalanced'
    ? formatLoss(total, unit)
    : `${formatLoss(total, unit)}, ${formatShare(total / lossChange)} of the loss change`;
}

function ofLayers({ objectives: [main], summary }: RunAnalysis): Headline[] {
  const layers = main?.layers ?? [];
  if (!main || layers.length === 0) return [];
  const names = shortNames(
    layers.map(({ layer }) => layer),
    28,
  );
  const nameOf = (layer: LayerTotal): string => names[layers.indexOf(layer)]!;
  const best = layers.reduce((a, b) => (b.total < a.total ? b : a));
  const worst = layers.reduce((a, b) => (b.total > a.total ? b : a));
  return [
    best.total < 0
      ? {
          label: 'helped most',
          value: nameOf(best),
          note: shareOfChange(best, main.conservation, summary.unit),
        }
      : { label: 'helped most', value: 'no layer', note: 'no total is below zero' },
    worst.total > 0
      ? { label: 'hurt most', value: nameOf(worst), note: formatLoss(worst.total, summary.unit) }
      : { label: 'hurt most', value: 'no layer', note: 'no total is above zero' },
  ];
}

function ofShares({ objectives, summary }: RunAnalysis): Headline[] {
  const shares = objectives[0]?.shares.run.shares;
  if (!shares) return [];
  const { ofAll, ofNonzero } = shares;
  return [
    {
      label: 'parameters helping',
      value: formatShare(ofNonzero.helping),
      note: `of those not exactly zero, per ${stepOf(summary)}; ${formatShare(ofAll.helping)} of all`,
    },
  ];
}

function ofErrors({ objectives, summary }: RunAnalysis): Headline[] {
  const audit = objectives[0]?.conservation;
  if (!audit) return [];
  const { chosen, left } = audit;
  const compared =
    summary.rule === 'left' || left === null
      ? ''
      : `; the left rule's would be ${formatPercent(left.totalErrorPercent)}`;
  return [
    {
      label: 'cumulative error',
      value: formatPercent(chosen.totalErrorPercent),
      note: `of the loss change${compared}`,
    },
  ];
}

/** What happened, in a handful of numbers; empty for a run without segments. */
export function headlinesOf(analysis: RunAnalysis): Headline[] {
  if (analysis.summary.segments === 0) return [];
  return [
    ...ofLoss(analysis),
    ...ofAccuracy(analysis),
    ...ofLayers(analysis),
    ...ofShares(analysis),
    ...ofErrors(analysis),
  ];
}

/** How much was measured, in one line. */
export function extentOf({ summary }: RunAnalysis): string {
  const { segments, firstIteration, lastIteration, parameters, rule, tolerance, subintervals, unit } =
    summary;
  const apart = lastIteration - firstIteration !== segments || firstIteration !== 0;
  return [
    `${formatCount(segments)} ${segments === 1 ? 'segment' : 'segments'}`,
    ...(apart ? [`iterations ${formatCount(firstIteration)} to ${formatCount(lastIteration)}`] : []),
    `${formatCount(parameters)} ${parameters === 1 ? 'parameter' : 'parameters'}`,
    `${rule} rule`,
    tolerance === null ? 'never refined' : `tolerance ${tolerance} ${unit}`,
    ...(subintervals ? [`${formatNumber(subintervals.mean, 3)} subintervals a segment`] : []),
  ].join(' · ');
}
