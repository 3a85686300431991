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

/** How often weights turn round and gradients cross zero (Table S2). */
export function oscillationTables({ oscillation }: ThemeAnalyses): ReadTable[] {
  if (!oscillation) return [];
  const { weights, gradients } = oscillation;
  return [
    ...(weights === null
      ? []
      : [
          {
            title: 'Oscillation: iterations per turn of a weight',
            head,
            rows: [...weights.perLayer, weights.run].map(row),
            note:
              'A turn: a step against the step just before it. pooled: all steps over all turns, as the paper counts (Table S2: 3.49 for MNIST-FC ' +
              'without momentum, 13.57 with, 12.68 with Adam); without parameters that never move; mean and median over parameters that turn.',
          },
        ]),
    ...(gradients === null
      ? []
      : [
          {
            title: 'Oscillation: iterations per zero crossing of a gradient',
            head,
            rows: [...gradients.perLayer, gradients.run].map(row),
            note:
              'Of the gradient over all examples, at the start of each step; counted as above (Table S2: 3.48, 11.68 and 12.71). of moving: without ' +
              'parameters whose gradient never crosses zero.',
          },
        ]),
  ];
}
