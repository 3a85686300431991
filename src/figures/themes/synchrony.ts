import * as Plot from '@observablehq/plot';
import type { NullModel, Synchrony, ThemeAnalyses } from '../../analysis/index.js';
import { formatCount, formatNumber, formatShare } from '../format.js';
import { iterationAxis, wholeTicks } from '../plots/axes.js';
import { type Canvas, type Figure, fontSize, type Panel } from '../plots/canvas.js';
import { estimateWidth, shortNames, stepWord } from '../text.js';
import { type DataTable, markers, type ThemeDrawing } from './drawing.js';

/** One moment as it is drawn. */
interface Dot {
  readonly t: number;
  readonly row: number;
  readonly together: boolean;
}

/** Curves by class where there are any; what is drawn and what it is called. */
const shownOf = ({ synchrony }: ThemeAnalyses): Synchrony | null =>
  synchrony?.byPart ?? synchrony?.whole ?? null;

function dotsOf({ groups }: Synchrony): Dot[] {
  let row = 0;
  return groups.flatMap(({ moments, synchronised }) =>
    moments.flatMap((own) => {
      const at = row++;
      return own.map(({ t }) => ({ t, row: at, together: synchronised.includes(t) }));
    }),
  );
}

/** What moments are counted in. */
const stepsOf = ({ segments, iterations }: ThemeAnalyses): string => `${stepWord(segments, iterations)}s`;

/** Rows of one group stand together, with their part's name in the middle. */
function drawMoments(canvas: Canvas, shown: Synchrony, layers: readonly string[], { segments, trajectories }: ThemeAnalyses): Panel {
  const { palette } = canvas;
  // Moments are counted in segments; without the iterations of these the axis is theirs.
  const iteration = trajectories?.iteration;
  const time = iteration ? iterationAxis(iteration) : { ...iterationAxis([0, segments]), label: 'segment' };
  const dots = dotsOf(shown);
  const rows = shown.groups.length * layers.length;
  const divided = shown.groups.length > 1;
  const names = divided ? shown.groups.map(({ part }) => part!) : [...layers];
  const labels = shortNames(names, 12);
  const height = Math.max(120, 68 + Math.min(1400, rows * (divided ? 9 : 18)));
  // Names that would touch are left out.
  const every = Math.ceil(fontSize / ((height - 68) / labels.length));
  const named = labels.flatMap((_, i) => (i % every === 0 ? [i] : []));
  const place = (i: number): number => (divided ? (i + 0.5) * layers.length - 0.5 : i);
  const mark = (together: boolean) =>
    Plot.dot(dots.filter((dot) => dot.together === together), {
      x: ({ t }: Dot) => iteration?.[t] ?? t, y: 'row', r: together ? 4 : 2.5, symbol: together ? 'diamond2' : 'circle',
      ...(together ? { fill: palette.hurting } : { stroke: palette.muted, strokeWidth: 1.25 }),
    });
  return canvas.panel({
    height,
    marginLeft: 16 + Math.max(...labels.map((name) => estimateWidth(name, fontSize))),
    marginTop: 10,
    x: time,
    y: { domain: [rows - 0.5, -0.5], ticks: named.map(place), tickFormat: (y: number) => labels[divided ? Math.floor(y / layers.length) : y]!, tickSize: 0, label: null },
    marks: [
      Plot.ruleY(shown.groups.map((_, g) => (g + 1) * layers.length - 0.5), { stroke: palette.zero }),
      mark(false),
      mark(true),
    ],
  });
} // prettier-ignore

const probability = (p: number): string => formatNumber(p, 2);

function momentsCaption(shown: Synchrony, layers: readonly string[], steps: string): string {
  const rows =
    shown.groups.length > 1 ? `for each class the ${layers.length} layers, first to last` : 'one a layer';
  const p = shown.shiftedCurves;
  return (
    `The 20 deepest moments of learning of each curve (rows: ${rows}); filled diamonds stand at ${steps} that all layers of the row's group share, ` +
    `${formatShare(shown.share)} of the moments. The paper marks such stacks in red (its Figures 6 and S17) and finds more than shifted layers give` +
    (p === null
      ? '.'
      : `; here ${formatCount(shown.observed)} against ${formatNumber(p.mean, 3)}, p = ${probability(p.p)}.`)
  );
}

