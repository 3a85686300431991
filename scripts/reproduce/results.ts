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
  return { step, analysis: found.analysis, themes: found.themes! };
}

/** Reads and analyses everything that is done. */
export async function resultsOf(place: string): Promise<Results> {
  const runs = new Map<string, RunResult>();
  const sweeps = new Map<string, { step: Step; sweep: SweepAnalysis }>();
  const missing: Step[] = [];
  for (const step of steps) {
    const path = join(place, step.name, 'sweep.json');
    if (!(await isDone(step, place))) missing.push(step);
    else if (existsSync(path))
      sweeps.set(step.name, { step, sweep: JSON.parse(await readFile(path, 'utf8')) as SweepAnalysis }); // prettier-ignore
    else runs.set(step.name, await resultOf(step, place));
  }
  return { runs, sweeps, missing };
}
