import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { sourceFile } from '../data/files.js';
import { manifestName } from '../format/context.js';
import type { Reading } from '../formats/reading.js';
import { readCheckpoint } from '../trajectory/single.js';
import type { ModelWeights } from '../trajectory/types.js';
import { DataError, UsageError } from '../errors.js';
import type { Parameter } from '../graph/types.js';
import { placeOf } from '../ledger/layout.js';
import type { ParameterLayout } from '../ledger/types.js';
import { initialise } from '../models/initialise.js';
import { key } from '../num/random.js';
import { firstNonFinite } from '../num/sums.js';
import { openRun } from '../store/open.js';
import type { RunFolder } from '../store/folder.js';
import type { RunConfig } from './config/schema.js';

/**
 * θ_0 [K]: of the stored run where it has one, else as the configuration says: from a run folder (its θ_0), from a file of tensors,
 * or by the seed. Throws where what was given does not fit the network, and DataError where a number is not finite.
 */
export async function startingTheta(
  config: RunConfig,
  weights: ModelWeights,
  layout: ParameterLayout,
  parameters: readonly Parameter[],
  stored: Pick<RunFolder, 'status' | 'theta'> | undefined,
): Promise<Float32Array> {
  const { init } = config;
  if (init !== null && stored !== undefined && stored.status.rows > 0) return stored.theta(0);
  const theta = await givenTheta(config, weights, layout, parameters);
  const at = firstNonFinite(theta);
  if (at < 0) return theta;
  const { tensor, index } = placeOf(layout, at);
  throw new DataError({
    given: `starting weights in ${init ?? config.model} of which ${tensor}[${index}] is ${theta[at]!}`,
    expected: 'finite numbers of float32 range',
    remedy: 'start from weights saved before training diverged',
  });
}

async function givenTheta(
  { init, seed }: RunConfig,
  weights: ModelWeights,
  layout: ParameterLayout,
  parameters: readonly Parameter[],
): Promise<Float32Array> {
  if (init === null) return initialise(parameters, key(seed));
  const status = await stat(init).catch(() => null);
  if (status?.isDirectory()) return startOfRun(init, layout);
  // A file holds parameters; running statistics behind them start as in every run.
  const theta = initialise(parameters, key(seed));
  theta.set(
    await readCheckpoint(
      init,
      weights,
      layout.tensors.filter(({ kind }) => kind !== 'statistics'),
    ),
  );
  return theta;
}

/** Which file or run θ_0 came from, for the manifest: once it is stored, it is not needed any more. */
export async function startReading({ init }: Pick<RunConfig, 'init'>): Promise<Reading[]> {
  if (init === null) return [];
  const isFolder = (await stat(init)).isDirectory();
  const { sha256 } = await sourceFile(isFolder ? join(init, manifestName) : init);
  const what = isFolder ? `of the run ${basename(init)}` : `in ${basename(init)}`;
  return [
    { about: 'starting weights', decision: `those ${what}`, evidence: `init, as given; SHA-256 ${sha256}` },
  ];
}

async function startOfRun(folder: string, layout: ParameterLayout): Promise<Float32Array> {
  const run = await openRun(folder);
  const describe = (tensors: ParameterLayout['tensors']) =>
    tensors.map(({ name, shape }) => `${name} [${shape.join(', ')}]`).join(', ');
  const given = describe(run.manifest.parameters);
  const expected = describe(layout.tensors);
  if (given === expected) return run.theta(0);
  throw new UsageError({
    given: `init ${folder} with tensors ${given}`,
    expected,
    remedy: 'start from a run of the same network',
  });
}
