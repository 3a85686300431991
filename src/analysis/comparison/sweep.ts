import type { LedgerView } from '../../ledger/view.js';
import { componentTotals, type ComponentTotals } from '../components.js';
import { analyseLayers } from '../objective.js';
import { parametersLayout } from '../parameters-only.js';
import { analyseShares } from '../shares.js';
import { type MeanTest, type StudentT, testMean } from '../statistics/t-test.js';

/** What a sweep keeps of one run: the main objective's layers and signs, and the losses of all objectives. */
export interface RunOutcome {
  readonly layers: readonly { readonly layer: string; readonly parameters: number; readonly total: number }[];
  /** How many of these are of parameters: those of running statistics stand behind them. */
  readonly trained: number;
  /** In the loss's unit. */
  readonly losses: readonly { readonly objective: string; readonly first: number; readonly last: number }[];
  /** Share of the entries not exactly zero that helped; null where all are zero. */
  readonly helping: number | null;
  /** Null where updates were not split. */
  readonly components: ComponentTotals | null;
}

/** Reads what a sweep keeps of a run. Throws UsageError before the first segment. */
export async function outcomeOf(view: LedgerView): Promise<RunOutcome> {
  const main = view.objectives[0]!.name;
  return {
    layers: analyseLayers(view, main).map(({ layer, parameters, total }) => ({ layer, parameters, total })),
    trained: parametersLayout(view.layout).layers.length,
    losses: view.objectives.map(({ name }) => {
      const losses = view.column('loss', name);
      return { objective: name, first: losses[0]!, last: losses[view.segments]! };
    }),
    helping: analyseShares(view, main).run.shares.ofNonzero.helping,
    components: await componentTotals(view, main),
  };
}

/** A run of a sweep. */
export interface SweepRun {
  readonly seed: number;
  /** Its folder's name. */
  readonly run: string;
  /** Why it ended early, such as a training that diverged; null where it did not. */
  readonly failure: string | null;
  /** Null where it failed or is not done yet. */
  readonly outcome: RunOutcome | null;
}

/** One setting of a grid, with its runs. */
export interface SweepCell {
  readonly label: string;
  /** The value of each axis of its grid, as text. */
  readonly settings: Readonly<Record<string, string>>;
  readonly runs: readonly SweepRun[];
}

/** Cells of some axes that vary together. */
export interface SweepGrid<C = SweepCell> {
  readonly axes: readonly { readonly name: string; readonly labels: readonly string[] }[];
  readonly cells: readonly C[];
}

/** A number over the seeds of a cell, and less that of the baseline seed by seed (null: there are no such pairs). */
export interface SweptNumber {
  readonly values: readonly number[];
  readonly test: MeanTest;
  readonly less: MeanTest | null;
}

/** What the runs of a cell have in common; null where none is done. */
export interface CellSummary extends SweepCell {
  readonly summary: {
    readonly layers: readonly ({ readonly layer: string } & SweptNumber)[];
    /** How many of these are of parameters: those of running statistics stand behind them. */
    readonly trained: number;
    /** Of the last row of θ. */
    readonly losses: readonly ({ readonly objective: string } & SweptNumber)[];
    /** Null where a run has no entries that are not zero. */
    readonly helping: SweptNumber | null;
    /** Means over seeds of what each component of the updates did by layer [layers]; null where updates were not split. */
    readonly components: readonly { readonly name: string; readonly layers: readonly number[] }[] | null;
  } | null;
}

/** A sweep's results. */
export interface SweepAnalysis {
  readonly format: 'lossledger-sweep';
  readonly version: 1;
  readonly name: string;
  readonly about: string | null;
  readonly unit: string;
  /** The main objective: layers and shares are of it. */
  readonly objective: string;
  /** The cell that the others are compared with. */
  readonly baseline: string;
  readonly grids: readonly SweepGrid<CellSummary>[];
}

type Done = SweepRun & { readonly outcome: RunOutcome };

const doneOf = ({ runs }: SweepCell): Done[] => runs.filter((run): run is Done => run.outcome !== null);

/** Tests a number of a cell's runs against zero, and less that of the baseline's run with the same seed, where that has one (else null). */
function swept(
  cell: readonly Done[],
  baseline: readonly Done[] | null,
  read: (outcome: RunOutcome) => number | null,
  student: StudentT,
): SweptNumber {
  const values = cell.map(({ outcome }) => read(outcome)!);
  const pairs = cell.flatMap(({ seed, outcome }) => {
    const other = baseline?.find((own) => own.seed === seed);
    const from = other === undefined ? null : read(other.outcome);
    return from === null ? [] : [read(outcome)! - from];
  });
  return {
    values,
    test: testMean(values, student),
    less: pairs.length > 0 ? testMean(pairs, student) : null,
  };
}

/** Mean over runs of each component's totals by layer. */
function meanComponents(runs: readonly Done[]): NonNullable<CellSummary['summary']>['components'] {
  const all = runs.map(({ outcome }) => outcome.components);
  const first = all[0];
  if (!first || all.includes(null)) return null;
  return first.components.map(({ name, layers }, c) => ({
    name,
    layers: layers.map((_, l) => all.reduce((sum, own) => sum + own!.components[c]!.layers[l]!, 0) / all.length),
  }));
} // prettier-ignore

function summarise(cell: SweepCell, baseline: SweepCell, student: StudentT): CellSummary {
  const runs = doneOf(cell);
  const [first] = runs;
  if (first === undefined) return { ...cell, summary: null };
  // Layers of another network are not those of the baseline.
  const alike = ({ outcome }: Done): string => outcome.layers.map(({ layer, parameters }) => `${layer} ${parameters}`).join(); // prettier-ignore
  const others = cell === baseline ? null : doneOf(baseline).filter((own) => alike(own) === alike(first));
  const of = (read: (outcome: RunOutcome) => number | null): SweptNumber =>
    swept(runs, others, read, student);
  const hasShares = [...runs, ...(others ?? [])].every(({ outcome }) => outcome.helping !== null);
  return {
    ...cell,
    summary: {
      layers: first.outcome.layers.map(({ layer }, l) => ({
        layer,
        ...of(({ layers }) => layers[l]!.total),
      })),
      trained: first.outcome.trained,
      losses: first.outcome.losses.map(({ objective }) => ({
        objective,
        ...of(({ losses }) => losses.find((own) => own.objective === objective)?.last ?? null),
      })),
      helping: hasShares ? of(({ helping }) => helping!) : null,
      components: meanComponents(runs),
    },
  };
}

/** Means, intervals and tests over the seeds of each cell, and differences from the baseline (null: the first cell), seed by seed. */
export function analyseSweep(
  facts: Pick<SweepAnalysis, 'name' | 'about' | 'unit' | 'objective'> & { readonly baseline: string | null },
  grids: readonly SweepGrid[],
  student: StudentT,
): SweepAnalysis {
  const cells = grids.flatMap((grid) => grid.cells);
  const baseline = cells.find(({ label }) => label === facts.baseline) ?? cells[0]!;
  return {
    format: 'lossledger-sweep',
    version: 1,
    ...facts,
    baseline: baseline.label,
    grids: grids.map(({ axes, cells }) => ({
      axes,
      cells: cells.map((cell) => summarise(cell, baseline, student)),
    })),
  };
}
