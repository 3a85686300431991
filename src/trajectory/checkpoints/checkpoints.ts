import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../errors.js';
import type { Reading } from '../../formats/reading.js';
import { misfit } from '../../formats/source.js';
import { described, listed } from '../checks.js';
import { hasShape, otherTensors, renamedAs, requireSame } from './alike.js';
import { numberNames } from './order.js';
import { openTensorFile } from '../tensor-file.js';
import type { Recording, RecordingOptions, TensorFile } from '../types.js';

/** One moment of training: its files are read together. */
export interface Checkpoint {
  /** Relative to the folder; several are the parts of one model. */
  readonly files: readonly string[];
  readonly iteration: number;
}

/** PyTorch's examples and its tutorial save `checkpoint_0001.pth.tar` and `.tar`, which are no archives of tar. */
const extensions = /\.(safetensors|npz|npy|h5|hdf5|keras|(pt|pth|ckpt)\.tar|pt|pth|th|tar|ckpt|bin)$/i;

/** Files that trainers keep in a checkpoint's folder beside the model. */
const besideModel =
  /^(optimizer|scheduler|rng_state.*|training_args|scaler|trainer_state|optim.*)\.(pt|pth|bin)$/i;

/** Names that say that a file is the model, or a part of it, and not of which moment. */
const modelNames = [
  /^(adapter_)?model\.safetensors$/i,
  /^model-\d+-of-\d+\.safetensors$/i,
  /^(pytorch_model|adapter_model)\.bin$/i,
  /^pytorch_model-\d+-of-\d+\.bin$/i,
];
/** What a checkpoint's folder holds the model in, best first. */
const modelFiles = [...modelNames, extensions];

/**
 * The checkpoints of a folder, in the order of their iterations, and what showed it: files of tensors, or folders that hold one model
 * each, such as `checkpoint-500/`. Throws DataError where names leave the order open.
 */
export async function listCheckpoints(
  folder: string,
  { checkpointPattern }: RecordingOptions,
): Promise<{ checkpoints: Checkpoint[]; reading: Reading }> {
  const pattern = checkpointPattern ? patternOf(checkpointPattern) : undefined;
  const { moments, left } = await namedMoments(folder);
  const matching = pattern === undefined ? moments : moments.filter(({ stem }) => pattern.test(stem));
  if (matching.length < 2) {
    throw misfit(
      folder,
      `${matching.length} checkpoints`,
      'at least 2 (before and after a step): .safetensors, .npz, .h5, .pt or .pth files, or folders of them',
      'record more checkpoints, or correct the path or the pattern',
    );
  }
  const { iteration, reading } = numberNames(
    matching.map(({ stem }) => stem),
    folder,
    pattern,
  );
  const checkpoints = matching
    .map(({ files }, k) => ({ files, iteration: iteration[k]! }))
    .sort((a, b) => a.iteration - b.iteration);
  const twice = checkpoints.find((each, t) => each.iteration === checkpoints[t - 1]?.iteration);
  if (twice === undefined) {
    const evidence = `${reading.evidence}; ${listed(left)} beside the models not read`;
    return { checkpoints, reading: left.length > 0 ? { ...reading, evidence } : reading };
  }
  throw misfit(
    folder,
    `two checkpoints of iteration ${twice.iteration}`,
    'one for each iteration',
    'move one elsewhere, or tell them apart with --checkpoint-pattern',
  );
}

function patternOf(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (cause) {
    throw new UsageError(
      {
        given: `checkpointPattern ${text}`,
        expected: 'a regular expression with one group, such as step=(\\d+)',
        remedy: 'correct it',
      },
      { cause },
    );
  }
}

interface Moment {
  /** Name without extension. */
  readonly stem: string;
  readonly files: readonly string[];
}

/** The checkpoints of a folder, and models beside them that are passed over. */
async function namedMoments(folder: string): Promise<{ moments: Moment[]; left: readonly string[] }> {
  // Hidden ones are of systems and editors, such as the `._NAME` that macOS keeps beside each file.
  const all = await readdir(folder, { withFileTypes: true });
  const entries = all.filter(({ name }) => !name.startsWith('.'));
  const files = entries
    .filter((entry) => !entry.isDirectory() && extensions.test(entry.name))
    .map(({ name }) => name);
  const moments: Moment[] = [];
  const left = new Set(files.filter((name) => !besideModel.test(name)));
  // A trainer leaves the model that it ended with beside the folders of its checkpoints.
  const isLast = files.every((name) => besideModel.test(name) || modelNames.some((each) => each.test(name)));
  for (const { name } of entries.filter((entry) => isLast && entry.isDirectory())) {
    const inside = modelOf(await readdir(join(folder, name)), join(folder, name));
    if (inside.files.length === 0) continue;
    moments.push({ stem: name, files: inside.files.map((file) => join(name, file)) });
    for (const other of inside.left) left.add(other);
  }
  if (moments.length > 0) return { moments, left: [...left] };
  return { moments: files.map((name) => ({ stem: name.replace(extensions, ''), files: [name] })), left: [] };
}

