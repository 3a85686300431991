import * as Plot from '@observablehq/plot';
import { accuracyOf, type RunAnalysis } from '../../analysis/index.js';
import { formatCount, formatShare } from '../format.js';
import { drawnObjectives } from '../objectives.js';
import { iterationAxis } from './axes.js';
import { lineKey } from './canvas.js';
import type { Canvas, Figure } from './canvas.js';

/** Share of labels that are named rightly, at the rows where they were counted; null where they were not. */
export function accuracyFigure(canvas: Canvas, analysis: RunAnalysis): Figure | null {
  const { accuracy, iteration: all } = analysis;
  if ('missing' in accuracy) return null;
  const curves = drawnObjectives(analysis, canvas.palette).flatMap(({ name, label, style }) => {
    const own = accuracyOf(accuracy, name);
    return own === null ? [] : [{ label, style, own }];
  });
  if (curves.length === 0) return null;
  const { rows, iteration } = accuracy;
  const words = curves.map(
    ({ label, own }) =>
      `${label} from ${formatShare(own.share[0]!)} to ${formatShare(own.share.at(-1)!)} of ${formatCount(own.labels)} labels`,
  );
  const points = (share: readonly number[]) => share.map((value, k) => ({ x: iteration[k]!, y: 100 * value }));
  return canvas.figure({
    name: 'accuracy',
    title: 'Accuracy, beside the loss',
    caption:
      `Labels named rightly: ${words.join('; ')}. Counted at ${formatCount(rows.length)} of ${formatCount(all.length)} rows (dots), ` +
      'on the examples that the losses are measured on. No allocation says anything about it: what is shared out is the loss.',
    legend: curves.map(({ label, style }) => lineKey(`${label} accuracy`, style)),
    panels: [
      canvas.panel({
        height: 170,
        x: iterationAxis(all),
        y: { label: 'right (%)', labelArrow: 'none', grid: true, ticks: 5, domain: [0, 100] },
        marks: curves.flatMap(({ label, style, own }) => [
          Plot.lineY(points(own.share), { x: 'x', y: 'y', ...style, ariaDescription: `${label} accuracy` }),
          Plot.dot(points(own.share), { x: 'x', y: 'y', r: 2.5, fill: style.stroke }),
        ]),
      }),
    ],
  });
} // prettier-ignore
