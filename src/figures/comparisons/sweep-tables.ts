import type { CellSummary, SweepAnalysis, SweptNumber } from '../../analysis/comparison/sweep.js';
import { formatNumber, formatShare } from '../format.js';
import type { DataTable } from '../themes/drawing.js';
import type { ReadTable } from '../themes/tables/table.js';

type Cell = string | number | null;

/** One number of each cell: what it is, of what (a layer, an objective), and itself. */
function numbersOf({ summary }: CellSummary): [string, string, SweptNumber][] {
  if (summary === null) return [];
  return [
    ...summary.layers.map((own): [string, string, SweptNumber] => ['layer total', own.layer, own]),
    ...summary.losses.map((own): [string, string, SweptNumber] => ['last loss', own.objective, own]),
    ...(summary.helping === null ? [] : [['share helping', 'all', summary.helping] as [string, string, SweptNumber]]), // prettier-ignore
  ];
}

const testCells = ({ test, less }: SweptNumber): Cell[] =>
  [test, less].flatMap((own) => [
    own?.mean ?? null, own?.interval?.[0] ?? null, own?.interval?.[1] ?? null, own?.statistic ?? null, own?.p ?? null,
  ]); // prettier-ignore

const distinct = ({ grids }: SweepAnalysis): CellSummary[] => grids.flatMap(({ cells }) => cells);

/** `cells.csv`: every number of every cell with its tests. */
function cellsData(analysis: SweepAnalysis): DataTable {
  const names = ['mean', 'low', 'high', 't', 'p'];
  return {
    columns: ['cell', 'number', 'of', 'runs', ...names, ...names.map((name) => `${name} less baseline`)],
    rows: distinct(analysis).flatMap((cell) =>
      numbersOf(cell).map(([number, of, own]) => [cell.label, number, of, own.values.length, ...testCells(own)]),
    ),
  };
} // prettier-ignore

/** `runs.csv`: every number of every run, and what failed. */
function runsData(analysis: SweepAnalysis): DataTable {
  return {
    columns: ['cell', 'seed', 'run', 'number', 'of', 'value'],
    rows: distinct(analysis).flatMap(({ label, runs }) =>
      runs.flatMap(({ seed, run, failure, outcome }): Cell[][] => [
        ...(failure === null ? [] : [[label, seed, run, 'failed', failure, null]]),
        ...(outcome?.layers ?? []).map(({ layer, total }) => [label, seed, run, 'layer total', layer, total]),
        ...(outcome?.losses ?? []).flatMap(({ objective, first, last }) => [
          [label, seed, run, 'first loss', objective, first],
          [label, seed, run, 'last loss', objective, last],
        ]),
        ...(outcome === null ? [] : [[label, seed, run, 'share helping', 'all', outcome.helping]]),
      ]),
    ),
  };
}

/** The numbers of a sweep: of its cells, which its figures show, and of its runs. */
export const sweepData = (
  analysis: SweepAnalysis,
): { readonly name: string; readonly table: DataTable }[] => [
  { name: 'cells', table: cellsData(analysis) },
  { name: 'runs', table: runsData(analysis) },
];

/** A mean with half its 95 % interval, and `*` where p < 0.05. */
function meanText(own: SweptNumber | null | undefined, format: (value: number) => string): string {
  if (!own) return '–';
  const { mean, interval } = own.test;
  return interval === null ? format(mean) : `${format(mean)} ± ${format((interval[1] - interval[0]) / 2)}`;
}

/** What separates a number from the baseline's, with its p. */
function lessText({ less }: SweptNumber, format: (value: number) => string): string {
  if (less === null) return '';
  return less.p === null ? format(less.mean) : `${format(less.mean)} (p ${formatNumber(less.p, 2)})`;
}

/** What a cell is called in a table or figure of its grid, whose heading names the axis where there is one alone. */
export const shortLabel = ({ label, settings }: Pick<CellSummary, 'label' | 'settings'>): string => {
  const values = Object.values(settings);
  return values.length === 1 ? values[0]! : label;
};

