import { basename, dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type AnalyseOptions, analyseRun, type RunAnalysis } from '../analysis/run.js';
import type { ThemeAnalyses } from '../analysis/themes/themes.js';
import type { Manifest } from '../format/manifest.js';
import type { RunFolder } from '../store/folder.js';
import { refuseRunFile, storeResult, writeResult } from '../store/place.js';
import { isRemote } from '../store/s3/remote-run.js';
import { configKeys } from '../experiment/config/schema.js';
import { checkConfig, presetConfig } from '../experiment/config/file.js';
import { silent, withProgress, type ProgressSink } from '../experiment/control.js';
import { storedAccuracy } from './accuracy.js';
import { analyseThemesOf, extentOf } from './analyze.js';
import { factsOf, frozenLayersOf, heldConstantOf, mixedFacts } from './facts.js';

export interface Report {
  readonly analysis: RunAnalysis;
  /** The HTML page. */
  readonly path: string;
}

/** The basic analyses of a run, beside the paper's numbers where it is one of its experiments. */
export async function analysisOf(
  run: RunFolder,
  { onProgress, accuracy }: Pick<AnalyseOptions, 'onProgress' | 'accuracy'> = {},
): Promise<RunAnalysis> {
  const preset = unchangedPreset(run.manifest);
  const view = await run.view();
  const found = accuracy ?? (await storedAccuracy(run, (name) => view.column('loss', name)));
  return analyseRun(view, {
    ...extentOf(run, view),
    exampleShape: run.manifest.definition.exampleShape,
    leftOut: run.manifest.leftOut,
    accuracy: found,
    ...(preset === null ? {} : { preset }),
    ...(onProgress === undefined ? {} : { onProgress }),
  });
}

/** The basic analyses of a run and, which take five times as long, those by theme. */
export async function analyseAll(
  run: RunFolder,
  { progress = silent, themes: withThemes = true, accuracy }: Omit<ReportOptions, 'out'> = {},
): Promise<{ readonly analysis: RunAnalysis; readonly themes: ThemeAnalyses | null }> {
  const { segments } = await run.view();
  const basic = withThemes ? 1 / 6 : 1;
  const show =
    (from: number, to: number) =>
    (rows: number, total: number): void => {
      progress.update(Math.floor(segments * (from + ((to - from) * rows) / total)));
    };
  return withProgress(progress, { total: segments }, async () => {
    const analysis = await analysisOf(run, { onProgress: show(0, basic), ...(accuracy ? { accuracy } : {}) });
    if (!withThemes || segments === 0) return { analysis, themes: null };
    return { analysis, themes: await analyseThemesOf(run, { onProgress: show(basic, 1) }) };
  });
}

export interface ReportOptions {
  readonly progress?: ProgressSink;
  /** Where to write the page instead; the run then stays as it is. */
  readonly out?: string | undefined;
  /** Whether the page has the paper's analyses by theme, which take five times as long as the rest; default true. */
  readonly themes?: boolean;
  /** The run's accuracy, which may still be on its way; default what is stored of it. */
  readonly accuracy?: AnalyseOptions['accuracy'] | undefined;
}

/** Analyses a run, writes RUN/analysis/run.json and RUN/report.html. */
export async function reportRun(run: RunFolder, { out, ...options }: ReportOptions = {}): Promise<Report> {
  if (out !== undefined) refuseRunFile(out);
  // Loaded when it is needed, since it takes longer to load than most commands take; the analysis waits for the disk, and for the accuracy.
  const drawing = import('../figures/index.js');
  // Whoever awaits it sees the error.
  drawing.catch(() => undefined);
  const { analysis, themes } = await analyseAll(run, options);
  const { renderReport } = await drawing;
  const page = renderReport({
    analysis,
    themes,
    ...namesOf(run.manifest),
    facts: [...factsOf(run.manifest), ...mixedFacts(run.mixed)],
    readings: run.manifest.readings,
    heldConstant: heldConstantOf(run.manifest),
    frozenLayers: frozenLayersOf(run.manifest),
  });
  if (out !== undefined) {
    await writeResult(dirname(out), basename(out), page);
    return { analysis, path: out };
  }
  await storeResult(run.folder, 'analysis/run.json', JSON.stringify(analysis));
  await storeResult(run.folder, 'report.html', page);
  return {
    analysis,
    path: isRemote(run.folder) ? `${run.folder}/report.html` : join(run.folder, 'report.html'),
  };
}

/** What may differ from a preset while the paper's numbers for it still compare: how finely and by what it was measured. */
const indifferent = [
  'preset',
  'name',
  'date',
  'tags',
  'seed',
  'chunk',
  'lanes',
  'keep',
  'engine',
  'arithmetic',
  'measure',
  'components',
  'keepComponents',
  'basis',
  'maxLoss',
  'iterations',
];

/** Keys whose values are not the preset's. */
function changedKeys(config: Manifest['config'], preset: string): string[] {
  const original = checkConfig(presetConfig(preset), preset);
  const actual = checkConfig(config, 'the manifest');
  return configKeys.filter(
    (name) => !indifferent.includes(name) && !isDeepStrictEqual(original[name], actual[name]),
  );
}

/** The preset that a run is, or null: the paper's numbers stand beside nothing else. */
function unchangedPreset({ config }: Manifest): string | null {
  const { preset } = config;
  return typeof preset === 'string' && changedKeys(config, preset).length === 0 ? preset : null;
}

/** What the run is: its preset and what was changed of it, or network and data. */
function descriptionOf({ definition, config }: Manifest): string {
  const { preset } = config;
  if (typeof preset !== 'string') return `${definition.model} on ${definition.dataset}`;
  const changed = changedKeys(config, preset);
  return changed.length === 0 ? preset : `${preset}, changed: ${changed.join(', ')}`;
}

/** Heading of a report and what stands below it: the run's own name before what it is, then its date and tags. */
function namesOf(manifest: Manifest): { title: string; labels: string[] } {
  const { name, date, tags } = manifest.config;
  const description = descriptionOf(manifest);
  const stated = [date, tags].flat().filter((label): label is string => typeof label === 'string');
  return typeof name === 'string'
    ? { title: name, labels: [description, ...stated] }
    : { title: description, labels: stated };
}
