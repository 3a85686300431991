import type { Manifest } from '../../format/manifest.js';
import { outputsOf } from './outputs.js';
import { sameContent } from './same-data.js';

/** Something in which the manifests of runs differ. */
export interface RunDifference {
  readonly about: string;
  /** In the order of the runs, short enough for a line. */
  readonly values: readonly string[];
  /** What follows from it for a comparison. */
  readonly why: string;
}

/** What of some runs can be compared. */
export interface Comparability {
  /** Of each objective that all runs have: what keeps its losses and allocations from being compared; none: they can be. */
  readonly objectives: readonly { readonly name: string; readonly obstacles: readonly RunDifference[] }[];
  /** What keeps the totals of layers from being compared; none: they can be. */
  readonly layers: readonly RunDifference[];
  /** What makes numbers differ a little by itself: other draws of the examples, other rules and engines. */
  readonly notes: readonly RunDifference[];
  /** Settings that differ: what a comparison is about. */
  readonly settings: readonly RunDifference[];
}

/** Something that may differ; its value is compared as JSON. */
interface Aspect {
  readonly about: string;
  readonly why: string;
  /** Of one of the runs that are compared. */
  readonly of: (manifest: Manifest, runs: readonly Manifest[]) => unknown;
}

/** Weight decay of all tensors, where the measured loss has its term. */
const measuredDecay = ({ config }: Manifest): unknown => {
  if (config['measureWeightDecay'] !== true) return null;
  const groups = (config['groups'] ?? []) as readonly { readonly match: unknown; readonly weightDecay?: number }[];
  return [config['weightDecay'], groups.filter((own) => own.weightDecay !== undefined).map(({ match, weightDecay }) => [match, weightDecay])];
}; // prettier-ignore

/** Whether the loss of an example depends on the others of its chunk. */
const mixesChunks = ({ parameters, definition, readings }: Manifest): boolean =>
  (definition.batchNorm === 'chunk' && parameters.some(({ kind }) => kind === 'normalisation')) ||
  readings.some(({ about }) => about === 'chunks');

/** What defines the loss of every objective. */
const ofLosses: readonly Aspect[] = [
  { about: 'loss', why: 'losses are of different kinds', of: ({ definition }) => definition.loss },
  { about: 'unit', why: 'losses have different units', of: ({ definition }) => definition.unit },
  { about: 'reduction', why: 'losses are averaged by different weights', of: ({ definition }) => definition.reduction },
  { about: 'class weights', why: 'losses are averaged by different weights', of: ({ config }) => config['classWeights'] ?? null },
  { about: 'label smoothing', why: 'losses are of different labels', of: ({ config }) => config['labelSmoothing'] ?? 0 },
  { about: 'ignored label', why: 'other examples count', of: ({ config }) => config['ignoreLabel'] ?? null },
  { about: 'outputs', why: 'the loss takes outputs for different things', of: outputsOf },
  { about: 'weight decay in the loss', why: 'the L2 term of the loss differs', of: measuredDecay },
  { about: 'data set', why: 'losses are of different data', of: ({ definition }) => definition.dataset },
  { about: 'scaling of inputs', why: 'networks see different inputs', of: ({ definition }) => definition.scaling },
  { about: 'statistics of batch normalisation', why: 'the networks are evaluated differently', of: ({ definition }) => definition.batchNorm },
  { about: 'chunk', why: 'the loss of an example depends on the others of its chunk', of: (manifest) => (mixesChunks(manifest) ? manifest.definition.chunk : null) },
]; // prettier-ignore

/** The set of an objective that is measured with running statistics, too. */
const setOf = (objective: string): string => objective.replace(/\.running$/, '');

/** What defines the examples of one objective, beside that. */
function ofObjective(objective: string): Aspect[] {
  const own = `${setOf(objective)}=`;
  return [
    {
      about: `statistics of ${objective}`,
      why: 'the networks are evaluated differently',
      of: ({ objectives }) => objectives.find(({ name }) => name === objective)?.statistics ?? null,
    },
    {
      about: `data files of ${objective}`,
      why: 'losses are of different data',
      of: ({ definition }, runs) =>
        definition.files
          .filter(({ name }) => name.startsWith(own) || !/=|^parts of /.test(name))
          .map((file) => `${file.name} ${sameContent(file, runs).slice(0, 12)}`),
    },
    {
      about: `examples of ${objective}`,
      why: 'losses are means over different examples',
      of: ({ definition, objectives }) => {
        const sample = objectives.find(({ name }) => name === objective)?.sample ?? null;
        return [definition.counts[setOf(objective)] ?? null, ...(sample === null ? [] : [`a sample of ${sample.from}`])];
      },
    },
  ]; // prettier-ignore
}

const tensorOf = ({ name, shape, layer }: Manifest['parameters'][number]): string =>
  `${name} [${shape.join(', ')}] of ${layer}`;

