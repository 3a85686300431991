import type { LayersOverRuns, MeanTest, ThemeAnalyses } from '../../../analysis/index.js';
import { formatCount, formatNumber, formatShare } from '../../format.js';
import { stepWord } from '../../text.js';
import type { ReadTable } from './table.js';

/** Totals of one run's layers (Section 4). */
export function layersTables({ layers, unit, segments, iterations }: ThemeAnalyses): ReadTable[] {
  if (!layers) return [];
  const sum = layers.layers.reduce((total, own) => total + own.total, 0);
  return [
    {
      title: 'Layers: what each did over the run',
      head: [
        'layer',
        'parameters',
        `total (${unit})`,
        'of all',
        `${stepWord(segments, iterations)}s hurting`,
      ],
      rows: layers.layers.map(({ layer, parameters, total, hurtingSegments }) => [
        layer,
        formatCount(parameters),
        formatNumber(total),
        formatShare(sum === 0 ? null : total / sum),
        formatShare(hurtingSegments),
      ]),
      note: 'Negative totals helped. One run says nothing about chance: name several runs for means, intervals and tests.',
    },
  ];
}

const intervalOf = ({ interval }: MeanTest): string =>
  interval === null ? '–' : `${formatNumber(interval[0], 3)} to ${formatNumber(interval[1], 3)}`;

/** That intervals and tests take for repeats what differs by more than seeds; empty where it does not. */
export function repeatsNote(settings: LayersOverRuns['settings']): string {
  if (settings.length === 0) return '';
  return ` Intervals and tests take the runs for repeats of one training with other seeds, which they are not: they differ in ${settings.map(({ about }) => about).join(', ')}.`;
}

/** Means over runs with tests against zero (Figures 4 and S11). */
export function layersOverRunsTable({ runs, layers, settings }: LayersOverRuns, unit: string): ReadTable {
  return {
    title: `Layers: means over ${runs.length} runs`,
    head: ['layer', `mean (${unit})`, '95 % interval', 't', 'p', ''],
    rows: layers.map(({ layer, test }) => [
      layer,
      formatNumber(test.mean),
      intervalOf(test),
      test.statistic === null ? '–' : formatNumber(test.statistic, 3),
      test.p === null ? '–' : formatNumber(test.p, 2),
      test.p !== null && test.p < 0.05 ? (test.mean < 0 ? 'helps' : 'hurts') : '',
    ]),
    note: `Student's test of each layer's total against zero, two-sided; with many layers expect one in twenty below 0.05 by chance.${repeatsNote(settings)}`,
  };
}
