import { existsSync } from 'node:fs';
import { basename, relative } from 'node:path';
import { sourceFile } from '../data/files.js';
import type { Dataset, RawDataset, SourceFile } from '../data/types.js';
import { DataError } from '../errors.js';
import type { Manifest } from '../format/manifest.js';
import type { Reading } from '../formats/reading.js';
import type { Graph, Parameter } from '../graph/types.js';
import type { Model } from '../models/types.js';
import { silent, type WorkControl } from './control.js';
import type { RunWriter } from '../store/writer.js';
import { flattenedKernels } from '../trajectory/match/flatten.js';
import { isRecorderFolder, stepsToFollow, waitForRows } from '../trajectory/recorder-folder.js';
import { namesOfFolded } from '../trajectory/match/folded.js';
import { matchRecording } from '../trajectory/match/match.js';
import { openRecording, recordingFiles, trajectoryOf } from '../trajectory/open.js';
import { type PassedTensor, passedTensors } from '../trajectory/passed.js';
import type { Match, ModelWeights, Recording, RecordingOptions, Trajectory } from '../trajectory/types.js';
import type { RunConfig } from './config/schema.js';
import type { Network, NetworkFile } from './network/types.js';
import { rounding } from './optimizer.js';
import { moved } from './places.js';

/** A trajectory that was recorded elsewhere. */
export interface Recorded {
  readonly path: string;
  /** T: steps from one row to the next. */
  readonly iterations: number;
  /** Training iteration of each row [T+1]; null: 0…T. */
  readonly iteration: readonly number[] | null;
  readonly files: readonly SourceFile[];
  /** Components of updates that it is measured by; none unless they were asked for. */
  readonly components: readonly string[];
  /** Recorded tensors that the user passed over. */
  readonly passed: readonly PassedTensor[];
  /** Tensors of the model that look like parameters, and were none to the recorder. */
  readonly buffers: readonly string[];
}

/** What a configuration says about a recording that files leave open. */
export function recordingOptions(config: RunConfig): RecordingOptions {
  const { checkpointPattern, names, frozen, rest, ignore, layout, follow } = config;
  return {
    checkpointPattern,
    rest,
    layout,
    follow,
    names: names ?? [],
    frozen: frozen ?? [],
    ignore: ignore ?? [],
  };
}

/** Which of the model's tensors a recording moves. Throws DataError, UsageError. */
export async function matchTrajectory(
  path: string,
  weights: ModelWeights,
  options: RecordingOptions,
): Promise<Match> {
  return withRecording(path, options, (recording) => matchRecording(recording, weights, options));
}

/** What `look` finds in a recording, which is closed behind it. Throws DataError. */
async function withRecording<T>(
  path: string,
  options: RecordingOptions,
  look: (recording: Recording) => Promise<T>,
): Promise<T> {
  const { recording } = await openRecording(path, options);
  try {
    return await look(recording);
  } finally {
    await recording.close();
  }
}

/** What is needed to read a recording as the rows of θ. */
export interface RecordedModel {
  readonly weights: ModelWeights;
  /** Forward graph of the network; its parameters are those that the recording moves. */
  readonly graph: Graph;
}

/** Opens a recording as the trajectory of a network's parameters, with all that was decided about it. Throws DataError, UsageError. */
export async function openTrajectory(
  path: string,
  { weights, graph }: RecordedModel,
  options: RecordingOptions,
): Promise<{ trajectory: Trajectory; buffers: readonly string[]; readings: readonly Reading[] }> {
  const { recording, readings } = await openRecording(path, options);
  try {
    const match = await matchRecording(recording, weights, options);
    const flattened = flattenedKernels(graph);
    const parameters = graph.parameters.map(({ value, neuronAxis, initializer }: Parameter) => ({
      name: value.name,
      shape: value.shape,
      neuronAxis,
      flattened: flattened.get(value.name) ?? null,
      data: initializer.kind === 'values' ? initializer.data : null,
    }));
    const opened = await trajectoryOf(recording, match, parameters, options);
    return {
      ...opened,
      buffers: match.buffers ?? [],
      readings: [...readings, ...match.readings, ...opened.readings],
    };
  } catch (error) {
    await recording.close();
    throw error;
  }
}

/** Looks at a trajectory: that it fits the network, and what it is. Throws DataError, UsageError. */
export async function inspectTrajectory(
  path: string,
  model: RecordedModel,
  options: RecordingOptions & { readonly components?: boolean },
): Promise<{ recorded: Recorded; readings: readonly Reading[] }> {
  const steps = options.follow ? await beginFollowing(path) : null;
  const { trajectory, buffers, readings } = await openTrajectory(path, model, options);
  const { rows, iteration } = trajectory;
  const components = options.components ? componentsOf(trajectory, path) : [];
  await trajectory.close();
  const plain = iteration.every((value, t) => value === t);
  const files = await filesOf(path, options);
  const passed = await passedTensors(path, options);
  const recorded = {
    path,
    iterations: steps ?? rows - 1,
    iteration: plain ? null : iteration,
    files,
    components,
    passed,
    buffers,
  };
  return { recorded, readings };
}

/** Waits for the first step of a recording that is followed: the number of steps that it will have. Throws DataError. */
async function beginFollowing(path: string): Promise<number> {
  if (!isRecorderFolder(path)) {
    throw new DataError({
      given: `--follow with ${path}`,
      expected: 'a folder that the recorder for PyTorch writes (python/lossledger), with its first row',
      remedy: 'start training first, or measure without --follow when it is over',
    });
  }
  const steps = await stepsToFollow(path);
  await waitForRows(path, 2);
  return steps;
}

