import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isFloat } from '../formats/array.js';
import type { Reading } from '../formats/reading.js';
import { misfit } from '../formats/source.js';
import { arrange, arranged, type Arranged, type Parameter } from './match/axes.js';
import { layoutSize, listed, requireFinite, requireIterations, requireRows } from './checks.js';
import { beyondLastRow, type Placed } from './match/beyond.js';
import { checkpointRecording, listCheckpoints } from './checkpoints/checkpoints.js';
import { orderByCounts } from './checkpoints/counts.js';
import { isRecorderFolder, readDescription, recorderFiles, recorderRecording } from './recorder-folder.js'; // prettier-ignore
import { stackedRecording, unreadArrays } from './stacked.js';
import { openTensorFile } from './tensor-file.js';
import { emptyFrom, isStill, isTelling, numbersOf, rowsToCompare, sameNumbers } from './match/values.js';
import { requireUpdates } from './updates.js';
import type { Match, Recording, RecordingOptions, Trajectory } from './types.js';

/** A recording, the files that it is read from, and what was decided about their order. */
export interface OpenedRecording {
  readonly recording: Recording;
  readonly files: readonly string[];
  readonly readings: readonly Reading[];
}

/**
 * Opens a training run that was recorded elsewhere. `path` is
 * - a file (safetensors, `.npz`, `.npy`, HDF5, PyTorch's) with `theta` or `all_weights` [T+1, K], or one array [T+1, …shape] per
 *   tensor; optionally `iteration` [T+1], and components of updates;
 * - a folder that the recorder for PyTorch wrote;
 * - a folder with one such file, or one folder, per checkpoint, tensors by name, the iteration in each name.
 * Throws DataError where the path is missing, a file is damaged, there are fewer than two rows, or names leave their order open.
 */
export async function openRecording(path: string, options: RecordingOptions = {}): Promise<OpenedRecording> {
  const opened = await openAny(path, options);
  try {
    requireRows(opened.recording.rows, path);
    requireIterations(opened.recording.iteration, opened.recording.rows, path);
    return opened;
  } catch (error) {
    await opened.recording.close();
    throw error;
  }
}

