import { UsageError } from '../../errors.js';
import { datasetNames } from '../../data/load.js';
import { checkConfig } from '../../experiment/config/file.js';
import { type RunConfig, trainingKeys } from '../../experiment/config/schema.js';
import { withWholePaths } from '../../experiment/paths.js';
import { sha256 } from '../../store/files.js';
import type { Keys, SweepFile } from './file.js';

/** A run that a sweep consists of. */
export interface PlannedRun {
  readonly config: RunConfig;
  /** Of all that the configuration says: runs of equal digests are one. */
  readonly digest: string;
  /** Name of its folder, where there is none of its digest yet. */
  readonly folder: string;
}

/** A cell of a grid with its runs, one a seed. */
export interface PlannedCell {
  readonly label: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly runs: readonly PlannedRun[];
}

/** A grid with its cells, the last axis running fastest. */
export interface PlannedGrid {
  readonly axes: readonly { readonly name: string; readonly labels: readonly string[] }[];
  readonly cells: readonly PlannedCell[];
}

/** A tensor's name and layer. */
export interface NamedTensor {
  readonly name: string;
  readonly layer: string;
}

/** Finds the tensors of a configuration's network, in order. */
export type TensorsOf = (config: RunConfig) => Promise<readonly NamedTensor[]>;

/** One value of each axis. */
interface Choice {
  readonly settings: Readonly<Record<string, string>>;
  readonly keys: readonly Keys[];
}

/** All combinations of the values of axes. */
function choicesOf(axes: SweepFile['grids'][number]): Choice[] {
  return axes.reduce<Choice[]>(
    (choices, { name, values }) =>
      choices.flatMap(({ settings, keys }) =>
        values.map((value) => ({ settings: { ...settings, [name]: value.label }, keys: [...keys, value.keys] })),
      ),
    [{ settings: {}, keys: [] }],
  );
} // prettier-ignore

/** The keys of several axes together; groups of tensors follow each other. Throws UsageError where two axes set the same key. */
function merged({ path, base }: SweepFile, { settings, keys }: Choice, label: string): Keys {
  const own: Record<string, unknown> = {};
  for (const [key, value] of keys.flatMap((each) => Object.entries(each))) {
    if (key === 'groups') own['groups'] = [...listOf(own['groups'] ?? base['groups']), ...listOf(value)];
    else if (key in own) throw twice(path, key, label, Object.keys(settings));
    else own[key] = value;
  }
  return { ...base, ...own };
}

const listOf = (value: unknown): unknown[] =>
  Array.isArray(value) ? value : value === undefined ? [] : [value];

function twice(path: string, key: string, label: string, axes: readonly string[]): UsageError {
  return new UsageError({
    given: `${key} of ${label} in sweep file ${path}, set by more than one of the axes ${axes.join(', ')}`,
    expected: 'each key by one axis',
    remedy: 'make one axis of them, or grids of their own',
  });
}

/** `@first` and `@last` in patterns of groups stand for all tensors of the network's first and last layer. */
async function withLayers(config: RunConfig, tensorsOf: TensorsOf): Promise<RunConfig> {
  const isNamed = (pattern: string): boolean => pattern === '@first' || pattern === '@last';
  if (!config.groups.some(({ match }) => [match].flat().some(isNamed))) return config;
  const tensors = await tensorsOf({ ...config, groups: [] });
  const namesIn = (layer: string): string[] => tensors.filter((own) => own.layer === layer).map(({ name }) => name); // prettier-ignore
  const ends: Readonly<Record<string, string>> = { '@first': tensors[0]!.layer, '@last': tensors.at(-1)!.layer }; // prettier-ignore
  const groups = config.groups.map(({ match, ...group }) => ({
    match: [match].flat().flatMap((pattern) => (isNamed(pattern) ? namesIn(ends[pattern]!) : [pattern])),
    ...group,
  }));
  return { ...config, groups };
}

/** A configuration's digest: of its keys in order and whole paths. */
function digestOf(config: RunConfig): string {
  const whole = withWholePaths(config);
  const sorted = Object.entries(whole).sort(([a], [b]) => (a < b ? -1 : 1));
  return sha256(Buffer.from(JSON.stringify(sorted))).slice(0, 10);
}

const longestName = 80;

function runOf(config: RunConfig, label: string): PlannedRun {
  const digest = digestOf(config);
  const readable = `${label}-seed-${config.seed}`.replace(/[^\w.=-]+/g, '_').slice(0, longestName);
  return { config, digest, folder: `${/^[A-Za-z0-9]/.test(readable) ? '' : 'run'}${readable}-${digest}` };
}

