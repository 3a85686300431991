import { UsageError } from '../../errors.js';
import type { Reading } from '../../formats/reading.js';
import { hasChunkStatistics, withRunningStatistics } from '../../graph/statistics.js';
import type { Model } from '../../models/types.js';
import type { RunConfig } from '../config/schema.js';
import type { Network } from '../network/types.js';

/**
 * The network as a run uses it: where losses are measured with running statistics, these stand behind its parameters in θ. Throws UsageError for
 * a network that has none, and for a trajectory that is recorded.
 */
export function trackedModel({ statistics, trajectory, basis }: RunConfig, { model }: Network): Model {
  if (!statistics.includes('running')) return model;
  const given = `statistics ${statistics.join(',')}`;
  if (trajectory !== null) {
    throw new UsageError({
      given: `${given} of a recorded trajectory`,
      expected: 'a run that trains, whose running statistics are known at every step',
      remedy: 'leave out statistics; a model file that was exported for inference is measured with its own running statistics',
    }); // prettier-ignore
  }
  if (basis !== null) {
    throw new UsageError({
      given: `${given} with basis ${basis}`,
      expected: 'a basis of parameters alone',
      remedy: 'leave out one of the two',
    });
  }
  const build: Model['build'] = (options) => {
    const graph = model.build(options);
    if (hasChunkStatistics(graph)) return withRunningStatistics(graph);
    throw new UsageError({
      given: `${given} of network ${model.name}`,
      expected: 'a network with batch normalisation by the statistics of chunks',
      remedy: 'leave out statistics',
    });
  };
  return { ...model, build };
}

/** Where running statistics of an imported network start, which its file may say otherwise. */
export function statisticsReadings({ statistics }: RunConfig, { files }: Network): Reading[] {
  if (!statistics.includes('running') || files.length === 0) return [];
  return [
    {
      about: 'running statistics',
      decision: 'start at mean 0 and variance 1',
      evidence: 'statistics running, as given; those in the model file are not read',
      warning: true,
    },
  ];
}
