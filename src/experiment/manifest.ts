import type { SourceFile } from '../data/types.js';
import { choiceOf, engineNamed } from '../engines/registry.js';
import { DataError, EngineError, isPlainText } from '../errors.js';
import type { Manifest, ManifestContent } from '../format/manifest.js';
import { checkConfig } from './config/file.js';
import { trainingKeys } from './config/schema.js';
import { openExperiment, type Experiment, type SettledConfig, type StoredRun } from './experiment.js';
import { batchNormMode } from './graphs.js';
import { lossInWords, lossUnit } from './loss/loss.js';
import { stepExamples } from './optimizer.js';
import { portablePaths, withWholePaths } from './paths.js';
import { requireData, withPlaces, type Places } from './places.js';
import { version } from './version.js';
import { createRunFolder } from '../store/open.js';
import type { RunWriter } from '../store/writer.js';

/**
 * Makes the run folder of an experiment, with what it keeps of the model, and opens it for writing.
 *
 * @throws DataError where a name of the network cannot be printed, StoreError (exit code 2) where the folder exists, or cannot be made; then nothing is
 * touched.
 */
export async function createRun(folder: string, experiment: Experiment): Promise<RunWriter> {
  requirePlainNames(experiment);
  return createRunFolder(folder, manifestOf(experiment, folder), experiment.network.attachments);
}

/** Refuses names that would command a terminal or turn text around, before a manifest of Lossledger's own is said to be wrong. */
function requirePlainNames({ layout, model }: Experiment): void {
  const name = layout.tensors.flatMap((tensor) => [tensor.name, tensor.layer]).find((own) => !isPlainText(own));
  if (name === undefined) return;
  const shown = JSON.stringify(name).replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (own) => `\\u{${own.codePointAt(0)!.toString(16)}}`);
  throw new DataError({
    given: `a parameter or layer ${shown} of ${model.name}`,
    expected: 'names of one line without control characters and marks of direction',
    remedy: 'rename it in the model file',
  });
} // prettier-ignore

/** What defines the run of an experiment, as its folder states it: with paths relative to `folder` where they were stated relative. */
export function manifestOf(experiment: Experiment, folder = '.'): ManifestContent {
  const { config, stated, dataset, network, engine, layout, chunk, recorded, components, basis } = experiment;
  const { splits, transform } = dataset;
  const paths = portablePaths(stated, config, folder);
  return {
    createdBy: `lossledger ${version}`,
    config: configOf({ ...config, ...paths, measure: paths.measure ?? config.measure }, recorded !== null),
    definition: {
      loss: lossInWords(config),
      unit: lossUnit(config),
      reduction: config.reduction,
      model: experiment.model.name,
      modelFiles: [...network.files],
      dataset: dataset.name,
      splitHash: dataset.splitHash,
      drawn: Object.keys(dataset.drawn),
      files: [...dataset.files],
      scaling: { divisor: transform.divisor, mean: [...transform.mean], std: [...transform.std] },
      exampleShape: [...splits.train.shape],
      counts: Object.fromEntries(Object.entries(splits).map(([name, { count }]) => [name, count])),
      chunk,
      lanes: config.lanes,
      batchNorm: batchNormMode(experiment),
      dropout: 'off',
      precision: engine.facts.precision,
    },
    objectives: experiment.objectives.map(({ name, statistics, examples, division, sample }) => ({
      name,
      statistics,
      parts: division
        ? division.parts.map(({ name: part, by, blockOf = null, examples: own }) => ({
            name: part,
            by,
            blockOf,
            examples: own,
          }))
        : [{ name: 'all', by: 'all', examples: examples.count }],
      order: division?.kind === 'sorted' ? ('parts' as const) : ('source' as const),
      sample,
    })),
    parameters: layout.tensors.map((tensor) => ({ ...tensor, shape: [...tensor.shape] })),
    layers: layout.layers.map((name, index) => ({ name, neurons: layout.neurons[index]! })),
    groupings: experiment.groupings.map(({ name, cells }) => ({
      name,
      cells: cells.map((cell) => ({ name: cell.name, patterns: [...cell.patterns] })),
    })),
    trajectory: {
      iterations: config.iterations,
      iteration: recorded?.iteration ? [...recorded.iteration] : null,
      files: recorded ? [...recorded.files] : [],
      batchSize: recorded ? null : stepExamples(config),
    },
    readings: experiment.readings.map((reading) => ({ ...reading })),
    quadrature: {
      rule: config.rule,
      tolerance: config.tolerance,
      subintervals: config.subintervals,
      maxSubintervals: config.maxSubintervals,
      certify: config.certify,
    },
    keep: config.keep,
    keepParts: config.keepParts,
    components: [...components],
    keepComponents: config.keepComponents,
    basis: basis && { kind: basis.kind, directions: basis.directions, files: [...basis.files] },
    leftOut: experiment.leftOut.map((own) => ({ ...own })),
    engine: { name: engine.name, version: engine.version() },
    seed: config.seed,
  };
}

