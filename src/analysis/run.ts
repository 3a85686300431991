import type { LedgerView, MeasuredSplit } from '../ledger/types.js';
import { checkView } from './checks.js';
import { analyseDistribution } from './distribution.js';
import type { Distribution } from './distribution.js';
import { analyseLayers } from './layers.js';
import type { LayerTotal } from './layers.js';
import { analyseLoss } from './loss.js';
import type { LossAnalysis } from './loss.js';
import { paperRecord } from './paper.js';
import type { PaperRecord } from './paper.js';
import { analyseShares } from './shares.js';
import type { ShareAnalysis } from './shares.js';
import { summarise } from './summary.js';
import type { RunSummary } from './summary.js';

/** Everything that is known about one measured split over time. */
export interface SplitAnalysis {
  readonly loss: LossAnalysis;
  readonly layers: readonly LayerTotal[];
  readonly shares: ShareAnalysis;
}

/** All basic analyses of a run in one JSON-serialisable record. */
export interface RunAnalysis {
  readonly format: 'lossledger-run-analysis';
  readonly version: 1;
  readonly preset: string | null;
  readonly summary: RunSummary;
  /** Training iteration of each row of the trajectory [T+1]. */
  readonly iteration: readonly number[];
  /** [T] */
  readonly subintervals: readonly number[];
  readonly train: SplitAnalysis | null;
  readonly validation: SplitAnalysis | null;
  /** Of the training split; null where allocation rows were not kept. */
  readonly distribution: Distribution | null;
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

function analyseSplit(view: LedgerView, name: MeasuredSplit): SplitAnalysis | null {
  const loss = analyseLoss(view, name);
  const layers = analyseLayers(view, name);
  const shares = analyseShares(view, name);
  return loss && layers && shares ? { loss, layers, shares } : null;
}

/**
 * Runs all basic analyses; reads the training split's allocation rows once. Throws DataError for a ledger whose arrays do not fit
 * together and NumericError for a NaN or an infinity in it.
 */
export async function analyseRun(view: LedgerView, options: AnalyseOptions = {}): Promise<RunAnalysis> {
  checkView(view);
  const { preset, iterations, onProgress } = options;
  return {
    format: 'lossledger-run-analysis',
    version: 1,
    preset: preset ?? null,
    summary: summarise(view, iterations),
    iteration: [...view.iteration],
    subintervals: [...view.subintervals],
    train: analyseSplit(view, 'train'),
    validation: analyseSplit(view, 'validation'),
    distribution: await analyseDistribution(view, 'train', (rows) => onProgress?.(rows, view.segments)),
    paper: preset === undefined ? null : paperRecord(preset),
  };
}
