import * as Plot from '@observablehq/plot';
import type { RunAnalysis } from '../../analysis/index.js';
import { iterationAxis } from './axes.js';
import type { Canvas, Figure } from './canvas.js';
import { formatCount, formatNumber } from '../format.js';
import { stepOf } from '../text.js';
import { binSegments } from './thin.js';

const binLimit = 400;

/** Subintervals that each segment needed to meet the tolerance; null where all segments used the same number. */
export function subintervalsFigure(canvas: Canvas, analysis: RunAnalysis): Figure | null {
  const { summary, subintervals, iteration } = analysis;
  const counts = summary.subintervals;
  if (!counts || counts.least === counts.most) return null;
  const steps = binSegments(iteration, binLimit).flatMap(({ from, to, x1, x2 }) => {
    const most = subintervals.slice(from, to).reduce((a, b) => Math.max(a, b));
    return [x1, x2].map((x) => ({ x, most }));
  });
  const refined = subintervals.filter((count) => count > counts.least).length;
  const { palette } = canvas;
  const colour = palette.objectives[0]!;
  const panel = canvas.panel({
    height: 170,
    x: iterationAxis(iteration),
    y: {
      label: 'subintervals',
      labelArrow: 'none',
      domain: [0, counts.most],
      ticks: Math.min(counts.most, 4),
      grid: true,
    },
    marks: [
      Plot.areaY(steps, { x: 'x', y1: 0, y2: 'most', fill: colour, fillOpacity: 0.25 }),
      Plot.lineY(steps, { x: 'x', y: 'most', stroke: colour, ariaDescription: 'subintervals' }),
      Plot.ruleY([0], { stroke: palette.muted }),
    ],
  });
  return canvas.figure({
    name: 'subintervals',
    title: 'Where the path had to be cut finer',
    caption:
      `${formatCount(refined)} of ${formatCount(summary.segments)} ${stepOf(summary)}s needed more than ${counts.least} ` +
      `subinterval${counts.least === 1 ? '' : 's'}; the most was ${counts.most}, the mean ${formatNumber(counts.mean, 3)}.`,
    legend: [],
    panels: [panel],
  });
}
