import * as Plot from '@observablehq/plot';
import { sharesOf } from '../../analysis/index.js';
import type { Counts, RunAnalysis, ShareAnalysis } from '../../analysis/index.js';
import { iterationAxis } from './axes.js';
import type { Canvas, Figure, LegendEntry, Panel } from './canvas.js';
import { formatShare } from '../format.js';
import { certaintySentences } from '../certainty.js';
import { shownNote } from '../objectives.js';
import { stepOf } from '../text.js';
import { binSegments } from './thin.js';
import type { Bin } from './thin.js';

/** Stretches of iterations; about two pixels each. */
const binLimit = 200;

interface Sample extends Counts {
  readonly bin: Bin;
}

function sumOf(values: readonly number[], { from, to }: Bin): number {
  let total = 0;
  for (let t = from; t < to; t++) total += values[t]!;
  return total;
}

function samplesOf(shares: ShareAnalysis, iteration: readonly number[]): Sample[] {
  const { helping, hurting, zero } = shares.perIteration;
  return binSegments(iteration, binLimit).map((bin) => ({
    bin,
    helping: sumOf(helping, bin),
    hurting: sumOf(hurting, bin),
    zero: sumOf(zero, bin),
  }));
}

interface Edge {
  readonly x: number;
  readonly low: number;
  readonly high: number;
}

/** Both ends of each stretch, so that a run of one segment is a rectangle too. In percent. */
function bandOf(
  samples: readonly Sample[],
  low: (counts: Counts) => number,
  high: (counts: Counts) => number,
): Edge[] {
  return samples.flatMap((counts) => {
    const all = counts.helping + counts.hurting + counts.zero;
    const [from, to] = [(100 * low(counts)) / all, (100 * high(counts)) / all];
    return [counts.bin.x1, counts.bin.x2].map((x) => ({ x, low: from, high: to }));
  });
}

function stackPanel(canvas: Canvas, iteration: readonly number[], samples: readonly Sample[]): Panel {
  const { palette } = canvas;
  const area = (data: Edge[], fill: string, ariaDescription: string): Plot.Markish =>
    Plot.areaY(data, { x: 'x', y1: 'low', y2: 'high', fill, ariaDescription });
  const helping = (counts: Counts): number => counts.helping;
  const notHurting = (counts: Counts): number => counts.helping + counts.zero;
  const all = (counts: Counts): number => notHurting(counts) + counts.hurting;
  return canvas.panel({
    height: 190,
    x: iterationAxis(iteration),
    y: { label: 'of all entries (%)', labelArrow: 'none', domain: [0, 100], ticks: [0, 25, 50, 75, 100] },
    marks: [
      area(
        bandOf(samples, () => 0, helping),
        palette.helping,
        'helping',
      ),
      area(bandOf(samples, helping, notHurting), palette.zero, 'zero'),
      area(bandOf(samples, notHurting, all), palette.hurting, 'hurting'),
      Plot.ruleY([50], { stroke: palette.background, strokeDasharray: '2 3' }),
    ],
  });
}

/** Range that holds all values, 50 and some air. */
function domainAround(values: readonly number[]): [number, number] {
  const low = values.reduce((a, b) => Math.min(a, b), 49);
  const high = values.reduce((a, b) => Math.max(a, b), 51);
  const air = 0.08 * (high - low);
  return [Math.max(0, low - air), Math.min(100, high + air)];
}

function nonzeroPanel(canvas: Canvas, analysis: RunAnalysis, samples: readonly Sample[]): Panel {
  const { palette } = canvas;
  const line = samples.flatMap((counts) => {
    const share = sharesOf(counts).ofNonzero.helping;
    return [counts.bin.x1, counts.bin.x2].map((x) => ({ x, y: share === null ? NaN : 100 * share }));
  });
  const range = analysis.paper?.helpingPercent;
  const drawn = line.map(({ y }) => y).filter((y) => !Number.isNaN(y));
  return canvas.panel({
    height: 150,
    x: iterationAxis(analysis.iteration),
    y: {
      label: 'helping, of entries not exactly zero (%)',
      labelArrow: 'none',
      domain: domainAround(range ? [...drawn, range.from, range.to] : drawn),
      grid: true,
      ticks: 3,
    },
    marks: [
      ...(range ? [Plot.rectY([range], { y1: 'from', y2: 'to', fill: palette.zero, fillOpacity: 0.4 })] : []),
      Plot.ruleY([50], { stroke: palette.muted, strokeDasharray: '2 3' }),
      Plot.lineY(line, {
        x: 'x',
        y: 'y',
        stroke: palette.helping,
        strokeWidth: 1.75,
        ariaDescription: 'helping',
      }),
    ],
  });
}

function captionOf({ run }: ShareAnalysis, analysis: RunAnalysis, samples: readonly Sample[]): string {
  const { ofAll, ofNonzero } = run.shares;
  const step = stepOf(analysis.summary);
  const width = analysis.summary.segments / samples.length;
  const smoothed = width > 1 ? ` Each step averages about ${Math.round(width)} ${step}s.` : '';
  const range = analysis.paper?.helpingPercent;
  const paper = range ? `; the paper's range, ${range.from} % to ${range.to} %, is shaded` : '';
  const helping =
    ofNonzero.helping === null
      ? ''
      : `; of those that do something, ${formatShare(ofNonzero.helping)} help${paper}`;
  return (
    `In an average ${step} ${formatShare(ofAll.helping)} of all parameters help, ${formatShare(ofAll.hurting)} hurt and ` +
    `${formatShare(ofAll.zero)} do exactly nothing${helping}.${smoothed}` +
    [
      shownNote(analysis),
      ...certaintySentences(analysis.objectives[0]!, analysis).map((sentence) => ` ${sentence}`),
    ].join('')
  );
}

/** Shares of parameters helping, hurting and doing nothing, over training (paper Section 3, Figure 3(a)). */
export function sharesFigure(canvas: Canvas, analysis: RunAnalysis): Figure | null {
  const shares = analysis.objectives[0]?.shares;
  if (!shares) return null;
  const samples = samplesOf(shares, analysis.iteration);
  return canvas.figure({
    name: 'shares',
    title: 'How many parameters help',
    caption: captionOf(shares, analysis, samples),
    legend: shareLegend(canvas),
    panels: [stackPanel(canvas, analysis.iteration, samples), nonzeroPanel(canvas, analysis, samples)],
  });
}

/** Keys of the three kinds of entries. */
export function shareLegend({ palette }: Canvas): LegendEntry[] {
  return [
    { label: 'helping', colour: palette.helping, kind: 'area' },
    { label: 'exactly zero', colour: palette.zero, kind: 'area' },
    { label: 'hurting', colour: palette.hurting, kind: 'area' },
  ];
}