/** The configuration as a manifest keeps it. Of a trajectory from elsewhere nothing is claimed about how it was trained. */
function configOf(config: SettledConfig, isRecorded: boolean): Manifest['config'] {
  const penalty = config.measureWeightDecay ? ['weightDecay', 'groups'] : [];
  const unknown = isRecorded ? trainingKeys.filter((key) => !penalty.includes(key)) : [];
  const { forks, ...stated } = config;
  const all = forks.length > 0 ? config : stated;
  const kept = Object.entries(all).filter(([key]) => !(unknown as readonly string[]).includes(key));
  return JSON.parse(JSON.stringify(Object.fromEntries(kept))) as Manifest['config'];
}

/**
 * The experiment of a stored run, its files at `places`; refuses data that are no longer the ones it was made with, and an engine of
 * another version, or that is not here. With `engineName` it is to be computed anew by another one, which takes the place of the run's own. `tell` hears of what takes long.
 */
export async function experimentOf(
  stored: StoredRun,
  places: Places = {},
  engineName?: string,
  tell?: (what: string) => void,
): Promise<Experiment> {
  const { manifest } = stored;
  const settled = { ...choiceOf(engineName ?? manifest.engine.name), chunk: manifest.definition.chunk };
  const kept = withWholePaths(checkConfig({ ...manifest.config, ...settled }, 'the manifest'), stored.folder);
  const config = withPlaces(kept, places);
  requireData(config, manifest);
  if (engineName === undefined) await requireEngine(manifest);
  const experiment = await openExperiment(config, stored, tell);
  const { dataset, engine } = experiment;
  requireFiles(dataset.files, manifest, experiment.config.data);
  if (dataset.splitHash !== manifest.definition.splitHash) {
    throw changed('split', dataset.splitHash, manifest.definition.splitHash);
  }
  if (engineName === undefined && engine.version() !== manifest.engine.version) {
    throw changed('engine', engine.version(), manifest.engine.version);
  }
  return experiment;
}

/** What computed a run goes on with it: another engine's numbers are none of its own. */
async function requireEngine({ engine }: Manifest): Promise<void> {
  const availability = await (await engineNamed(engine.name)).available();
  if (availability.ok) return;
  throw new EngineError(
    {
      given: `engine ${engine.name}, which the run was made with, and which is not available here: ${availability.reason}`,
      expected: 'the engine of the run',
      remedy: 'go on where it is, or make a new run; numbers of both kinds must not be mixed',
    },
    { exitCode: 2 },
  );
}

/** Each file by name, so that the message says which one is another. */
function requireFiles(files: readonly SourceFile[], { definition }: Manifest, data: string): void {
  for (const { name, sha256 } of definition.files) {
    const found = files.find((file) => file.name === name)?.sha256 ?? 'missing';
    if (found !== sha256) throw changed(`file ${name} of data ${data},`, found, sha256);
  }
}

function changed(what: string, given: string, expected: string): DataError {
  return new DataError({
    given: `${what} ${given}`,
    expected: `${expected}, which the run was made with`,
    remedy:
      'go on with what the run was made with (--data PLACE, where it was moved), or make a new run; numbers of both kinds must not be mixed',
  });
}