const ofLayers: Aspect = {
  about: 'parameters',
  why: 'layers of different networks have nothing in common but their names',
  of: ({ parameters }) => parameters.map(tensorOf),
};

/** How far apart the rows of θ are that a run was measured between. */
function spacing({ trajectory: { iteration } }: Manifest): string {
  const steps = (iteration ?? [0, 1]).slice(1).map((at, t) => at - (iteration?.[t] ?? 0));
  const [least, most] = [Math.min(...steps), Math.max(...steps)];
  if (most === 1) return 'every iteration';
  return least === most ? `every ${most} iterations` : `every ${least} to ${most} iterations`;
}

/** What changes numbers by less than what they are compared for. */
const ofAccuracy: readonly Aspect[] = [
  { about: 'rows of θ', why: 'allocations are those of straight lines between rows: where these are further apart, layers may have others', of: spacing },
  { about: 'draw', why: 'each run drew its own examples from the same data: a part of every difference is theirs', of: ({ config, definition }) => (config['process'] ? null : definition.splitHash.slice(0, 12)) },
  { about: 'quadrature', why: 'residuals and single allocations differ by the rule', of: ({ quadrature }) => quadrature },
  { about: 'engine', why: 'single numbers differ by rounding, within the bounds of docs/NUMERICS.md', of: ({ engine, definition }) => `${engine.name} (${engine.version}), ${definition.precision}` },
  { about: 'order of sums', why: 'single numbers differ by rounding', of: ({ definition }) => [definition.lanes, definition.chunk] },
]; // prettier-ignore

/** Keys of a configuration that are no setting of a run's training, or that other aspects tell. */
const notSettings: readonly string[] = [
  'preset', 'name', 'date', 'tags', 'engine', 'arithmetic', 'chunk', 'lanes', 'keep', 'keepParts', 'keepComponents', 'components', 'parts', 'basis',
  'groupings', 'measure', 'rule', 'tolerance', 'subintervals', 'maxSubintervals', 'certify', 'sample', 'error', 'data', 'maxLoss', 'outputs',
]; // prettier-ignore

/** Where a run was forked, in words. */
function forkPlaces(forks: unknown): string {
  const list = (forks ?? []) as readonly { readonly at: number }[];
  return list.length === 0 ? 'none' : `at ${list.map(({ at }) => at).join(', ')}`;
}

/** The network of a run: a name, or the model file's contents, with its path where those of the runs differ. */
function modelOf({ config, definition }: Manifest, runs: readonly Manifest[]): unknown {
  const contents = (own: Manifest['definition']): string => own.modelFiles.map(({ sha256 }) => sha256).join();
  if (definition.modelFiles.length === 0) return config['model'] ?? null;
  if (runs.every((run) => contents(run.definition) === contents(definition))) return 'the same file';
  return `${config['model'] as string} (${contents(definition).slice(0, 12)})`;
}

function settingAspects(manifests: readonly Manifest[]): Aspect[] {
  const keys = new Set(manifests.flatMap(({ config }) => Object.keys(config)));
  return [...keys]
    .filter((key) => !notSettings.includes(key))
    .map((about) => ({
      about,
      why: '',
      of: (manifest, runs) => {
        const { config, trajectory: { iteration, iterations } } = manifest; // prettier-ignore
        if (about === 'model') return modelOf(manifest, runs);
        if (about === 'forks') return forkPlaces(config[about]);
        // A recording has as many as it has, whatever the key says.
        if (about === 'iterations') return iteration?.at(-1) ?? iterations;
        return config[about] ?? null;
      },
    }));
}

const longest = 60;

function inWords(value: unknown): string {
  const text = typeof value === 'string' ? value : value === null ? 'none' : JSON.stringify(value);
  return [...text].length <= longest ? text : `${[...text].slice(0, longest - 1).join('')}…`;
}

function differences(aspects: readonly Aspect[], manifests: readonly Manifest[]): RunDifference[] {
  return aspects.flatMap(({ about, why, of }) => {
    const values = manifests.map((manifest) => of(manifest, manifests));
    if (new Set(values.map((value) => JSON.stringify(value))).size === 1) return [];
    return [{ about, why, values: values.map(inWords) }];
  });
}

/** Compares what defines runs (docs/FORMAT.md): two runs are comparable where all of it agrees that bears on a number. */
export function comparabilityOf(manifests: readonly Manifest[]): Comparability {
  const [first, ...others] = manifests;
  const common = first!.objectives.map(({ name }) => name).filter((name) => others.every(({ objectives }) => objectives.some((own) => own.name === name))); // prettier-ignore
  const general = differences(ofLosses, manifests);
  return {
    objectives: common.map((name) => ({
      name,
      obstacles: [...general, ...differences(ofObjective(name), manifests)],
    })),
    layers: differences([ofLayers], manifests),
    notes: differences(ofAccuracy, manifests),
    settings: differences(settingAspects(manifests), manifests),
  };
}
