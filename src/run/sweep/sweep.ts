import { basename } from 'node:path';
import {
  analyseSweep,
  outcomeOf,
  type RunOutcome,
  type SweepAnalysis,
} from '../../analysis/comparison/sweep.js';
import { studentT } from '../../analysis/statistics/t-test.js';
import { openRun } from '../../store/open.js';
import type { Findings } from '../figure-files.js';
import { planCells, type PlannedGrid, type PlannedRun } from './cells.js';
import type { SweepFile } from './file.js';
import { findRuns, type FoundRun, performRuns, type SweepControl } from './perform.js';
import { estimateSweep, Kinds, loadOf, type SweepEstimate, type SweepLimits } from './plan.js';

/** A sweep that is about to be run. */
export interface PreparedSweep {
  readonly file: SweepFile;
  readonly out: string;
  readonly grids: readonly PlannedGrid[];
  readonly found: readonly FoundRun[];
  readonly estimate: SweepEstimate;
}

/** Reads what a sweep consists of, what of it is done, and what the rest will cost. Throws UsageError where it does not fit here. */
export async function prepareSweep(file: SweepFile, out: string, limits: SweepLimits): Promise<PreparedSweep> {
  const kinds = new Kinds();
  const grids = await planCells(file, (config) => kinds.tensors(config));
  const runs = grids.flatMap(({ cells }) => cells.flatMap((cell) => cell.runs));
  const found = await findRuns(runs, out);
  const pending = found.filter(({ done }) => !done);
  const load = await loadOf(pending, kinds, limits);
  return { file, out, grids, found, estimate: await estimateSweep(found.length, pending, kinds, load) };
} // prettier-ignore

/** Computes what is not done yet, and analyses all runs that are. Throws what stops a run other than divergence. */
export async function performSweep(sweep: PreparedSweep, control: SweepControl): Promise<SweepAnalysis> {
  const failures = await performRuns(sweep.found, sweep.out, sweep.estimate, control);
  return analysePrepared(sweep, failures);
}

async function analysePrepared(
  { file, grids, found }: PreparedSweep,
  failures: ReadonlyMap<string, string>,
): Promise<SweepAnalysis> {
  const outcomes = new Map<string, RunOutcome>();
  let [unit, objective] = ['', ''];
  for (const { digest, path } of found) {
    if (failures.has(digest)) continue;
    const view = await (await openRun(path)).view();
    outcomes.set(digest, await outcomeOf(view));
    if (outcomes.size === 1) [unit, objective] = [view.unit, view.objectives[0]!.name];
  }
  const place = new Map(found.map(({ digest, path }) => [digest, basename(path)]));
  const runOf = ({ config, digest }: PlannedRun) => ({
    seed: config.seed,
    run: place.get(digest)!,
    failure: failures.get(digest) ?? null,
    outcome: outcomes.get(digest) ?? null,
  });
  const swept = grids.map(({ axes, cells }) => ({
    axes,
    cells: cells.map(({ label, settings, runs }) => ({ label, settings, runs: runs.map(runOf) })),
  }));
  return analyseSweep(
    { name: file.name, about: file.about, baseline: file.baseline, unit, objective },
    swept,
    await studentT(),
  );
}

/** A sweep's results as files: `sweep.json`, `cells.csv`, `runs.csv`, the numbers of its figures, and these. */
export async function sweepFindings(analysis: SweepAnalysis): Promise<Findings> {
  const { drawSweep, sweepData } = await import('../../figures/index.js');
  return {
    name: 'sweep',
    record: analysis,
    tables: sweepData(analysis),
    draw: (theme) => drawSweep(analysis, theme),
  };
}
