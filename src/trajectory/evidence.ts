import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isLossledgerError } from '../errors.js';
import { fileSource } from '../data/files.js';
import { readSafetensors } from '../formats/safetensors.js';
import { checkpointFiles } from './checkpoints.js';
import { sizeOf } from './layout.js';
import { openRowFile } from './open.js';

/** What a trajectory says of the parameters that it belongs to, before the model is known. */
export interface TrajectoryEvidence {
  /** Names of the tensors that it holds; of checkpoints, those that differ between the first and the last. */
  readonly names?: ReadonlySet<string>;
  /** K, where it holds θ as a whole. */
  readonly size?: number;
}

/** Looks at a trajectory's table of contents. What cannot be read says nothing; opening it then says why. */
export async function trajectoryEvidence(path: string): Promise<TrajectoryEvidence> {
  try {
    if ((await stat(path).catch(() => null))?.isDirectory()) return { names: await movedTensors(path) };
    return await evidenceOfFile(path);
  } catch (error) {
    if (isLossledgerError(error)) return {};
    throw error;
  }
}

async function evidenceOfFile(path: string): Promise<TrajectoryEvidence> {
  const source = await fileSource(path);
  try {
    const file = await openRowFile(source, path);
    if (file === null) return {};
    if (!file.names.includes('theta')) return { names: new Set(file.names) };
    const { shape } = await file.rows('theta');
    return shape.length === 2 ? { size: shape[1]! } : {};
  } finally {
    await source.close();
  }
}

/** Names of the tensors whose bytes differ between the first and the last checkpoint: those that were trained. */
async function movedTensors(folder: string): Promise<ReadonlySet<string>> {
  const files = await checkpointFiles(folder);
  if (files.length === 0) return new Set();
  const first = await tensorBytes(join(folder, files[0]!.name));
  const last = await tensorBytes(join(folder, files.at(-1)!.name));
  const moved = [...first].filter(([name, bytes]) => last.get(name)?.equals(bytes) !== true);
  return new Set(moved.map(([name]) => name));
}

async function tensorBytes(path: string): Promise<Map<string, Buffer>> {
  const source = await fileSource(path);
  try {
    const tensors = new Map<string, Buffer>();
    for (const [name, { dtype, shape, offset }] of await readSafetensors(source)) {
      if (dtype === 'float32') tensors.set(name, Buffer.from(await source.read(offset, 4 * sizeOf(shape))));
    }
    return tensors;
  } finally {
    await source.close();
  }
}
