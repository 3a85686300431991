import type { CellSummary, SweepAnalysis, SweepGrid, SweptNumber } from '../../analysis/comparison/sweep.js';
import { createCanvas, type Canvas, type Figure } from '../plots/canvas.js';
import type { Theme } from '../theme.js';
import { axisFigure, type SettingPoint } from './axis-figure.js';
import { layerDotsFigure } from './layer-dots.js';
import { shortLabel } from './sweep-tables.js';
import { seriesLimit } from './series.js';

type Grid = SweepGrid<CellSummary>;

/** Cells of a grid that differ in its first axis alone, in the order of that axis. */
interface Slice {
  /** The other axes' values; empty: there are none. */
  readonly label: string;
  readonly cells: readonly (CellSummary | null)[];
}

/** A grid as one axis, and a slice for each combination of the others. */
function slicesOf({ axes: [first, ...others], cells }: Grid): Slice[] {
  const labelOf = ({ settings }: CellSummary): string => others.map(({ name }) => `${name} ${settings[name]!}`).join(', '); // prettier-ignore
  const labels = [...new Set(cells.map(labelOf))];
  return labels.map((label) => ({
    label,
    cells: first!.labels.map((value) => cells.find((cell) => cell.settings[first!.name] === value && labelOf(cell) === label) ?? null), // prettier-ignore
  }));
}

const pointOf = (number: SweptNumber | null | undefined): SettingPoint | null =>
  number ? { mean: number.test.mean, interval: number.test.interval, singles: number.values } : null;

/** The axis's values as numbers where all of them are. */
function valuesOf(labels: readonly string[]): readonly number[] | readonly string[] {
  const numbers = labels.map(Number);
  return labels.every((label, i) => label.trim() !== '' && Number.isFinite(numbers[i]!)) ? numbers : labels;
}

/** `layers-learning-rate`, fit for a file. */
const nameOf = (what: string, grid: Grid): string =>
  `${what}-${grid.axes.map(({ name }) => name).join('-')}`.replace(/[^\w-]+/g, '-');

const over = ({ axes }: Grid): string => axes.map(({ name }) => name).join(' and ');

const seedsOf = ({ cells }: Grid): string => {
  const counts = [...new Set(cells.map(({ runs }) => runs.filter(({ outcome }) => outcome !== null).length))];
  return `${counts.length === 1 ? counts[0]! : `${Math.min(...counts)} to ${Math.max(...counts)}`} runs each`;
};

/** Indices of the layers whose mean totals change most over the cells, the last one that is trained among them, in order. */
function movedLayers(cells: readonly CellSummary[]): number[] {
  const means = (l: number): number[] => cells.map(({ summary }) => summary!.layers[l]!.test.mean);
  const ranges = cells[0]!.summary!.layers.map((_, l) => Math.max(...means(l)) - Math.min(...means(l)));
  const order = [...ranges.keys()].sort((a, b) => ranges[b]! - ranges[a]!);
  const last = cells[0]!.summary!.trained - 1;
  return [last, ...order.filter((l) => l !== last)].slice(0, seriesLimit).sort((a, b) => a - b);
}

