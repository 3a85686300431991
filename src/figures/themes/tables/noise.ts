import type { NoiseAnalysis, ThemeAnalyses } from '../../../analysis/index.js';
import { formatCount, formatNumber, formatShare } from '../../format.js';
import { stepWord } from '../../text.js';
import type { ReadTable } from './table.js';

const number = (value: number | null, digits = 3): string =>
  value === null ? '–' : formatNumber(value, digits);

/** What undetermined signs leave open; begins with a space. */
function certaintyNote({ certainty }: NoiseAnalysis): string {
  if (certainty === null) return '';
  const { share, helping } = certainty;
  const range =
    helping && ` the share helping is between ${formatShare(helping.least)} and ${formatShare(helping.most)}`;
  return ` Undetermined signs: ${formatShare(share)} of the entries not zero;${range ?? ' no share is known'}.`;
}

/** Shares, alternation and walks, by layer and in all (Section 3). */
export function noiseTables({ noise, segments, iterations }: ThemeAnalyses): ReadTable[] {
  if (!noise) return [];
  const steps = `${stepWord(segments, iterations)}s`;
  const { shares, perLayer, alternation, walk, histogram, meanHelping } = noise;
  const layers = [...perLayer, { layer: 'all', shares, alternation, walk }];
  return [
    {
      title: 'Noise: who helps, and for how long',
      head: ['layer', 'helping', 'of nonzero', 'zero', 'turned', 'coins', 'walk'],
      rows: layers.map((own) => [
        own.layer,
        formatShare(own.shares.ofAll.helping),
        formatShare(own.shares.ofNonzero.helping),
        formatShare(own.shares.ofAll.zero),
        formatShare(own.alternation?.changes ?? null),
        formatShare(own.alternation?.changesOfCoins ?? null),
        number(own.walk?.ratio ?? null),
      ]),
      note:
        'helping: entries below zero, of all and of those not exactly zero (paper: 50–58 % of the latter). turned: pairs of ' +
        'consecutive entries of a parameter with opposite signs, and what independent coins would give. walk: (sum of a parameter)² ' +
        `over its sum of squares; 1 for a random walk, more for drift. Mean over ${steps} of the share helping: ${formatShare(meanHelping)}.${certaintyNote(noise)}`,
    },
    ...(histogram === null
      ? []
      : [
          {
            title: 'Noise: how often single parameters help',
            head: ['parameters', 'number'],
            rows: [
              [`help in under 45 % of their ${steps}`, formatCount(sumOf(histogram.ofNonzero, 0, 9))],
              ['in 45 to 60 %', formatCount(sumOf(histogram.ofNonzero, 9, 12))],
              ['in 60 to 95 %', formatCount(sumOf(histogram.ofNonzero, 12, 19))],
              ['in 95 % or more', formatCount(sumOf(histogram.ofNonzero, 19, 20))],
              ['never helped or hurt', formatCount(histogram.never)],
            ],
            note:
              `Of the ${steps} in which a parameter is not zero. The shares vary ${number(histogram.dispersion)} times as much as coins would. ` +
              `Those that help in 95 % or more are not zero in ${number(histogram.always.medianIterations)} ${steps} in the median: ` +
              'where that is few, they are rare inputs and no elite.',
          },
        ]),
  ];
}

const sumOf = (bins: readonly number[], from: number, to: number): number =>
  bins.slice(from, to).reduce((sum, count) => sum + count, 0);
