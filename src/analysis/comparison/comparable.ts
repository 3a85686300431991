import type { Manifest } from '../../format/manifest.js';
import { furtherScaling } from '../../formats/reading.js';
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

/** What was decided about a user's files, in words. */
function decisionsOf({ readings }: Manifest, isMeant: (about: string) => boolean): string {
  const found = readings.filter(({ about }) => isMeant(about));
  return found.map(({ about, decision }) => `${about}: ${decision}`).join('; ') || 'none';
}

/** Whether the loss is what the network puts out. */
const computesLoss = ({ config }: Manifest): boolean => config['loss'] === 'output';

/** How a loss that a network computes becomes a mean. */
const ownMean = (manifest: Manifest): string =>
  computesLoss(manifest) ? decisionsOf(manifest, (about) => about === 'loss') : 'none';

const furtherInputs = (manifest: Manifest): string =>
  decisionsOf(manifest, (about) => about.startsWith(furtherScaling('')));

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
  { about: 'the network’s own loss', why: 'losses are averaged by different weights', of: ownMean },
  { about: 'scaling of further inputs', why: 'networks see different inputs', of: furtherInputs },
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

const ownKind =
  'computes its own loss: where these are of different kinds, neither losses nor allocations can be compared';

/** What may make losses of different kinds, and cannot be told by manifests. `functions` are those of the model files [runs]. */
const ofOwnLosses = (functions: readonly string[]): readonly Aspect[] => [
  { about: 'function of the model file', why: `each network ${ownKind}`, of: (manifest, runs) => (computesLoss(manifest) ? functions[runs.indexOf(manifest)]! : 'none') },
  { about: 'objective process', why: `each program ${ownKind}`, of: ({ config }) => config['process'] ?? null },
]; // prettier-ignore

/** Keys of a configuration that are no setting of a run's training, or that other aspects tell. */
const notSettings: readonly string[] = [
  'preset', 'name', 'date', 'tags', 'engine', 'arithmetic', 'chunk', 'lanes', 'keep', 'keepParts', 'keepComponents', 'components', 'parts', 'basis',
  'groupings', 'measure', 'rule', 'tolerance', 'subintervals', 'maxSubintervals', 'certify', 'sample', 'error', 'data', 'maxLoss', 'outputs',
]; // prettier-ignore

const modelFile = 'model file';

/** Settings in which repeats of one training differ: of a recorded one, whose file may hold its first or last numbers, nothing else is known. */
const ofRepeats: readonly string[] = ['seed', 'trajectory', modelFile];

/** Where a run was forked, in words. */
function forkPlaces(forks: unknown): string {
  const list = (forks ?? []) as readonly { readonly at: number }[];
  return list.length === 0 ? 'none' : `at ${list.map(({ at }) => at).join(', ')}`;
}

/** Beginnings of the checksums of the model's files; of a network by name, none. */
const modelContents = ({ definition }: Manifest): string =>
  definition.modelFiles.map(({ sha256 }) => sha256.slice(0, 12)).join(', ');

/** Networks by name, or where some are files, by these or, where they were read, by what these compute. */
function modelAspect(manifests: readonly Manifest[], functions?: readonly string[]): Aspect {
  const told = functions ?? manifests.map(modelContents);
  const kind = functions === undefined ? modelFile : `function of the ${modelFile}`;
  return {
    about: told.every((text) => text === '') ? 'model' : kind,
    why: '',
    of: (manifest, runs) => {
      const own = told[runs.indexOf(manifest)]!;
      if (own !== '' && told.every((text) => text === own)) return 'the same';
      return [manifest.config['model'] as string, ...(own === '' ? [] : [`(${own})`])].join(' ');
    },
  };
}

function settingAspects(manifests: readonly Manifest[], functions?: readonly string[]): Aspect[] {
  const keys = new Set(manifests.flatMap(({ config }) => Object.keys(config)));
  return [...keys]
    .filter((key) => !notSettings.includes(key))
    .map((about) =>
      about === 'model'
        ? modelAspect(manifests, functions)
        : {
            about,
            why: '',
            of: ({ config, trajectory: { iteration, iterations } }) => {
              if (about === 'forks') return forkPlaces(config[about]);
              // A recording has as many as it has, whatever the key says.
              if (about === 'iterations') return iteration?.at(-1) ?? iterations;
              return config[about] ?? null;
            },
          },
    );
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

/**
 * Compares what defines runs (docs/FORMAT.md): two runs are comparable where all of it agrees that bears on a number. `functions`: digests of
 * what their model files compute, where these were read, and '' for networks by name [runs]; else the files are compared.
 */
export function comparabilityOf(
  manifests: readonly Manifest[],
  functions?: readonly string[],
): Comparability {
  const [first, ...others] = manifests;
  const common = first!.objectives.map(({ name }) => name).filter((name) => others.every(({ objectives }) => objectives.some((own) => own.name === name))); // prettier-ignore
  const general = differences(ofLosses, manifests);
  return {
    objectives: common.map((name) => ({
      name,
      obstacles: [...general, ...differences(ofObjective(name), manifests)],
    })),
    layers: differences([ofLayers], manifests),
    notes: differences([...ofAccuracy, ...ofOwnLosses(functions ?? manifests.map(modelContents))], manifests),
    settings: differences(settingAspects(manifests, functions), manifests),
  };
}

/** Settings that keep runs from being repeats of one training with other seeds, over which a mean has an interval; none: they are such. */
export const beyondRepeats = ({ settings }: Comparability): RunDifference[] =>
  settings.filter(({ about }) => !ofRepeats.includes(about));