function componentsOf(trajectory: Trajectory, path: string): readonly string[] {
  const components = trajectory.components();
  if (!components.includes(rounding)) return components;
  throw new DataError({
    given: `a component update/${rounding} in ${path}`,
    expected: `other names: ${rounding} is what the recorded components leave of the motion`,
    remedy: 'leave it out, or call it something else',
  });
}

/** What a stored run says of its trajectory; the file itself is needed only where rows are still missing. */
export function recordedOf(path: string, { trajectory, components }: Manifest): Recorded {
  return {
    path,
    ...trajectory,
    passed: [],
    buffers: [],
    components: components.filter((name) => name !== rounding),
  };
}

/** Of an experiment, what reading its recording takes. */
export interface RecordedExperiment {
  readonly config: RunConfig;
  readonly model: Model;
  readonly network: { readonly weights: () => ModelWeights };
  readonly dataset: Pick<Dataset, 'transform'>;
}

/** Opens the recording of a run that exists. Throws DataError where it is no longer the one that the run was made with. */
export async function reopenTrajectory(
  { config, model, network, dataset }: RecordedExperiment,
  recorded: Recorded,
): Promise<Trajectory> {
  const options = recordingOptions(config);
  await requireUnchanged(recorded, options);
  const graph = model.build({ examples: 1, training: false, transform: dataset.transform });
  return (await openTrajectory(recorded.path, { weights: network.weights(), graph }, options)).trajectory;
}

/** Copies what is missing of θ_0 … θ_T into the run. Throws DataError where the trajectory is no longer the one the run was made with. */
export async function copyTrajectory(
  experiment: RecordedExperiment,
  recorded: Recorded,
  run: RunWriter,
  { progress = silent, signal, stored }: CopyControl,
): Promise<void> {
  let trajectory = await reopenTrajectory(experiment, recorded);
  let last = await trajectory.row(trajectory.rows - 1);
  progress.start(recorded.iterations);
  try {
    for (let row = 0; row <= recorded.iterations && !signal?.aborted; row++) {
      if (row >= trajectory.rows) {
        await waitForRows(recorded.path, row + 1, signal);
        await trajectory.close();
        trajectory = await reopenTrajectory(experiment, recorded);
        requireContinued(recorded, row - 1, await trajectory.row(row - 1), await run.theta(row - 1));
        last = await trajectory.row(trajectory.rows - 1);
      }
      const theta = await trajectory.row(row);
      if (row === trajectory.rows - 1) requireContinued(recorded, row, theta, last);
      await run.writeTheta(row, theta);
      progress.update(row);
      stored?.(row);
    }
  } finally {
    progress.stop();
    await trajectory.close();
  }
  signal?.throwIfAborted();
}

/** How a caller watches and stops copying, and is told of rows that are stored. */
export interface CopyControl extends WorkControl {
  readonly stored?: ((row: number) => void) | undefined;
}

/** Throws DataError where a row [K] is no longer what the recording held: training went on from an earlier checkpoint, another way. */
function requireContinued({ path }: Recorded, row: number, found: Float32Array, before: Float32Array): void {
  if (found.every((value, k) => Object.is(value, before[k]))) return;
  throw new DataError({
    given: `row ${row} of ${path}, which is other than when it was read before`,
    expected:
      'a recording that only grows: training was resumed from an earlier checkpoint and went another way',
    remedy: 'make a new run, without --follow or from here on',
  });
}

async function requireUnchanged({ path, files }: Recorded, options: RecordingOptions): Promise<void> {
  if (!existsSync(path)) throw moved('trajectory', path, files);
  const found = await filesOf(path, options);
  const changed = files.find((file) => found.find(({ name }) => name === file.name)?.sha256 !== file.sha256);
  if (changed === undefined) return;
  throw new DataError({
    given: `${changed.name} of trajectory ${path}, which is missing or was changed`,
    expected: `SHA-256 ${changed.sha256}, which the run was made with`,
    remedy: 'restore the file, say where it is now with --trajectory PLACE, or make a new run',
  });
}

/** The file, or the checkpoints of a folder by their paths in it, with their checksums. */
async function filesOf(path: string, options: RecordingOptions): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for (const file of await recordingFiles(path, options)) {
    const { sha256 } = await sourceFile(file);
    files.push({ name: relative(path, file) || basename(path), sha256 });
  }
  return files;
}

/** The network; a recording tells its parameters from other tensors of the file. */
export function openModel(config: RunConfig, file: NetworkFile, { pool }: RawDataset): Promise<Network> {
  const { shape, further = [] } = pool;
  const shapes = [[file.inputs?.[0] ?? 'x', shape], ...further.map((input) => [input.name, input.shape])];
  const options = {
    exampleShape: Object.fromEntries(shapes) as Readonly<Record<string, readonly number[]>>,
    computesLoss: config.loss === 'output',
  };
  const { trajectory } = config;
  if (trajectory === null) return file.open(options);
  const said = recordingOptions(config);
  const foldedNames = (weights: ModelWeights) =>
    withRecording(trajectory, said, (recording) => namesOfFolded(recording, weights, said));
  const trained = async (weights: ModelWeights) =>
    new Set((await matchTrajectory(trajectory, weights, said)).parts.keys());
  return file.open({ ...options, foldedNames, trained });
}