const short = (value: number): string => formatNumber(value, 3);

/** Losses and shares of the cells of each grid, then layers; each less the baseline. */
export function sweepTables({ name, about, grids, unit, objective, baseline }: SweepAnalysis): ReadTable[] {
  return grids.flatMap(({ axes, cells }) => {
    const by = axes.map((axis) => axis.name).join(', ');
    const done = cells.filter((cell) => cell.summary !== null);
    // Cells may have measured other sets beside the first.
    const objectives = [...new Set(done.flatMap(({ summary }) => summary!.losses.map((own) => own.objective)))];
    const lossTexts = ({ summary }: CellSummary, name: string): string[] => {
      const own = summary?.losses.find(({ objective: other }) => other === name);
      return own === undefined ? ['–', ''] : [meanText(own, short), lessText(own, short)];
    };
    const failed = cells.flatMap(({ label, runs }) =>
      runs.flatMap(({ seed, failure }) => (failure === null ? [] : [`${label}, seed ${seed}: ${failure}`])),
    );
    const layers = done[0]?.summary?.layers.map((own) => own.layer) ?? [];
    return [
      {
        title: `${name}: losses at the end and shares, by ${by}`,
        head: ['', 'runs', ...objectives.flatMap((own) => [`${own} (${unit})`, 'less']), 'helping'],
        rows: cells.map((cell) => [
          shortLabel(cell),
          `${cell.runs.filter(({ outcome }) => outcome !== null).length}/${cell.runs.length}`,
          ...objectives.flatMap((own) => lossTexts(cell, own)),
          meanText(cell.summary?.helping, formatShare),
        ]),
        note:
          `${about === null ? '' : `${about} `}Means over seeds ± half the 95 % interval. less: mean difference from ${baseline} over runs of the same seed, with Student's p (two-sided, paired). ` +
          `helping: of the entries of ${objective} not exactly zero.${failed.length > 0 ? ` Ended early: ${failed.join('; ')}.` : ''}`,
      },
      ...(done.length === 0
        ? []
        : [{
            title: `${name}: totals of layers on ${objective} (${unit}), by ${by}`,
            head: ['', 'layer', 'mean', '95 %', 'p', 'less'],
            rows: done.flatMap((cell) => cell.summary!.layers.map((own) => [
              shortLabel(cell),
              own.layer,
              formatNumber(own.test.mean),
              own.test.interval === null ? '–' : `± ${short((own.test.interval[1] - own.test.interval[0]) / 2)}`,
              own.test.p === null ? '–' : formatNumber(own.test.p, 2),
              lessText(own, short),
            ])),
            note: `Below zero helped. p: Student's test of the mean against zero, two-sided, not corrected for the ${layers.length} layers. less: as above.`,
          }]),
      ...componentTables(name, baseline, done, unit),
    ];
  });
} // prettier-ignore

/** What this step's and older gradients did in the baseline, or the first cell that split its updates: the direct answer to delays. */
function componentTables(
  name: string,
  baseline: string,
  cells: readonly CellSummary[],
  unit: string,
): ReadTable[] {
  const split = cells.filter(({ summary }) => summary!.components !== null);
  const cell = split.find(({ label }) => label === baseline) ?? split[0];
  if (cell === undefined) return [];
  const { layers, trained, components } = cell.summary!;
  const ends = trained === 1 ? [0] : [0, trained - 1];
  return [
    {
      title: `${name}: by the age of gradients, ${cell.label}`,
      head: ['component', ...ends.map((l) => layers[l]!.layer), 'all layers'],
      rows: components!.map((own) => [
        own.name,
        ...ends.map((l) => formatNumber(own.layers[l]!)),
        formatNumber(own.layers.reduce((sum, value) => sum + value, 0)),
      ]),
      note: `Means over seeds of what each component of the updates did, in ${unit}, in the first and last layer and in all: momentum/4-7 is what gradients of four to seven steps before did. Gradients that hurt when they are old, and helped when they were new, are the delay that the last layer suffers from.`,
    },
  ];
}
