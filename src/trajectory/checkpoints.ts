import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileSource } from '../data/files.js';
import { misfit } from '../formats/source.js';
import { readSafetensors, requireFloat32 } from '../formats/safetensors.js';
import type { SafetensorsEntry } from '../formats/safetensors.js';
import {
  layoutSize,
  listed,
  requireFinite,
  requireIterations,
  requireRows,
  sameShape,
  sizeOf,
} from './layout.js';
import { readFloats } from './safetensors-file.js';
import type { TensorShape, Trajectory } from './types.js';

const extension = '.safetensors';

/** Tensors that PyTorch keeps beside parameters and that no optimiser moves. */
const bufferPattern = /(^|\.)(running_mean|running_var|num_batches_tracked)$/;

/**
 * The trajectory of a folder with one safetensors file per checkpoint. Files are ordered by the last number in their names, which is
 * the iteration; each holds the model's tensors by name. Buffers, and `others` that the model has, are passed over. The first and the last are checked at once, the others when they are read.
 */
export async function checkpointTrajectory(
  folder: string,
  layout: readonly TensorShape[],
  others: ReadonlySet<string> = new Set(),
): Promise<Trajectory> {
  const files = await checkpointFiles(folder);
  requireRows(files.length, folder);
  const iteration = files.map((file) => file.iteration);
  requireIterations(iteration, files.length, folder);
  const row = (t: number) => readCheckpoint(join(folder, files[t]!.name), layout, t, others);
  await row(0);
  await row(files.length - 1);
  return { rows: files.length, iteration, row, close: () => Promise.resolve() };
}

/** The checkpoints of a folder in the order of their iterations. Throws DataError where a name has no number. */
export async function checkpointFiles(folder: string): Promise<{ name: string; iteration: number }[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(extension));
  return names
    .map((name) => {
      const number = /(\d+)\D*$/.exec(name.slice(0, -extension.length))?.[1];
      if (number !== undefined) return { name, iteration: Number(number) };
      throw misfit(
        join(folder, name),
        'no number in the file name',
        'the iteration in each name, such as step-00250.safetensors',
        'rename the file, or move it elsewhere',
      );
    })
    .sort((a, b) => a.iteration - b.iteration);
}

/** θ [K] of one safetensors file with the model's tensors by name; `row` is for messages. Throws DataError where it does not fit. */
export async function readCheckpoint(
  path: string,
  layout: readonly TensorShape[],
  row: number,
  others: ReadonlySet<string> = new Set(),
): Promise<Float32Array> {
  const source = await fileSource(path);
  try {
    const entries = await readSafetensors(source);
    requireLayout(entries, layout, path, others);
    const theta = new Float32Array(layoutSize(layout));
    let at = 0;
    for (const { name, shape } of layout) {
      theta.set(await readFloats(source, entries.get(name)!.offset, sizeOf(shape)), at);
      at += sizeOf(shape);
    }
    requireFinite(theta, layout, path, row);
    return theta;
  } finally {
    await source.close();
  }
}

function requireLayout(
  entries: ReadonlyMap<string, SafetensorsEntry>,
  layout: readonly TensorShape[],
  path: string,
  others: ReadonlySet<string>,
): void {
  const names = new Set(layout.map(({ name }) => name));
  const missing = [...names].filter((name) => !entries.has(name));
  const isBuffer = (name: string, { dtype }: SafetensorsEntry): boolean =>
    others.has(name) || bufferPattern.test(name) || (dtype !== null && !dtype.startsWith('float'));
  const extra = [...entries]
    .filter(([name, entry]) => !names.has(name) && !isBuffer(name, entry))
    .map(([name]) => name);
  if (missing.length + extra.length > 0) {
    throw misfit(
      path,
      missing.length > 0
        ? `no tensor ${listed(missing)}`
        : `tensors ${listed(extra)} that the model does not have`,
      `the model's tensors ${listed([...names])}`,
      'give the model that this checkpoint was recorded with, and save its parameters under its names',
    );
  }
  for (const { name, shape } of layout) {
    const entry = entries.get(name)!;
    requireFloat32(entry, `${path}(${name})`);
    if (sameShape(entry.shape, shape)) continue;
    throw misfit(
      path,
      `${name} of shape [${entry.shape.join(', ')}]`,
      `[${shape.join(', ')}]`,
      'give the model that this checkpoint was recorded with',
    );
  }
}
