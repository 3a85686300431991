import type { Manifest } from 'lossledger/format';
import { stepWord } from './segments.js';

/** One fact of a run's definition. */
export interface DefinitionRow {
  readonly name: string;
  readonly value: string;
}

/** What a run is of, as rows of a table. */
export function definitionRows(manifest: Manifest): DefinitionRow[] {
  const { definition, objectives, quadrature, engine, trajectory, config } = manifest;
  const row = (name: string, value: string): DefinitionRow => ({ name, value });
  return [
    row('Network', definition.model),
    row('Loss', `${means[definition.reduction]} ${definition.loss}, ${definition.unit}`),
    row('Data', definition.dataset),
    row('Objectives', objectives.map(inWords).join(', ')),
    row('Chunk, lanes', `${definition.chunk} examples, ${definition.lanes} lanes`),
    row('Batch statistics', definition.batchNorm === 'none' ? 'none' : `by ${definition.batchNorm}`),
    row('Data split', definition.splitHash.slice(0, 16)),
    row('Precision', definition.precision),
    row(
      'Rule',
      `${quadrature.rule}${quadrature.tolerance === null ? '' : `, tolerance ${quadrature.tolerance}`}`,
    ),
    row(
      'Engine',
      engine.version.startsWith(engine.name) ? engine.version : `${engine.name} ${engine.version}`,
    ),
    row('Iterations', iterationsOf(trajectory)),
    row('Optimiser', optimiserOf(config) || 'not known: the trajectory was recorded'),
    row('Seed', String(manifest.seed)),
    row('Made by', manifest.createdBy),
  ];
}

type Objective = Manifest['objectives'][number];

/** An objective's name, and of how many examples it is. */
function inWords({ name, parts, sample }: Objective): string {
  const divided = parts.filter(({ by }) => by === parts[0]!.by);
  const examples = sample?.from ?? divided.reduce((total, part) => total + part.examples, 0);
  return `${name} (${examples.toLocaleString('en')} examples${sample ? ', a sample' : ''})`;
}

const means = {
  tokenMean: 'mean',
  exampleMean: 'mean over examples of the mean',
  weightedMean: 'weighted mean',
} as const;

/** How many iterations, or between which ones rows of θ lie that are further apart. */
function iterationsOf({ iterations, iteration }: Manifest['trajectory']): string {
  const segments = iterations.toLocaleString('en');
  if (iteration === null || stepWord(iteration) === 'iteration') return segments;
  const [first, last] = [iteration[0]!, iteration.at(-1)!].map((step) => step.toLocaleString('en'));
  return `${first!} to ${last!}, in ${segments} segments`;
}

/** Settings of a training that are shown, in words. */
const settings = {
  optimizer: '',
  learningRate: 'learning rate ',
  momentum: 'momentum ',
  weightDecay: 'weight decay ',
  batchSize: 'batches of ',
} as const;

function optimiserOf(config: Manifest['config']): string {
  return Object.entries(settings)
    .flatMap(([key, name]) =>
      config[key] === undefined || config[key] === null ? [] : `${name}${JSON.stringify(config[key])}`,
    )
    .join(', ')
    .replaceAll('"', '');
}