/** Whether a seed changes anything: weights and mini-batches of a training, or examples that are drawn. */
const seedMatters = ({ trajectory, process, data, validation, subset, sample }: RunConfig): boolean =>
  trajectory === null ||
  (process === null &&
    (datasetNames.includes(data) || validation !== null || subset !== null || sample !== null));

/** Runs that are the same for every seed would stand as several with an interval of ± 0. */
function requireOneSeed({ path, seeds }: SweepFile, config: RunConfig, label: string): void {
  if (seeds.length === 1 || seedMatters(config)) return;
  throw new UsageError({
    given: `${seeds.length} seeds for ${label} in sweep file ${path}, whose recorded trajectory is the same for every seed`,
    expected: 'one seed: what several trainings differ in is in their recordings',
    remedy: `say --seeds ${seeds[0]!}; for means over trainings measure a recording of each, and name the runs to lca analyze`,
  });
}

/** Cells of one recorded trajectory would stand as trainings by different settings, which agree in everything. */
function requireTraining({ path }: SweepFile, config: RunConfig, { keys }: Choice, label: string): void {
  const varied = keys.flatMap((own) => Object.keys(own));
  const measured = config.measureWeightDecay ? ['weightDecay', 'groups'] : [];
  const key = trainingKeys.find((own) => varied.includes(own) && !measured.includes(own));
  if (config.trajectory === null || key === undefined || varied.includes('trajectory')) return;
  throw new UsageError({
    given: `${key} of ${label} in sweep file ${path}, whose trajectory is recorded: nothing is trained`,
    expected: 'an axis of what is measured, such as rule or trajectory',
    remedy: 'measure a recording of each training: an axis trajectory with the files as its values',
  });
}

/**
 * The cells of a sweep with the configurations of their runs.
 *
 * @throws UsageError where a configuration is not allowed, naming the cell, where two axes set the same key, where seeds or settings of
 *   training change nothing, or the baseline is no cell.
 */
export async function planCells(file: SweepFile, tensorsOf: TensorsOf): Promise<PlannedGrid[]> {
  const grids: PlannedGrid[] = [];
  for (const axes of file.grids) {
    const cells: PlannedCell[] = [];
    for (const choice of choicesOf(axes)) {
      const label = Object.entries(choice.settings).map(([name, value]) => `${name} ${value}`).join(', '); // prettier-ignore
      const keys = merged(file, choice, label);
      const config = await withLayers(checkConfig(keys, `sweep file ${file.path}, ${label}`), tensorsOf);
      requireTraining(file, config, choice, label);
      requireOneSeed(file, config, label);
      const runs = file.seeds.map((seed) => runOf({ ...config, seed }, label));
      cells.push({ label, settings: choice.settings, runs });
    }
    const named = axes.map(({ name, values }) => ({ name, labels: values.map((value) => value.label) }));
    grids.push({ axes: named, cells });
  }
  requireBaseline(file, grids);
  requireOneMain(file, grids);
  return grids;
}

/** Layers, shares and their differences are of the set that is measured first, and of one loss. Throws UsageError where cells have others. */
function requireOneMain({ path }: SweepFile, grids: readonly PlannedGrid[]): void {
  const mainOf = ({ measure, loss }: RunConfig): string =>
    `${loss} of ${(measure?.[0] ?? 'train').replace(/=.*/, '')}`;
  const [first, ...others] = grids.flatMap(({ cells }) => cells.map(({ label, runs }) => ({ label, main: mainOf(runs[0]!.config) }))); // prettier-ignore
  const other = others.find(({ main }) => main !== first!.main);
  if (other === undefined) return;
  throw new UsageError({
    given: `cells of sweep file ${path} that measure ${first!.main} first (${first!.label}) and ${other.main} (${other.label})`,
    expected: 'one loss of one set as the first that is measured: layers and shares of all cells are of it',
    remedy: 'name the same set first in measure everywhere, or make a sweep of each',
  });
}

function requireBaseline({ baseline, path }: SweepFile, grids: readonly PlannedGrid[]): void {
  const labels = grids.flatMap(({ cells }) => cells.map(({ label }) => label));
  if (baseline === null || labels.includes(baseline)) return;
  throw new UsageError({
    given: `baseline ${JSON.stringify(baseline)} in sweep file ${path}`,
    expected: `one of ${labels.join('; ')}`,
    remedy: 'name a cell by its axes and their values, or leave out baseline',
  });
}
