import { type RunConfig, trainingKeys } from '../experiment/config/schema.js';
import type { Manifest } from '../format/manifest.js';
import type { MixedSegments } from '../format/records.js';
import { type GroupSettings, resolveGroups } from '../optim/groups.js';

const means = {
  tokenMean: 'mean',
  exampleMean: 'mean over examples of the mean',
  weightedMean: 'weighted mean',
} as const;

/** The run's definition in words, for the end of a report: what must agree for two runs to be compared. */
export function factsOf(manifest: Manifest): [string, string][] {
  const { definition, quadrature, engine, createdBy } = manifest;
  const { unit } = definition;
  const tolerance = quadrature.tolerance === null ? 'none' : `${quadrature.tolerance} ${unit}`;
  return [
    ['Network', [definition.model, ...definition.modelFiles.map(checksum)].join(', ')],
    ['Data', dataInWords(manifest)],
    ['Data files (SHA-256)', definition.files.map(checksum).join(', ')],
    ['Split (SHA-256)', definition.splitHash],
    ['Loss', `${means[definition.reduction]} ${definition.loss}, ${unit}; dropout ${definition.dropout}`],
    [
      'Chunk',
      [`${definition.chunk} examples`, ...statisticsInWords(manifest), `${definition.lanes} lanes`].join(
        '; ',
      ),
    ],
    trajectoryFact(manifest),
    [
      'Quadrature',
      `${quadrature.rule}, tolerance ${tolerance}, at most ${quadrature.maxSubintervals} subintervals`,
    ],
    ['Precision', `${definition.precision} gradients, float64 sums`],
    ['Engine', `${engine.name} (${engine.version})`],
    ['Made by', createdBy],
  ];
}

/** What was measured by another machine or version than the rest, for the same place; nothing where all is of one kind. */
export function mixedFacts(mixed: readonly MixedSegments[]): [string, string][] {
  const words = mixed.map(({ from, to, environment: { engine, lossledger, processor } }) => {
    const by = `${engine.name} (${engine.version}), lossledger ${lossledger}, ${processor.join(' ')}`;
    return `segments ${from} to ${to - 1} by ${by}`;
  });
  return words.length === 0 ? [] : [['Mixed', words.join('; ')]];
}

/** From which iteration on each tensor is frozen by groups; Infinity: never. */
function frozenFromOf({
  config,
  parameters,
}: Manifest): { name: string; layer: string; frozenFrom: number }[] {
  const { groups = [] } = config as { readonly groups?: readonly GroupSettings[] };
  const base = { learningRate: 1, momentum: 0, weightDecay: 0, frozenFrom: Infinity };
  return parameters.map((tensor) => ({ name: tensor.name, layer: tensor.layer, frozenFrom: resolveGroups(base, groups, tensor).frozenFrom })); // prettier-ignore
}

/** Layers that groups froze from the start, whole. */
export function frozenLayersOf(manifest: Manifest): string[] {
  const tensors = frozenFromOf(manifest);
  const moving = new Set(tensors.filter(({ frozenFrom }) => frozenFrom > 0).map(({ layer }) => layer));
  return [...new Set(tensors.map(({ layer }) => layer))].filter((layer) => !moving.has(layer));
}

/** What did not move although it is part of the network, as far as the run's definition says, in words; what is not recorded is coverage's to tell. */
export function heldConstantOf(manifest: Manifest): string[] {
  const frozen = frozenFromOf(manifest).flatMap(({ name, frozenFrom }) => {
    if (frozenFrom === Infinity) return [];
    return [frozenFrom === 0 ? name : `${name} from iteration ${frozenFrom} on`];
  });
  return [
    ...(frozen.length > 0 ? [`Frozen by groups: ${frozen.join(', ')}`] : []),
    ...(manifest.definition.batchNorm === 'running'
      ? [
          'Mean and variance of batch normalisation: the running statistics in the model file, in all iterations',
        ]
      : []),
  ];
}

/** Whose statistics batch normalisation uses; nothing of a network without any. */
function statisticsInWords({ definition, objectives, config }: Manifest): string[] {
  if (definition.batchNorm === 'none') return [];
  const running = objectives.filter(({ statistics }) => statistics === 'running').map(({ name }) => name);
  const own = definition.batchNorm === 'chunk' ? 'each chunk' : 'the model file';
  if (running.length === 0) return [`batch normalisation by the statistics of ${own}`];
  const others = running.length < objectives.length ? `of ${own}, and ` : '';
  return [
    `batch normalisation by the statistics ${others}in ${running.join(', ')} by running ones (decay ${plain(config['statisticsDecay'])}), whose motion has entries of its own (layers NAME.statistics)`,
  ];
}

function dataInWords({ definition: { dataset, counts, scaling }, objectives }: Manifest): string {
  const { divisor, std } = scaling;
  const sets = Object.entries(counts).filter(([, count]) => count > 0);
  return [
    `${dataset}: ${sets.map(([name, count]) => `${count} ${name}`).join(', ')} examples`,
    `measured: ${objectives.map(({ name }) => name).join(', ')}`,
    ...(divisor === 1 ? [] : [`inputs divided by ${divisor}`]),
    ...(std.length === 0 ? [] : ['each channel with mean 0 and variance 1']),
  ].join('; ');
}

/** How many steps a recording is of; segments, with their iterations, where its rows are further apart. */
function stepsOf({ iterations, iteration }: Manifest['trajectory']): string {
  const [first, last] = [iteration?.[0] ?? 0, iteration?.at(-1) ?? iterations];
  if (last - first === iterations) return `${iterations} steps`;
  return `${iterations} segments of the iterations ${first} to ${last}`;
}

function trajectoryFact({ trajectory, config, seed }: Manifest): [string, string] {
  const { files, iterations } = trajectory;
  if (files.length > 0)
    return ['Trajectory', `${stepsOf(trajectory)} from ${files.map(checksum).join(', ')}`];
  const settings = trainingKeys
    .filter((key) => key !== 'maxLoss' && key !== 'forks' && isStated(key, config[key]))
    .map((key) => `${key} ${plain(config[key])}`);
  const { forks = [] } = config as { readonly forks?: RunConfig['forks'] };
  return [
    'Training',
    [`${iterations} iterations`, settings.join(', '), `seed ${seed}`, ...forks.map(forkInWords)].join('; '),
  ];
}

/** What held before a fork, and where it came from. */
function forkInWords({ at, origin, before }: RunConfig['forks'][number]): string {
  const settings = Object.entries(before).filter(([key, value]) => isStated(key, value));
  const words = settings.map(([key, value]) => `${key} ${plain(value)}`).join(', ');
  return `before iteration ${at} ${words}, as in the run with manifest ${origin.manifest.slice(0, 12)}`;
}

/** `none`, an empty list and no weight decay say that a setting is not used; momentum 0 says that it is. */
function isStated(key: string, value: unknown): boolean {
  if (value === undefined || value === null) return false;
  return Array.isArray(value) ? value.length > 0 : key !== 'weightDecay' || value !== 0;
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A file's name with the beginning of its checksum; the manifest has the rest. */
function checksum({ name, sha256 }: Manifest['definition']['files'][number]): string {
  return `${name} ${sha256.slice(0, 12)}`;
}
