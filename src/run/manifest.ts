import { DataError } from '../errors.js';
import type { Manifest, ManifestContent } from '../store/manifest.js';
import { checkConfig } from './config-file.js';
import { openExperiment, type Experiment } from './experiment.js';
import { version } from './version.js';

/** What defines the run of an experiment, as its folder states it. */
export function manifestOf({ config, dataset, engine, layout, chunk }: Experiment): ManifestContent {
  const { splits } = dataset;
  return {
    createdBy: `lossledger ${version}`,
    config: JSON.parse(JSON.stringify(config)) as Manifest['config'],
    objective: {
      loss: 'softmax cross-entropy',
      reduction: 'mean',
      model: config.model,
      dataset: dataset.name,
      splitHash: dataset.splitHash,
      files: [...dataset.files],
      counts: {
        train: splits.train.count,
        validation: splits.validation.count,
        test: splits.test.count,
      },
      chunk,
      lanes: config.lanes,
      batchNorm: 'chunk',
      dropout: 'off',
      precision: engine.name === 'reference' ? 'float64' : 'float32',
    },
    parameters: layout.tensors.map((tensor) => ({ ...tensor, shape: [...tensor.shape] })),
    layers: layout.layers.map((name, index) => ({ name, neurons: layout.neurons[index]! })),
    trajectory: { iterations: config.iterations, iteration: null, batchSize: config.batchSize },
    quadrature: {
      rule: config.rule,
      tolerance: config.tolerance,
      subintervals: config.subintervals,
      maxSubintervals: config.maxSubintervals,
    },
    keep: config.keep,
    splits: config.splits,
    engine: { name: engine.name, version: engine.version() },
    seed: config.seed,
  };
}

/** The experiment of a stored run; refuses data that are no longer the ones it was made with. */
export async function experimentOf(manifest: Manifest): Promise<Experiment> {
  const experiment = await openExperiment(
    checkConfig(
      { ...manifest.config, engine: manifest.engine.name, chunk: manifest.objective.chunk },
      'the manifest',
    ),
  );
  const { dataset, engine } = experiment;
  if (dataset.splitHash !== manifest.objective.splitHash) {
    throw changed('split', dataset.splitHash, manifest.objective.splitHash);
  }
  if (engine.version() !== manifest.engine.version) {
    throw changed('engine', engine.version(), manifest.engine.version);
  }
  return experiment;
}

function changed(what: string, given: string, expected: string): DataError {
  return new DataError({
    given: `${what} ${given}`,
    expected: `${expected}, which the run was made with`,
    remedy: 'go on where the run was made, or make a new run; numbers of both kinds must not be mixed',
  });
}
