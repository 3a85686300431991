import { UsageError } from '../../errors.js';
import type { Manifest } from '../../format/manifest.js';
import type { LedgerView } from '../../ledger/view.js';
import { sum } from '../../num/sums.js';
import { requireSegments } from '../checks.js';
import { parametersLayout } from '../parameters-only.js';
import { type Comparability, comparabilityOf } from './comparable.js';

/** A run that is compared. */
export interface ComparedRun {
  readonly name: string;
  readonly manifest: Manifest;
  readonly view: LedgerView;
}

/** One objective of all runs at the steps that they share; arrays by run are in the runs' order. */
export interface ObjectiveCompared {
  readonly name: string;
  /** In the loss's unit [runs][steps]. */
  readonly losses: readonly (readonly number[])[];
  /** Of each layer, Σ of its allocations from the first to the last of the steps [runs]; null where layers cannot be compared. */
  readonly layers: readonly { readonly layer: string; readonly totals: readonly number[] }[] | null;
  /** Share of the entries not zero that helped between the first and the last of the steps [runs]; null where there are none. */
  readonly helping: readonly (number | null)[];
  /** First of the steps at which the loss is another than that of the first run [runs]; null where there is none. */
  readonly parting: readonly (number | null)[];
}

/** Runs side by side at the training iterations that all of them have. */
export interface RunsCompared {
  readonly format: 'lossledger-comparison';
  readonly version: 1;
  readonly runs: readonly string[];
  /** Of the first run. */
  readonly unit: string;
  readonly comparability: Comparability;
  /** Training iterations that all runs have a row of θ of, ascending. */
  readonly steps: readonly number[];
  /** Those that can be compared, in the order of the first run. */
  readonly objectives: readonly ObjectiveCompared[];
}

/** Iterations that all runs have, from `from` on. Throws UsageError where there are fewer than two. */
function commonSteps(runs: readonly ComparedRun[], from: number): number[] {
  const [first, ...others] = runs.map(({ view }) => new Set(view.iteration));
  const steps = [...first!].filter((step) => step >= from && others.every((own) => own.has(step)));
  if (steps.length > 1) return steps;
  const ranges = runs.map(({ name, view }) => `${name} ${view.iteration[0]!} to ${view.iteration.at(-1)!} (${view.iteration.length} rows)`); // prettier-ignore
  throw new UsageError({
    given: `runs of the iterations ${ranges.join(', ')}`,
    expected: `at least two iterations that all runs have${from > 0 ? ` from ${from} on` : ''}`,
    remedy: 'compare runs that were recorded at the same iterations',
  });
}

/** Rows of θ of a run at some of its iterations [steps]. */
function rowsAt(view: LedgerView, steps: readonly number[]): number[] {
  const rowOf = new Map([...view.iteration].map((step, row) => [step, row]));
  return steps.map((step) => rowOf.get(step)!);
}

/** Sums of the columns of [T, width] over the segments from one row of θ to another. */
function columnSums(cells: ArrayLike<number>, width: number, from: number, to: number): number[] {
  return Array.from({ length: width }, (_, k) =>
    sum(Float64Array.from({ length: to - from }, (__, t) => cells[(from + t) * width + k]!)),
  );
}

/** Share of the parameters' entries not zero that helped; null where all are zero. Running statistics, which have layers of their own, are none. */
function helpingOf(view: LedgerView, objective: string, from: number, to: number): number | null {
  const width = view.layout.layers.length;
  const used = parametersLayout(view.layout).layers.length;
  const count = (name: 'helping' | 'hurting') =>
    sum(columnSums(view.column(name, objective), width, from, to).slice(0, used));
  const [helping, hurting] = [count('helping'), count('hurting')];
  return helping + hurting > 0 ? helping / (helping + hurting) : null;
}

function compareObjective(
  runs: readonly ComparedRun[],
  name: string,
  steps: readonly number[],
  hasLayers: boolean,
): ObjectiveCompared {
  const placed = runs.map(({ view }) => ({ view, rows: rowsAt(view, steps) }));
  const losses = placed.map(({ view, rows }) => rows.map((row) => view.column('loss', name)[row]!));
  const totals = placed.map(({ view, rows }) =>
    columnSums(view.column('layer_sums', name), view.layout.layers.length, rows[0]!, rows.at(-1)!),
  );
  return {
    name,
    losses,
    layers: hasLayers
      ? runs[0]!.view.layout.layers.map((layer, l) => ({ layer, totals: totals.map((own) => own[l]!) }))
      : null,
    helping: placed.map(({ view, rows }) => helpingOf(view, name, rows[0]!, rows.at(-1)!)),
    parting: losses.map((own) => steps.find((_, s) => own[s] !== losses[0]![s]) ?? null),
  };
}

/**
 * Sets runs side by side at the iterations that all of them have, from `from` on; the first is what the others are compared with. `functions`:
 * as of `comparabilityOf`.
 *
 * @throws UsageError before the first segment of a run, or where runs share no two iterations.
 */
export function compareRuns(
  runs: readonly ComparedRun[],
  from = 0,
  functions?: readonly string[],
): RunsCompared {
  for (const { view } of runs) requireSegments(view);
  const manifests = runs.map(({ manifest }) => manifest);
  const comparability = comparabilityOf(manifests, functions);
  const steps = commonSteps(runs, from);
  const { unit } = runs[0]!.view;
  const comparable = comparability.objectives.filter(({ obstacles }) => obstacles.length === 0);
  return {
    format: 'lossledger-comparison',
    version: 1,
    runs: runs.map(({ name }) => name),
    unit,
    comparability,
    steps,
    objectives: comparable.map(({ name }) =>
      compareObjective(runs, name, steps, comparability.layers.length === 0),
    ),
  };
}