/** Each layer's total over a numeric setting (paper Figure 5), or by name of the setting (Figures 4, S13, S14). */
function layersFigure(canvas: Canvas, { unit, objective }: SweepAnalysis, grid: Grid): Figure[] {
  const [slice, ...others] = slicesOf(grid);
  const [axis] = grid.axes;
  const done = grid.cells.filter((cell) => cell.summary !== null);
  const layers = done[0]?.summary?.layers.map(({ layer }) => layer) ?? [];
  const alike = done.filter(({ summary }) => summary!.layers.map(({ layer }) => layer).join() === layers.join()); // prettier-ignore
  if (layers.length === 0) return [];
  const at = valuesOf(axis!.labels);
  if (others.length === 0 && typeof at[0] === 'number') {
    const shown = movedLayers(alike);
    return [
      axisFigure(canvas, {
        name: nameOf('layers', grid),
        title: `What layers did, by ${over(grid)}`,
        caption: `Mean total of each layer's allocations on ${objective} (${seedsOf(grid)}; lines: the 95 % interval of the mean, small dots: single runs); below zero helped. In the paper the last layer's total falls nearly linearly as its momentum delay falls from 9 to 0, and its neighbours come to hurt (its Figure 5).${shown.length < layers.length ? ` Shown: the ${shown.length} layers, the last among them, whose totals change most; cells.csv has all.` : ''}`,
        setting: axis!.name,
        at,
        measure: 'Σ allocations',
        unit,
        zero: true,
        series: shown.map((l) => ({ label: layers[l]!, points: slice!.cells.map((cell) => pointOf(cell?.summary?.layers[l])) })),
      }),
    ];
  }
  return [
    layerDotsFigure(canvas, {
      name: nameOf('layers', grid),
      title: `What layers did, by ${over(grid)}`,
      caption: `Mean total of each layer's allocations on ${objective} (${seedsOf(grid)}; lines: the 95 % interval of the mean); symbols to the left of zero helped. The paper finds for ResNet with SGD that freezing the last layer, or ten times smaller steps of it, lowers the loss more than the others lose by it (its Figure 4).`,
      unit,
      layers,
      series: alike.map((cell) => ({ label: shortLabel(cell), values: cell.summary!.layers.map(({ test }) => ({ mean: test.mean, interval: test.interval })) })),
    }),
  ];
} // prettier-ignore

/** Losses at the end, by objective or by slice. */
function lossFigure(canvas: Canvas, { unit, baseline }: SweepAnalysis, grid: Grid): Figure {
  const slices = slicesOf(grid);
  const objectives = [...new Set(grid.cells.flatMap(({ summary }) => summary?.losses.map((own) => own.objective) ?? []))]; // prettier-ignore
  const series = slices.flatMap(({ label, cells }) =>
    (slices.length === 1 ? objectives : objectives.slice(0, 1)).map((objective) => ({
      label: slices.length === 1 ? objective : label,
      points: cells.map((cell) => pointOf(cell?.summary?.losses.find((own) => own.objective === objective))),
    })),
  );
  return axisFigure(canvas, {
    name: nameOf('loss', grid),
    title: `Loss at the end, by ${over(grid)}`,
    caption: `Mean loss at the last row of θ (${seedsOf(grid)}; lines: the 95 % interval of the mean, small dots: single runs). Differences from ${baseline}, seed by seed, with their tests are in the table, since runs of one seed share initial weights and mini-batches.`,
    setting: grid.axes[0]!.name,
    at: valuesOf(grid.axes[0]!.labels),
    measure: slices.length === 1 ? 'loss' : `${objectives[0] ?? ''} loss`,
    unit,
    series,
  });
}

/** Share of entries that help (paper Figure S9). */
function helpingFigure(canvas: Canvas, { objective }: SweepAnalysis, grid: Grid): Figure {
  return axisFigure(canvas, {
    name: nameOf('helping', grid),
    title: `Share helping, by ${over(grid)}`,
    caption: `Share of the allocations on ${objective} not exactly zero that helped, over all parameters and iterations (${seedsOf(grid)}; lines: the 95 % interval of the mean, small dots: single runs). The paper finds 50.3 % to 51.6 % for ResNet with SGD wherever it trains well (its Figure S9).`,
    setting: grid.axes[0]!.name,
    at: valuesOf(grid.axes[0]!.labels),
    measure: 'share helping',
    unit: null,
    series: slicesOf(grid).map(({ label, cells }) => ({ label, points: cells.map((cell) => pointOf(cell?.summary?.helping)) })), // prettier-ignore
  });
}

/** Figures of a sweep: for each of its grids layers, losses and shares. */
export function drawSweep(analysis: SweepAnalysis, theme: Theme = 'light'): Figure[] {
  const canvas = createCanvas(theme);
  return analysis.grids
    .filter(({ cells }) => cells.some(({ summary }) => summary !== null))
    .flatMap((grid) => [
      ...layersFigure(canvas, analysis, grid),
      lossFigure(canvas, analysis, grid),
      helpingFigure(canvas, analysis, grid),
    ]);
}
