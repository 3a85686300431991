import type { Experiment } from '../experiment/experiment.js';
import { principalDirections } from '../num/principal.js';
import type { RunFolder } from '../store/folder.js';
import type { RunWriter } from '../store/writer.js';

/** The directions [K] of a run's basis, once θ_0 … θ_T are stored: of its file, or by principal components of the trajectory. */
export async function directionsOf(
  { basis, layout }: Experiment,
  run: RunWriter,
  signal?: AbortSignal,
): Promise<readonly Float64Array[]> {
  if (basis === null) return [];
  if (basis.rows !== null) return basis.rows;
  const rows = async function* () {
    for (let row = 0; row <= run.status.iterations; row++) {
      signal?.throwIfAborted();
      yield await run.theta(row);
    }
  };
  return principalDirections(rows, layout.size, basis.directions);
}

/** The directions [K] that a run has stored; none where it has no basis. */
export async function storedDirections(run: RunFolder): Promise<Float64Array[]> {
  const directions: Float64Array[] = [];
  if (run.manifest.basis === null) return directions;
  for await (const row of run.array('basis').rows()) directions.push(row as Float64Array);
  return directions;
}