function drawMomentsFigure(canvas: Canvas, analyses: ThemeAnalyses): Figure | null {
  const shown = shownOf(analyses);
  if (shown === null || shown.groups.every(({ moments }) => moments.flat().length === 0)) return null;
  const { layers } = analyses.synchrony!;
  const { palette } = canvas;
  return canvas.figure({
    name: 'moments',
    title: 'Moments of learning',
    caption: momentsCaption(shown, layers, stepsOf(analyses)),
    legend: [
      { label: 'moment', colour: palette.muted, kind: 'symbol', path: markers.circle },
      {
        label: 'of all layers at once',
        colour: palette.hurting,
        kind: 'symbol',
        path: markers.diamond2,
        filled: true,
      },
    ],
    panels: [drawMoments(canvas, shown, layers, analyses)],
  });
}

const models = [
  ['shiftedLayers', 'layers shifted by 1 or 2'],
  ['shiftedCurves', 'every curve shifted by 1 or 2'],
  ['rotated', 'every curve rotated by up to 10'],
] as const;

function drawModel(
  canvas: Canvas,
  model: NullModel,
  { observed, label, last, steps }: { observed: number; label: string; last: number; steps: string },
): Panel {
  const { palette } = canvas;
  const bars = model.distribution.map((p, count) => ({ from: count - 0.45, to: count + 0.45, p })).filter(({ p }) => p > 0);
  return canvas.panel({
    height: 142,
    marginTop: 30,
    marginBottom: 46,
    x: { label: `${steps} that all layers share`, labelArrow: 'none', domain: [-1, last + 1], ticks: wholeTicks(0, last), tickFormat: formatCount },
    y: { label: `${label}: probability`, labelArrow: 'none', ticks: 3, grid: true },
    marks: [
      Plot.rectY(bars, { x1: 'from', x2: 'to', y: 'p', fill: palette.layers[0]! }),
      Plot.ruleX([observed], { stroke: palette.hurting, strokeWidth: 2.5, strokeDasharray: '5 3' }),
      Plot.ruleY([0], { stroke: palette.text }),
    ],
  });
} // prettier-ignore

function drawNulls(canvas: Canvas, analyses: ThemeAnalyses): Figure | null {
  const shown = shownOf(analyses);
  if (shown?.shiftedCurves === undefined || shown.shiftedCurves === null) return null;
  const { palette } = canvas;
  const steps = stepsOf(analyses);
  const last = Math.max(shown.observed, ...models.map(([key]) => shown[key]!.distribution.length - 1));
  const p = models.map(([key]) => probability(shown[key]!.p)).join(', ');
  return canvas.figure({
    name: 'synchrony-by-chance',
    title: 'Synchrony, and what chance gives',
    caption:
      `How many ${steps} all layers share when layers do not wait for one another (bars), and what was found (dashed line): at least so many have the ` +
      `probabilities ${p}. The paper compares with layers shifted by one or two iterations and finds significantly more; equal shifts keep everything, so with ${analyses.synchrony!.layers.length} layers ` +
      `the first probability cannot fall below ${probability(4 / 4 ** analyses.synchrony!.layers.length)}.`,
    legend: [
      { label: 'by chance', colour: palette.layers[0]!, kind: 'area' },
      { label: `found: ${shown.observed}`, colour: palette.hurting, kind: 'line', dash: '5 3' },
    ],
    panels: models.map(([key, text]) => drawModel(canvas, shown[key]!, { observed: shown.observed, label: text, last, steps })),
  });
} // prettier-ignore

function momentsData(analyses: ThemeAnalyses): DataTable | null {
  const shown = shownOf(analyses);
  if (shown === null) return null;
  const { layers } = analyses.synchrony!;
  return {
    columns: ['part', 'layer', 'segment', 'allocation', 'all layers'],
    rows: shown.groups.flatMap(({ part, moments, synchronised }) =>
      moments.flatMap((own, l) => own.map(({ t, value }) => [part ?? 'whole', layers[l]!, t, value, Number(synchronised.includes(t))])),
    ),
  };
} // prettier-ignore

function nullsData(analyses: ThemeAnalyses): DataTable | null {
  const shown = shownOf(analyses);
  if (!shown?.shiftedCurves) return null;
  return {
    columns: ['chance', 'iterations', 'probability', 'found'],
    rows: models.flatMap(([key, text]) => shown[key]!.distribution.map((p, count) => [text, count, p, shown.observed])),
  };
} // prettier-ignore

export const synchronyDrawings: readonly ThemeDrawing[] = [
  { name: 'moments', theme: 'synchrony', data: momentsData, draw: drawMomentsFigure },
  { name: 'synchrony-by-chance', theme: 'synchrony', data: nullsData, draw: drawNulls },
];
