import { basename, join, resolve } from 'node:path';
import { beyondRepeats, comparabilityOf, type RunDifference } from '../analysis/comparison/comparable.js';
import type { LayersOverRuns } from '../analysis/layers/layers.js';
import { type ThemeName, themeNames } from '../analysis/themes/names.js';
import type { RunExtent } from '../analysis/summary.js';
import type { ThemeAnalyses, ThemeOptions } from '../analysis/themes/themes.js';
import { UsageError } from '../errors.js';
import { withProgress, type ProgressSink } from '../experiment/control.js';
import type { Manifest } from '../format/manifest.js';
import type { LedgerView } from '../ledger/view.js';
import { writeResult } from '../store/place.js';
import type { RunFolder } from '../store/folder.js';
import { openRun } from '../store/open.js';
import { modelFunctions } from './comparisons/model-functions.js';
import { writeFindings } from './figure-files.js';

/** A run's themes, under a name that tells it from the others. */
export interface AnalysedRun {
  readonly run: string;
  readonly analyses: ThemeAnalyses;
}

/** What `lca analyze` found. */
export interface AnalysedRuns {
  readonly runs: readonly AnalysedRun[];
  /** Null for one run, and where layers were not asked for. */
  readonly layersOverRuns: LayersOverRuns | null;
}

/** How much there is of a run, of which a view was read. */
export function extentOf({ status }: RunFolder, { segments }: LedgerView): RunExtent {
  return { iterations: status.iterations, apart: status.segments - segments };
}

/** Analyses the themes of one run; default all. Throws UsageError where nothing was measured. */
export async function analyseThemesOf(
  run: RunFolder,
  options: Pick<ThemeOptions, 'only' | 'onProgress'> = {},
): Promise<ThemeAnalyses> {
  const { analyseThemes } = await import('../analysis/themes/themes.js');
  const view = await run.view();
  // θ may reach further than the segments that are measured.
  const theta =
    view.segments > 0 ? { theta: run.array('theta', { from: 0, to: view.segments + 1 }).rows } : {};
  return analyseThemes(view, {
    ...options,
    ...theta,
    ...extentOf(run, view),
    exampleShape: run.manifest.definition.exampleShape ?? [],
  });
}

/** Names of run folders: their last part, and the whole path where that is not theirs alone. */
export function namesOf(folders: readonly string[]): string[] {
  const short = folders.map((folder) => basename(resolve(folder)));
  return short.map((name, i) => (short.filter((other) => other === name).length > 1 ? folders[i]! : name));
}

/**
 * Analyses several runs, and their layers together. Throws UsageError where their losses are not of the same kind and data, or runs do not
 * have the same layers, objective and iterations.
 */
export async function analyzeRuns(
  folders: readonly string[],
  progress: (run: string) => ProgressSink,
  only?: readonly ThemeName[],
): Promise<AnalysedRuns> {
  const names = namesOf(folders);
  const opened = await Promise.all(folders.map((folder) => openRun(folder)));
  const isTogether = only === undefined || only.includes('layers');
  const stored = opened.map(({ manifest }, i) => ({ folder: folders[i]!, manifest }));
  const settings = isTogether ? await settingsOf(names, stored) : [];
  const runs: AnalysedRun[] = [];
  for (const [i, run] of opened.entries()) {
    const bar = progress(names[i]!);
    const analyses = await withProgress(bar, { total: 100 }, async () =>
      analyseThemesOf(run, {
        ...(only === undefined ? {} : { only }),
        onProgress: (rows, total) => {
          bar.update(Math.floor((100 * rows) / total));
        },
      }),
    );
    runs.push({ run: names[i]!, analyses });
  }
  return { runs, layersOverRuns: await overRuns(runs, settings) };
}

/** Settings by which runs are no repeats of one another. Throws UsageError where the losses that are analysed cannot be compared. */
async function settingsOf(
  names: readonly string[],
  stored: readonly { readonly folder: string; readonly manifest: Manifest }[],
): Promise<RunDifference[]> {
  const manifests = stored.map(({ manifest }) => manifest);
  const comparability = comparabilityOf(manifests, await modelFunctions(stored));
  const analysed = manifests[0]?.objectives[0]?.name;
  const obstacles = comparability.objectives.find(({ name }) => name === analysed)?.obstacles ?? [];
  if (obstacles.length === 0) return beyondRepeats(comparability);
  const told = obstacles.map(({ about, values, why }) => `${about} ${values.join(' | ')}: ${why}`);
  throw new UsageError({
    given: `${names.join(', ')}, whose losses of ${analysed!} cannot be compared (${told.join('; ')})`,
    expected: 'runs of one loss of the same data',
    remedy: 'analyse them apart; lca compare says all in which they differ',
  });
}

async function overRuns(
  runs: readonly AnalysedRun[],
  settings: readonly RunDifference[],
): Promise<LayersOverRuns | null> {
  const named = runs.flatMap(({ run, analyses }) =>
    analyses.layers ? [{ run, objective: analyses.objective, unit: analyses.unit, ...analyses.layers }] : [],
  );
  if (runs.length < 2 || named.length < runs.length) return null;
  const { layersOverRuns } = await import('../analysis/layers/layers.js');
  const { studentT } = await import('../analysis/statistics/t-test.js');
  return layersOverRuns(named, await studentT(), settings);
}

/** A run's files have a folder of their own where there are several: its number and the last part of its name. */
const placeOf = ({ run }: AnalysedRun, index: number, count: number): string =>
  count === 1 ? '' : `${index + 1}-${basename(run).replace(/[^\w.-]+/g, '_')}/`;

/**
 * Writes records as `THEME.json` and the numbers of figures as `FIGURE.csv`; of several runs in a folder for each, and what they have
 * together beside these. Returns the paths.
 */
export async function writeAnalyses(
  { runs, layersOverRuns }: AnalysedRuns,
  folder: string,
): Promise<string[]> {
  const { csvText, drawLayersOverRuns, layersOverRunsData, themeData } = await import('../figures/index.js');
  const paths: string[] = [];
  const write = async (name: string, content: string): Promise<void> => {
    await writeResult(folder, name, content);
    paths.push(join(folder, name));
  };
  for (const [index, own] of runs.entries()) {
    const place = placeOf(own, index, runs.length);
    const isTheme = ([name]: readonly [string, unknown]): boolean =>
      (themeNames as readonly string[]).includes(name);
    const entries = Object.entries<unknown>({ ...own.analyses });
    const facts = { ...Object.fromEntries(entries.filter((entry) => !isTheme(entry))), run: own.run };
    for (const [name, record] of entries.filter(isTheme)) {
      await write(`${place}${name}.json`, `${JSON.stringify({ ...facts, [name]: record })}\n`);
    }
    for (const { name, table } of themeData(own.analyses)) await write(`${place}${name}.csv`, csvText(table));
  }
  if (layersOverRuns === null) return paths;
  const { unit } = runs[0]!.analyses;
  const together = await writeFindings(
    {
      name: 'layers-over-runs',
      record: layersOverRuns,
      tables: [{ name: 'layers-over-runs', table: layersOverRunsData(layersOverRuns) }],
      draw: (theme) => [drawLayersOverRuns(layersOverRuns, unit, theme)],
    },
    folder,
  );
  return [...paths, ...together.paths];
}
