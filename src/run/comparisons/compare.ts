import { compareRuns, type RunsCompared } from '../../analysis/comparison/compare.js';
import { UsageError } from '../../errors.js';
import { openRun } from '../../store/open.js';
import { namesOf } from '../analyze.js';
import type { Findings } from '../figure-files.js';
import { modelFunctions } from './model-functions.js';

/** Compares runs in folders at the iterations that all of them have, from `from` on. Throws UsageError for fewer than two, and as `compareRuns`. */
export async function compareFolders(folders: readonly string[], from?: number): Promise<RunsCompared> {
  if (folders.length < 2) {
    throw new UsageError({
      given: `${folders.length} run`,
      expected: 'two runs or more',
      remedy: 'name the run to compare with first, then the others',
    });
  }
  const names = namesOf(folders);
  const runs = [];
  for (const [i, folder] of folders.entries()) {
    const run = await openRun(folder);
    runs.push({ name: names[i]!, folder, manifest: run.manifest, view: await run.view() });
  }
  return compareRuns(runs, from, await modelFunctions(runs));
}

/** A comparison as files: `compare.json`, the numbers of its figures, and these. */
export async function comparisonFindings(compared: RunsCompared): Promise<Findings> {
  const { comparisonData, drawComparison } = await import('../../figures/index.js');
  return {
    name: 'compare',
    record: compared,
    tables: comparisonData(compared),
    draw: (theme) => drawComparison(compared, theme),
  };
}
