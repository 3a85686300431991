import type { LedgerView } from '../ledger/view.js';
import { checkView } from './checks.js';
import { analyseDistribution } from './distribution.js';
import { analyseObjective, type ObjectiveAnalysis } from './objective.js';
import { type PaperRecord, paperRecord } from './paper.js';
import { type RunSummary, summarise } from './summary.js';

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
}

export interface AnalyseOptions {
  /** Name of the preset that the run comes from; decides which of the paper's numbers are set beside it. */
  readonly preset?: string;
  /** Segments that the run will have when it is complete; default those that are measured. */
  readonly iterations?: number;
  /** Called after each allocation row with the rows read so far, of `total`. */
  readonly onProgress?: (rows: number, total: number) => void;
}

async function analyseObjectives(
  view: LedgerView,
  onRow: (rows: number) => void,
): Promise<ObjectiveAnalysis[]> {
  const [main] = view.objectives;
  if (view.segments === 0 || !main) return [];
  const distribution = await analyseDistribution(view, main.name, onRow);
  return view.objectives.map(({ name }, index) =>
    analyseObjective(view, name, index === 0 ? distribution : null),
  );
}

/**
 * Runs all basic analyses of every objective; reads the first one's allocation rows once.
 *
 * @throws DataError for a ledger whose arrays do not fit together, NumericError for a NaN or an infinity in it.
 */
export async function analyseRun(view: LedgerView, options: AnalyseOptions = {}): Promise<RunAnalysis> {
  checkView(view);
  const { preset, iterations, onProgress } = options;
  const objectives = await analyseObjectives(view, (rows) => onProgress?.(rows, view.segments));
  const audits = objectives.map(({ conservation }) => conservation);
  return {
    format: 'lossledger-run-analysis',
    version: 2,
    preset: preset ?? null,
    summary: summarise(view, audits, iterations),
    iteration: [...view.iteration],
    subintervals: [...view.column('subintervals')],
    objectives,
    paper: preset === undefined ? null : paperRecord(preset),
  };
}