/** The files of the model in a checkpoint's folder, none where it holds no tensors, and those of a model that are not read. */
function modelOf(
  names: readonly string[],
  folder: string,
): { files: readonly string[]; left: readonly string[] } {
  const candidates = names.filter(
    (name) => extensions.test(name) && !besideModel.test(name) && !name.startsWith('.'),
  );
  const kind = modelFiles.find((each) => candidates.some((name) => each.test(name)));
  const chosen = candidates.filter((name) => kind?.test(name)).sort();
  const shards = new Set(chosen.map((name) => /-of-(\d+)\./.exec(name)?.[1]));
  const left = candidates.filter((name) => !chosen.includes(name));
  if (shards.size > 0 && !shards.has(undefined))
    return { files: requireAllShards(folder, chosen, [...shards].map(Number)), left };
  if (chosen.length < 2) return { files: chosen, left };
  throw misfit(
    folder,
    `files ${listed(chosen)}`,
    'one file with the model',
    'leave only that in each folder',
  );
}

/** Throws DataError where parts of a model are missing, or are of several models: what is left would be no moment of training. */
function requireAllShards(
  folder: string,
  names: readonly string[],
  counts: readonly number[],
): readonly string[] {
  if (counts.length === 1 && counts[0] === names.length) return names;
  throw misfit(
    folder,
    `files ${listed(names)}`,
    counts.length === 1 ? `all ${counts[0]!} parts of the model` : 'the parts of one model',
    'save or copy them again, and leave only those in each folder',
  );
}

/**
 * The checkpoints of a folder as a recording; each is opened when it is read. Throws DataError where one cannot be read, or holds other
 * tensors than the first; of those between, this is noticed when they are read.
 */
export async function checkpointRecording(
  folder: string,
  checkpoints: readonly Checkpoint[],
  { ignore = [] }: RecordingOptions = {},
): Promise<Recording> {
  const paths = checkpoints.map(({ files }) => files.map((file) => join(folder, file)));
  const last = await openParts(paths.at(-1)!);
  let current = { t: 0, file: await openParts(paths[0]!).finally(() => last.close()) };
  const tensors = current.file.entries;
  const flat = tensors.get('theta');
  const fileOf = async (t: number): Promise<TensorFile> => {
    if (current.t !== t) {
      await current.file.close();
      current = { t, file: renamedAs(tensors, await openParts(paths[t]!)) };
      requireSame(current.file, tensors, ignore);
    }
    return current.file;
  };
  const recording: Recording = {
    name: folder,
    rows: checkpoints.length,
    iteration: checkpoints.map(({ iteration }) => iteration),
    tensors,
    flat: flat === undefined ? null : { name: 'theta', size: flat.shape[0] ?? 0, parts: null },
    updates: new Map(),
    read: async (name, t) => {
      const file = await fileOf(t);
      const { shape } = tensors.get(name)!;
      if (!hasShape(file, name, shape))
        throw otherTensors(file.name, [`no tensor ${described({ name, shape })}`]);
      return file.read(name);
    },
    has: async (name, t) => hasShape(await fileOf(t), name, tensors.get(name)!.shape),
    close: () => current.file.close(),
  };
  try {
    requireSame(renamedAs(tensors, last), tensors, ignore);
    return recording;
  } catch (error) {
    await recording.close();
    throw error;
  }
}

/** Files that together hold one model. */
async function openParts(paths: readonly string[]): Promise<TensorFile> {
  if (paths.length === 1) return openTensorFile(paths[0]!);
  const files: TensorFile[] = [];
  for (const path of paths) files.push(await openTensorFile(path));
  const owner = new Map<string, TensorFile>();
  for (const file of files) {
    for (const tensor of file.entries.keys()) {
      const before = owner.get(tensor);
      if (before !== undefined) {
        for (const each of files) await each.close();
        throw misfit(file.name, `${tensor}, which ${before.name} has too`, 'each tensor in one part of the model', 'save the model in one file'); // prettier-ignore
      }
      owner.set(tensor, file);
    }
  }
  return {
    name: files.map(({ name }) => name).join(', '),
    entries: new Map(files.flatMap(({ entries }) => [...entries])),
    text: () => null,
    read: (name, from, to) => owner.get(name)!.read(name, from, to),
    close: async () => {
      for (const file of files) await file.close();
    },
  };
}
