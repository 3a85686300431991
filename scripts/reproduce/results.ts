import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import type { ThemeAnalyses } from '../../src/analysis/index.js';
import type { RunAnalysis } from '../../src/analysis/run.js';
import type { SweepAnalysis } from '../../src/analysis/comparison/sweep.js';
import { analyseAll } from '../../src/run/report.js';
import { openRun } from '../../src/store/open.js';
import { isDone, remembered } from './perform.js';
import { type Step, steps } from './plan.js';

/** What is known of a finished run. */
export interface RunResult {
  readonly step: Step;
  /** Where it is still being measured, `FIRST of ALL iterations`; null where it is done. */
  readonly progress: string | null;
  readonly analysis: RunAnalysis;
  readonly themes: ThemeAnalyses;
}

/** What is known of all steps; those that are not done are missing. */
export interface Results {
  readonly runs: ReadonlyMap<string, RunResult>;
  readonly sweeps: ReadonlyMap<string, { readonly step: Step; readonly sweep: SweepAnalysis }>;
  readonly missing: readonly Step[];
}

/** Analyses a finished run, once: what was found is kept beside the runs. */
export async function resultOf(step: Step, place: string): Promise<RunResult> {
  const found = await remembered(place, `${step.name}.analyses`, async () => {
    process.stderr.write(`analyse ${step.name}\n`);
    return analyseAll(await openRun(join(place, step.name)));
  });
  return { step, progress: null, analysis: found.analysis, themes: found.themes! };
}

/** Analyses what there is of a run that is being measured; null where that is less than half. */
async function partialResult(step: Step, place: string): Promise<RunResult | null> {
  const folder = join(place, step.name);
  if (step.args[0] !== 'run' || !existsSync(join(folder, 'manifest.json'))) return null;
  const run = await openRun(folder);
  const { segments, iterations } = run.status;
  if (segments < iterations / 2) return null;
  process.stderr.write(`analyse ${segments} of ${iterations} segments of ${step.name}\n`);
  const { analysis, themes } = await analyseAll(run);
  return {
    step,
    progress: `${analysis.summary.segments} of ${iterations} iterations`,
    analysis,
    themes: themes!,
  };
}

/** Reads and analyses everything that is done. */
export async function resultsOf(place: string): Promise<Results> {
  const runs = new Map<string, RunResult>();
  const sweeps = new Map<string, { step: Step; sweep: SweepAnalysis }>();
  const missing: Step[] = [];
  for (const step of steps) {
    const path = join(place, step.name, 'sweep.json');
    if (!(await isDone(step, place))) {
      missing.push(step);
      const partial = await partialResult(step, place);
      if (partial !== null) runs.set(step.name, partial);
    } else if (existsSync(path))
      sweeps.set(step.name, { step, sweep: JSON.parse(await readFile(path, 'utf8')) as SweepAnalysis }); // prettier-ignore
    else runs.set(step.name, await resultOf(step, place));
  }
  return { runs, sweeps, missing };
}
