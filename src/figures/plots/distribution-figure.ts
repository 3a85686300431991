import * as Plot from '@observablehq/plot';
import type { Distribution, RunAnalysis, SideDistribution } from '../../analysis/index.js';
import { logAxis } from './axes.js';
import type { Canvas, Figure } from './canvas.js';
import { formatCount, formatLoss, formatShare } from '../format.js';
import { shownNote } from '../objectives.js';

/** First and one after the last bin that has entries on either side; null if all are empty. */
function filledRange({ helping, hurting }: Distribution): [number, number] | null {
  const filled = helping.bins.map((count, i) => count + hurting.bins[i]! > 0);
  const first = filled.indexOf(true);
  return first < 0 ? null : [first, filled.lastIndexOf(true) + 1];
}

interface Step {
  readonly x: number;
  readonly y: number;
}

/** A staircase over the bins; empty bins interrupt it, because a logarithmic axis has no zero. */
function staircase(side: SideDistribution, edges: readonly number[], [from, to]: [number, number]): Step[] {
  return side.bins.slice(from, to).flatMap((count, i) => {
    const y = count > 0 ? count : NaN;
    return [
      { x: edges[from + i]!, y },
      { x: edges[from + i + 1]!, y },
    ];
  });
}

function captionOf(distribution: Distribution, unit: string): string {
  const { helping, hurting, zero, entries, topPercentShare, topPercentShareOfGaussian } = distribution;
  const outside = helping.underflow + hurting.underflow + helping.overflow + hurting.overflow;
  const top = topPercentShare.ofNonzero;
  return [
    `The largest 1 % of the allocations that are not zero hold ${formatShare(top)} of the total magnitude, where a Gaussian would hold `,
    `${formatShare(topPercentShareOfGaussian)}; the largest helped by ${formatLoss(helping.maximum, unit)} and hurt by ${formatLoss(hurting.maximum, unit)}. `,
    `${formatCount(zero)} of ${formatCount(entries)} entries are exactly zero`,
    outside > 0 ? ` and ${formatCount(outside)} outside the axis; these are not drawn.` : ' and not drawn.',
  ].join('');
}

/** Sizes of single allocations on logarithmic axes, helping and hurting apart (paper Section 3, Figure 3(b)). */
export function distributionFigure(canvas: Canvas, analysis: RunAnalysis): Figure | null {
  const { unit } = analysis.summary;
  const distribution = analysis.objectives[0]?.distribution;
  const range = distribution && filledRange(distribution);
  if (!distribution || !range) return null;
  const { palette } = canvas;
  const { edges, helping, hurting } = distribution;
  const most = [...helping.bins, ...hurting.bins].reduce((a, b) => Math.max(a, b));
  const line = (side: SideDistribution, stroke: string, ariaDescription: string): Plot.Markish =>
    Plot.lineY(staircase(side, edges, range), { x: 'x', y: 'y', stroke, strokeWidth: 1.75, ariaDescription });
  const panel = canvas.panel({
    height: 270,
    x: {
      label: `magnitude of one allocation (${unit})`,
      ...logAxis(edges[range[0]]!, edges[range[1]]!, 6),
    },
    y: { label: 'entries per bin', grid: true, ...logAxis(1, most, 8) },
    marks: [line(hurting, palette.hurting, 'hurting'), line(helping, palette.helping, 'helping')],
  });
  return canvas.figure({
    name: 'distribution',
    title: 'How large single allocations are',
    caption: captionOf(distribution, unit) + shownNote(analysis),
    legend: [
      { label: 'helping', colour: palette.helping, kind: 'line' },
      { label: 'hurting', colour: palette.hurting, kind: 'line' },
    ],
    panels: [panel],
  });
}
