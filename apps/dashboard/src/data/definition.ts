import type { Manifest } from 'lossledger/format';

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
    row('Loss', `${definition.loss}, ${definition.reduction}, ${definition.unit}`),
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
    row('Batch statistics', `by ${definition.batchNorm}`),
    row('Data split', definition.splitHash.slice(0, 16)),
    row('Precision', definition.precision),
    row(
      'Rule',
      `${quadrature.rule}${quadrature.tolerance === null ? '' : `, tolerance ${quadrature.tolerance}`}`,
    ),
    row('Engine', `${engine.name} ${engine.version}`, false),
    row('Iterations', trajectory.iterations.toLocaleString('en'), false),
    row('Optimiser', optimiserOf(config), false),
    row('Seed', String(manifest.seed), false),
    row('Made by', `Lossledger ${manifest.createdBy}`, false),
  ];
}

function optimiserOf(config: Manifest['config']): string {
  const keys = ['optimizer', 'learningRate', 'momentum', 'weightDecay', 'batchSize'];
  return keys
    .flatMap((key) =>
      config[key] === undefined || config[key] === null ? [] : `${key} ${JSON.stringify(config[key])}`,
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
