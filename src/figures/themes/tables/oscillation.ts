import type { ThemeAnalyses, Turns } from '../../../analysis/index.js';
import { formatCount, formatNumber } from '../../format.js';
import type { ReadTable } from './table.js';

const number = (value: number | null): string => (value === null ? '–' : formatNumber(value, 3));

const row = (own: Turns): string[] => [
  own.name,
  formatCount(own.parameters),
  number(own.iterationsPerTurn),
  number(own.ofMoving),
  number(own.meanOfParameters),
  number(own.medianOfParameters),
];

const head = ['layer', 'parameters', 'pooled', 'of moving', 'mean', 'median'];

/** What turns are counted by, and, where that is not each step of training, what this means. */
export function countedSteps(segments: number, iterations: number): readonly [string, string] {
  if (segments === iterations) return ['iterations', ''];
  const average = formatNumber(iterations / segments, 3);
  return [
    'segments',
    ` Rows of θ are ${average} iterations apart on average, and what turns between two of them is not seen: not to be compared with the paper.`,
  ];
}

/** How often weights turn round and gradients cross zero (Table S2). */
export function oscillationTables({ oscillation, segments, iterations }: ThemeAnalyses): ReadTable[] {
  if (!oscillation) return [];
  const { weights, gradients } = oscillation;
  const [counted, apart] = countedSteps(segments, iterations);
  return [
    ...(weights === null
      ? []
      : [
          {
            title: `Oscillation: ${counted} per turn of a weight`,
            head,
            rows: [...weights.perLayer, weights.run].map(row),
            note:
              'A turn: a step against the step just before it. pooled: all steps over all turns, as the paper counts (Table S2: 3.49 for MNIST-FC ' +
              'without momentum, 13.57 with, 12.68 with Adam); without parameters that never move; mean and median over parameters that turn.' +
              apart,
          },
        ]),
    ...(gradients === null
      ? []
      : [
          {
            title: `Oscillation: ${counted} per zero crossing of a gradient`,
            head,
            rows: [...gradients.perLayer, gradients.run].map(row),
            note:
              'Of the gradient over all examples, at the start of each step; counted as above (Table S2: 3.48, 11.68 and 12.71). of moving: without ' +
              'parameters whose gradient never crosses zero.' +
              apart,
          },
        ]),
  ];
}
