import type { Manifest } from 'lossledger/format';
import { stepWord } from './segments.js';

/** One fact of a run's definition. `defines`: runs that differ in it are not comparable. */
export interface DefinitionRow {
  readonly name: string;
  readonly value: string;
  readonly defines: boolean;
}

/** What a run is of, as rows of a table. */
export function definitionRows(manifest: Manifest): DefinitionRow[] {
  const { definition, objectives, quadrature, engine, trajectory, config } = manifest;
  const row = (name: string, value: string, defines = true): DefinitionRow => ({ name, value, defines });
  const examples = (own: Manifest['objectives'][number]) =>
    own.sample === null
      ? own.parts
          .filter(({ by }) => by === own.parts[0]!.by)
          .reduce((total, part) => total + part.examples, 0)
      : own.sample.from;
  return [
    row('Network', definition.model),
    row('Loss', `${means[definition.reduction]} ${definition.loss}, ${definition.unit}`),
    row('Data', definition.dataset),
    row(
      'Objectives',
      objectives
        .map(
          (own) =>
            `${own.name} (${examples(own).toLocaleString('en')} examples${own.sample ? ', a sample' : ''})`,
        )
        .join(', '),
    ),
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
      false,
    ),
    row('Iterations', iterationsOf(trajectory), false),
    row('Optimiser', optimiserOf(config) || 'not known: the trajectory was recorded', false),
    row('Seed', String(manifest.seed), false),
    row('Made by', manifest.createdBy, false),
  ];
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

/** Facts in which two runs differ though they must not, to be compared. */
export function differences(a: Manifest, b: Manifest): string[] {
  const others = new Map(definitionRows(b).map(({ name, value }) => [name, value]));
  return definitionRows(a)
    .filter(({ name, value, defines }) => defines && others.get(name) !== value)
    .map(({ name, value }) => `${name}: ${value} – ${others.get(name) ?? ''}`);
}
