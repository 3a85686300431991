import { silent, withProgress, type WorkControl } from '../experiment/control.js';
import type { Experiment } from '../experiment/experiment.js';
import { copyTrajectory, splitsOf } from '../experiment/recorded.js';
import type { RunWriter } from '../store/writer.js';
import { batches, trajectory } from './steps.js';

/**
 * Trains and stores θ_0 … θ_T and the batch order, or copies a trajectory that was recorded elsewhere. A run that was
 * interrupted is replayed from θ_0, each row checked against what is stored. Does nothing where training is complete.
 */
export async function trainRun(
  experiment: Experiment,
  run: RunWriter,
  control: WorkControl = {},
): Promise<void> {
  if (run.status.trained) return;
  const {
    config: { iterations },
    recorded,
  } = experiment;
  if (recorded !== null) return copyTrajectory(experiment, recorded, run, control);
  const { progress = silent, signal } = control;
  await withProgress(progress, { total: iterations }, async () => {
    for await (const { row, theta, loss } of trajectory(experiment)) {
      await run.writeTheta(row, theta);
      progress.update(row, loss === undefined ? '' : `mini-batch loss ${loss.toFixed(4)}`);
      signal?.throwIfAborted();
    }
  });
  await run.finishTraining({ order: batches(experiment), ...splitsOf(experiment.dataset) });
}