async function openAny(path: string, options: RecordingOptions): Promise<OpenedRecording> {
  if (isRecorderFolder(path)) {
    const recording = await recorderRecording(path);
    return { recording, files: await recordingFiles(path, options), readings: [] };
  }
  if ((await stat(path).catch(() => null))?.isDirectory()) {
    const { checkpoints, reading } = await listCheckpoints(path, options);
    const order = await orderByCounts(path, checkpoints, Boolean(options.checkpointPattern));
    const recording = await checkpointRecording(path, checkpoints, options);
    const files = checkpoints.flatMap((checkpoint) => checkpoint.files.map((file) => join(path, file)));
    return { recording, files, readings: order === null ? [reading] : [reading, order] };
  }
  const file = await openTensorFile(path);
  try {
    const recording = await stackedRecording(file);
    return { recording, files: [path], readings: await unreadArrays(file, recording) };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The files of a recording that was opened before; throws DataError as opening does. */
export async function recordingFiles(
  path: string,
  options: RecordingOptions = {},
): Promise<readonly string[]> {
  if (isRecorderFolder(path)) {
    const all = recorderFiles(path, await readDescription(path));
    return options.follow ? all.slice(0, 1) : all;
  }
  if (!(await stat(path).catch(() => null))?.isDirectory()) return [path];
  const { checkpoints } = await listCheckpoints(path, options);
  return checkpoints.flatMap((checkpoint) => checkpoint.files.map((file) => join(path, file)));
}

/**
 * The trajectory of `parameters`, in the order of θ, that a recording holds, and what was decided about it. Throws DataError where the
 * axes of recorded kernels cannot be told or do not fit.
 */
export async function trajectoryOf(
  recording: Recording,
  match: Match,
  parameters: readonly Parameter[],
  options: RecordingOptions = {},
): Promise<{ trajectory: Trajectory; readings: readonly Reading[] }> {
  const arrangement = await arrange(recording, match, parameters, options.layout ?? null);
  const trajectory = assembled(recording, parameters, arrangement);
  await requireWritten(recording, match);
  const readings = [
    ...arrangement.readings,
    ...(await agreement(recording, parameters, arrangement)),
    ...(await precisionOf(recording, match)),
    // Rows that are still to come may move what the first ones do not.
    ...(options.follow ? [] : await movement(recording, match)),
  ];
  return { trajectory, readings };
}

function assembled(
  recording: Recording,
  parameters: readonly Parameter[],
  { arrangements }: Arranged,
): Trajectory {
  const size = layoutSize(parameters);
  const rowOf = async (source: Pick<Recording, 'read'>, t: number): Promise<Float32Array> => {
    const row = new Float32Array(size);
    let at = 0;
    const read = keepingLast((tensor) => numbersOf(source, tensor, [t]));
    for (const arrangement of arrangements) {
      const [recorded] = await read(arrangement.part.tensor);
      const numbers = arranged(recorded!, arrangement);
      row.set(numbers, at);
      at += numbers.length;
    }
    requireFinite(row, parameters, recording.name, t);
    return row;
  };
  return {
    rows: recording.rows,
    iteration: recording.iteration,
    row: (t) => rowOf(recording, t),
    components: () => {
      requireUpdates(recording, [...new Set(arrangements.map(({ part }) => part.tensor))]);
      return [...recording.updates.keys()];
    },
    component: (name, t) => rowOf(recording.updates.get(name)!, t),
    close: () => recording.close(),
  };
}

/** Reads recorded tensors, the last one kept: the parameters of a θ without names are all parts of one. */
function keepingLast<T>(read: (tensor: string) => Promise<T>): (tensor: string) => Promise<T> {
  let last: { readonly tensor: string; readonly value: Promise<T> } | undefined;
  return (tensor) => {
    if (last?.tensor !== tensor) last = { tensor, value: read(tensor) };
    return last.value;
  };
}

/**
 * Whether the model file is of one of the rows: where a parameter that moves is, number by number, that of a row, all must be. Throws
 * DataError where they are not, for then something was read as what it is not.
 */
async function agreement(
  recording: Recording,
  parameters: readonly Parameter[],
  { arrangements }: Arranged,
): Promise<Reading[]> {
  const telling = parameters.flatMap(({ name, data }, k) =>
    data !== null && isTelling(data) ? [{ name, data, arrangement: arrangements[k]! }] : [],
  );
  for (const t of rowsToCompare(recording)) {
    const equal: string[] = [];
    const other: Placed[] = [];
    let moves = false;
    const rows = [t, t === 0 ? recording.rows - 1 : 0];
    const read = keepingLast((tensor) => numbersOf(recording, tensor, rows));
    for (const { name, data, arrangement } of telling) {
      const [row, elsewhere] = await read(arrangement.part.tensor);
      const same = sameNumbers(data, arranged(row!, arrangement));
      const { tensor } = arrangement.part;
      if (same) equal.push(name);
      else other.push({ name, data, tensor, arranged: (recorded) => arranged(recorded, arrangement) });
      moves ||= same && !sameNumbers(data, arranged(elsewhere!, arrangement));
    }
    if (!moves) continue;
    if (other.length === 0) {
      const evidence = `the numbers of ${equal.length === 1 ? equal[0]! : `all ${equal.length} parameters that tell`}`;
      return [{ about: 'model file', decision: `its parameters are those of row ${t}`, evidence }];
    }
    const beyond = t === recording.rows - 1 ? await beyondLastRow(recording, equal, other) : null;
    if (beyond !== null) return [beyond];
    throw misfit(
      recording.name,
      `row ${t} is the model file's in ${listed(equal)}, but not in ${listed(other.map(({ name }) => name))}`,
      'all parameters of the model file, or none, to be those of a row',
      'name the recorded tensors with --names, say how their axes stand with --layout, or export the model unchanged',
    );
  }
  return [];
}

/** Throws DataError for rows at the end that hold nothing but zeros: of a file that was made for more rows than were written. */
async function requireWritten(recording: Recording, { parts }: Match): Promise<void> {
  const { name, rows } = recording;
  const from = await emptyFrom(recording, [...new Set([...parts.values()].map(({ tensor }) => tensor))]);
  if (from === null) return;
  throw misfit(
    name,
    from === rows - 1 ? `zeros alone in the last row, ${from}` : `zeros alone in the last rows, ${from} to ${rows - 1}`,
    'parameters in every row: such files are made for more rows than training wrote',
    `save the first ${from} rows alone, such as theta[:${from}]`,
  ); // prettier-ignore
}

/** Types other than float32, which parameters are computed in. Throws where a tensor holds no floats. */
async function precisionOf(recording: Recording, { parts }: Match): Promise<Reading[]> {
  const names = new Set([...parts.values()].map(({ tensor }) => tensor));
  const byType = new Map<string, string[]>();
  for (const name of names) {
    const { dtype, storedType } = recording.tensors.get(name)!;
    if (dtype === null || !isFloat(dtype)) {
      throw misfit(
        `${recording.name}(${name})`,
        `numbers of type ${storedType}`,
        'floats',
        'save parameters as float32',
      );
    }
    if (dtype !== 'float32') byType.set(dtype, [...(byType.get(dtype) ?? []), name]);
  }
  const readings: Reading[] = [];
  for (const [dtype, tensors] of byType) {
    const exact = dtype !== 'float64' || (await areFloat32(recording, tensors));
    readings.push({
      about: 'numbers of recorded tensors',
      decision: `${dtype} read as float32: ${listed(tensors)}`,
      evidence: exact ? 'every number is one of float32' : 'rounded: some are no numbers of float32',
    });
  }
  return readings;
}

async function areFloat32(recording: Recording, names: readonly string[]): Promise<boolean> {
  for (const name of names) {
    for (const t of [0, recording.rows - 1]) {
      const { data } = await recording.read(name, t);
      if (!(data as Float64Array).every((value) => Math.fround(value) === value)) return false;
    }
  }
  return true;
}

/** What looks like an accident of recording: rows that are all the same. */
async function movement(recording: Recording, { parts }: Match): Promise<Reading[]> {
  const names = [...new Set([...parts.values()].map(({ tensor }) => tensor))];
  for (const name of names) if (!(await isStill(recording, name))) return [];
  for (let t = 1; t < recording.rows; t++) {
    for (const name of names) {
      const [before, after] = await numbersOf(recording, name, [t - 1, t]);
      if (!sameNumbers(before!, after!)) return [];
    }
  }
  return [
    {
      about: 'rows of the trajectory',
      decision: 'all rows are the same: nothing was learned in them',
      evidence: `${recording.rows} rows compared; recorders that keep a reference in place of a copy (.copy(), .clone()) make such files`,
      warning: true,
    },
  ];
}
