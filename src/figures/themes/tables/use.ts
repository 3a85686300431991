import type { FreezeEvidence, Overfitting, ThemeAnalyses } from '../../../analysis/index.js';
import { formatCount, formatNumber, formatShare } from '../../format.js';
import type { ReadTable } from './table.js';

const verdicts: Readonly<Record<NonNullable<FreezeEvidence['reason']>, string>> = {
  hurts: 'freeze: it hurt',
  stopped: 'freeze half way',
  idle: 'freeze: idle',
};

function overfittingTable({ heldOut, objective, layers, opposed }: Overfitting, unit: string): ReadTable {
  return {
    title: `Use: where what helped ${objective} did not help ${heldOut}`,
    head: ['layer', objective, heldOut, `difference (${unit})`],
    rows: layers.map(({ layer, total, heldOut: other, difference }) => [
      layer,
      formatNumber(total),
      formatNumber(other),
      formatNumber(difference, 3),
    ]),
    note:
      `Totals over the run; a difference below zero: the layer helped more on ${objective} than on ${heldOut}.` +
      (opposed === null ? '' : ` ${formatShare(opposed)} of the parameters that moved the loss helped the one and hurt the other.`),
  };
} // prettier-ignore

/** Candidates to freeze, and layers that overfit. */
export function useTables({ use, unit }: ThemeAnalyses): ReadTable[] {
  if (!use) return [];
  return [
    {
      title: 'Use: layers that may be frozen',
      head: ['layer', 'parameters', `total (${unit})`, 'last half', 'hurting', 'verdict'],
      rows: use.freeze.map(({ layer, parameters, total, lastHalf, hurtingSegments, reason }) => [
        layer,
        formatCount(parameters),
        formatNumber(total, 3),
        formatNumber(lastHalf, 3),
        formatShare(hurtingSegments),
        reason === null ? 'train it' : verdicts[reason],
      ]),
      note:
        'last half: total over the last half of the iterations; freeze half way: it raised the loss there. idle: under 1 % of all help. Evidence of one run: whether freezing helps, a run with that layer frozen shows (the paper: freezing the last layer of ResNet helped, ' +
        'freezing the first did not).',
    },
    ...(use.overfitting === null ? [] : [overfittingTable(use.overfitting, unit)]),
  ];
}
