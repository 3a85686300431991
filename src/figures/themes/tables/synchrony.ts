import type { NullModel, Synchrony, ThemeAnalyses } from '../../../analysis/index.js';
import { formatCount, formatNumber, formatShare } from '../../format.js';
import { stepWord } from '../../text.js';
import type { ReadTable } from './table.js';

const probability = (p: number): string => formatNumber(p, 2);

function nullCells(model: NullModel | null): string[] {
  return model === null ? ['–', '–'] : [formatNumber(model.mean, 3), probability(model.p)];
}

function rowOf(name: string, { observed, share, ...nulls }: Synchrony): string[] {
  return [
    name,
    formatCount(observed),
    formatShare(share),
    ...nullCells(nulls.shiftedLayers),
    ...nullCells(nulls.shiftedCurves),
    ...nullCells(nulls.rotated),
  ];
}

/** Iterations at which all layers learn together, against shifted layers (Section 5). */
export function synchronyTables({ synchrony, segments, iterations, partsBy }: ThemeAnalyses): ReadTable[] {
  if (!synchrony) return [];
  const steps = `${stepWord(segments, iterations)}s`;
  const { whole, byPart, motion, gradient, gradientByPart, layers } = synchrony;
  const by = `by ${partsBy ?? 'class'}`;
  const floor = 4 / 4 ** layers.length;
  return [
    {
      title: 'Synchrony: moments of learning of all layers at once',
      head: ['curves', 'found', 'share', 'layers', 'p', 'curves', 'p', '±10', 'p'],
      rows: [
        rowOf('allocation', whole),
        ...(byPart ? [rowOf(by, byPart)] : []),
        ...(motion ? [rowOf('motion', motion)] : []),
        ...(gradient ? [rowOf('gradient', gradient)] : []),
        ...(gradientByPart ? [rowOf(`gradient ${by}`, gradientByPart)] : []),
      ],
      note:
        `found: ${steps} at which every layer has one of its 20 deepest moments; share of the moments that stand in one. Then the mean of ` +
        `what chance gives, with its probability of at least as many: layers shifted by 1 or 2 ${steps} (all classes alike), every curve ` +
        `shifted so on its own, every curve rotated by up to 10. With ${layers.length} ${layers.length === 1 ? 'layer' : 'layers'} the first p cannot fall below ${probability(floor)}: ` +
        'equal shifts keep everything. Motion, gradient: peaks of the norm of a layer’s steps, of its gradient.',
    },
  ];
}
