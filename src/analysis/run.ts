import type { LedgerView } from '../ledger/view.js';
import type { AccuracyFinding } from './use/accuracy.js';
import { checkView } from './checks.js';
import { analyseDistribution } from './rows/distribution.js';
import { type Coverage, coverageOf, type LeftOut } from './coverage.js';
import { componentTotals } from './components.js';
import { extremeNeurons, extremeParameters, neuronTotals } from './rows/extremes.js';
import { analyseFirstLayer } from './rows/first-layer.js';
import { analyseObjective, type ObjectiveAnalysis, type RowAnalysis, withoutRows } from './objective.js';
import { parametersOnly } from './parameters-only.js';
import { partTotals } from './parts/parts.js';
import { type PaperRecord, paperRecord } from './paper.js';
import { type RunExtent, type RunSummary, summarise } from './summary.js';

/** All basic analyses of a run in one JSON-serialisable record. */
export interface RunAnalysis {
  readonly format: 'lossledger-run-analysis';
  readonly version: 2;
  readonly preset: string | null;
  readonly summary: RunSummary;
  /** Training iteration of each row of the trajectory [T+1]. */
  readonly iteration: readonly number[];
  /** [T] */
  readonly subintervals: readonly number[];
  /** In the run's order: the first is the main one. Empty before the first segment: nothing is known of any objective then. */
  readonly objectives: readonly ObjectiveAnalysis[];
  /** The paper's numbers for the same experiment; null if it has none. */
  readonly paper: PaperRecord | null;
  /** How many labels are named rightly over time, or why that is not known. */
  readonly accuracy: AccuracyFinding;
  /** What share of the run the ledger accounts for, and what it leaves out. */
  readonly coverage: Coverage;
}

export interface AnalyseOptions extends RunExtent {
  /** Name of the preset that the run comes from; decides which of the paper's numbers are set beside it. */
  readonly preset?: string;
  /** Shape of one example, such as [1, 28, 28]: where it is an image, the first layer is laid out as one. */
  readonly exampleShape?: readonly number[];
  /** What of the network and its recording is not in θ; default nothing. */
  readonly leftOut?: readonly LeftOut[];
  /** What is known of the run's accuracy, which the ledger does not hold, or will be; default: nothing. */
  readonly accuracy?: AccuracyFinding | Promise<AccuracyFinding>;
  /** Called after each allocation row with the rows read so far, of `total`. */
  readonly onProgress?: (rows: number, total: number) => void;
}

/** Reads the rows of an objective's allocations and of its neurons, once each. Memory does not grow with T. */
async function analyseRows(
  whole: LedgerView,
  name: string,
  { exampleShape = [], onProgress }: AnalyseOptions,
): Promise<RowAnalysis> {
  const view = parametersOnly(whole);
  const { layout } = view;
  const totals = new Float64Array(layout.size);
  const distribution = await analyseDistribution(view, name, (rows, row) => {
    for (let k = 0; k < totals.length; k++) totals[k]! += row[k]!;
    onProgress?.(rows, view.segments);
  });
  const neurons = await neuronTotals(view, name);
  return {
    distribution,
    parameters: distribution === null ? null : extremeParameters(layout, totals),
    neurons: neurons === null ? null : extremeNeurons(layout, neurons),
    firstLayer: distribution === null ? null : analyseFirstLayer(layout, totals, exampleShape),
    components: await componentTotals(whole, name),
    parts: await partTotals(whole, name),
  };
}

async function analyseObjectives(view: LedgerView, options: AnalyseOptions): Promise<ObjectiveAnalysis[]> {
  const [main] = view.objectives;
  if (view.segments === 0 || !main) return [];
  const rows = await analyseRows(view, main.name, options);
  return Promise.all(
    view.objectives.map(({ name }, index) => analyseObjective(view, name, index === 0 ? rows : withoutRows)),
  );
}

/**
 * Runs all basic analyses of every objective; reads the first one's allocation rows once.
 *
 * @throws DataError for a ledger whose arrays do not fit together, NumericError for a NaN or an infinity in it.
 */
export async function analyseRun(view: LedgerView, options: AnalyseOptions = {}): Promise<RunAnalysis> {
  checkView(view);
  const { preset, iterations, leftOut = [], accuracy = { missing: 'it was not computed' } } = options;
  const objectives = await analyseObjectives(view, options);
  const audits = objectives.map(({ conservation }) => conservation);
  return {
    format: 'lossledger-run-analysis',
    version: 2,
    preset: preset ?? null,
    summary: summarise(view, audits, options),
    iteration: [...view.iteration],
    subintervals: [...view.column('subintervals')],
    objectives,
    paper: preset === undefined ? null : paperRecord(preset),
    accuracy: await accuracy,
    coverage: await coverageOf(view, objectives, leftOut, (iterations ?? view.segments) === view.segments),
  };
}
