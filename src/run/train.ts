import type { Dataset } from '../data/types.js';
import { silent, withProgress } from '../experiment/control.js';
import type { Experiment } from '../experiment/experiment.js';
import { type CopyControl, copyTrajectory } from '../experiment/recorded.js';
import type { RunWriter } from '../store/writer.js';
import { directionsOf } from './basis.js';
import { batches, trajectory } from './steps.js';

/**
 * Trains and stores θ_0 … θ_T and the batch order, or copies a trajectory that was recorded elsewhere. A run that was
 * interrupted is replayed from θ_0, each row checked against what is stored. Does nothing where training is complete.
 */
export async function trainRun(
  experiment: Experiment,
  run: RunWriter,
  control: CopyControl = {},
): Promise<void> {
  if (run.status.trained) return;
  if (experiment.recorded !== null) await copyTrajectory(experiment, experiment.recorded, run, control);
  else await storeTrajectory(experiment, run, control);
  await run.finishTraining({
    ...(experiment.recorded === null ? { order: batches(experiment) } : {}),
    ...splitsOf(experiment.dataset),
    basis: await directionsOf(experiment, run, control.signal),
  });
}

/** The places of drawn sets as a run stores them: an array `split/SET` of each, one row [1] an example. */
function splitsOf({ drawn }: Pick<Dataset, 'drawn'>): Record<string, Iterable<Int32Array>> {
  const rows = function* (places: Uint32Array) {
    const numbers = Int32Array.from(places);
    for (let at = 0; at < numbers.length; at++) yield numbers.subarray(at, at + 1);
  };
  return Object.fromEntries(Object.entries(drawn).map(([set, { places }]) => [`split/${set}`, rows(places)]));
}

/** Trains and stores θ_0 … θ_T. */
async function storeTrajectory(experiment: Experiment, run: RunWriter, control: CopyControl): Promise<void> {
  const { iterations } = experiment.config;
  const { progress = silent, signal, stored } = control;
  await withProgress(progress, { total: iterations }, async () => {
    for await (const { row, theta, loss } of trajectory(experiment)) {
      await run.writeTheta(row, theta);
      stored?.(row);
      progress.update(row, loss === undefined ? '' : `mini-batch loss ${loss.toFixed(4)}`);
      signal?.throwIfAborted();
    }
  });
}
