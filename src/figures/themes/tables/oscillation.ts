import type { ThemeAnalyses, Turns } from '../../../analysis/index.js';
import { formatCount, formatNumber } from '../../format.js';
import type { ReadTable } from './table.js';

const number = (value: number | null): string => (value === null ? '–' : formatNumber(value, 3));

/** How often weights turn round (Table S2). */
export function oscillationTables({ oscillation }: ThemeAnalyses): ReadTable[] {
  if (!oscillation) return [];
  const row = (own: Turns): string[] => [
    own.name,
    formatCount(own.parameters),
    number(own.iterationsPerTurn),
    number(own.ofMoving),
    number(own.meanOfParameters),
    number(own.medianOfParameters),
  ];
  return [
    {
      title: 'Oscillation: iterations per turn of a weight',
      head: ['layer', 'parameters', 'pooled', 'of moving', 'mean', 'median'],
      rows: [...oscillation.perLayer, oscillation.run].map(row),
      note:
        'A turn: a step against the step just before it. pooled: all steps over all turns, as the paper counts (Table S2: 3.49 for MNIST-FC ' +
        'without momentum, 13.57 with, 12.68 with Adam); without parameters that never move; mean and median over parameters that turn.',
    },
  ];
}
