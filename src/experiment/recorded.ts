import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sourceFile } from '../data/files.js';
import { openTrajectory } from '../trajectory/open.js';
import type { SourceFile } from '../data/types.js';
import { DataError } from '../errors.js';
import type { ParameterLayout } from '../ledger/types.js';
import type { Manifest } from '../format/manifest.js';
import type { RunWriter } from '../store/writer.js';
import { silent, type WorkControl } from './control.js';
import { moved } from './places.js';

/** A trajectory that was recorded elsewhere. */
export interface Recorded {
  readonly path: string;
  /** T: steps from one row to the next. */
  readonly iterations: number;
  /** Training iteration of each row [T+1]; null: 0…T. */
  readonly iteration: readonly number[] | null;
  readonly files: readonly SourceFile[];
}

/** Looks at a trajectory: that it fits the tensors of θ, and what it is. Throws DataError. */
export async function inspectTrajectory(
  path: string,
  layout: ParameterLayout,
  others: ReadonlySet<string>,
): Promise<Recorded> {
  const trajectory = await openTrajectory(path, layout.tensors, others);
  await trajectory.close();
  const { rows, iteration } = trajectory;
  const plain = iteration.every((value, t) => value === t);
  return { path, iterations: rows - 1, iteration: plain ? null : iteration, files: await filesOf(path) };
}

/** What a stored run says of its trajectory; the file itself is needed only where rows are still missing. */
export function recordedOf(path: string, { trajectory }: Manifest): Recorded {
  return { path, ...trajectory };
}

/** Copies what is missing of θ_0 … θ_T into the run. Throws DataError where the trajectory is no longer the one the run was made with. */
export async function copyTrajectory(
  recorded: Recorded,
  layout: ParameterLayout,
  others: ReadonlySet<string>,
  run: RunWriter,
  { progress = silent, signal }: WorkControl,
): Promise<void> {
  await requireUnchanged(recorded);
  const trajectory = await openTrajectory(recorded.path, layout.tensors, others);
  progress.start(recorded.iterations);
  try {
    for (let row = 0; row <= recorded.iterations && !signal?.aborted; row++) {
      await run.writeTheta(row, await trajectory.row(row));
      progress.update(row);
    }
  } finally {
    progress.stop();
    await trajectory.close();
  }
  signal?.throwIfAborted();
  await run.finishTraining(null);
}

async function requireUnchanged({ path, files }: Recorded): Promise<void> {
  if (!existsSync(path)) throw moved('trajectory', path, files);
  const found = await filesOf(path);
  const changed = files.find((file) => found.find(({ name }) => name === file.name)?.sha256 !== file.sha256);
  if (changed === undefined) return;
  throw new DataError({
    given: `${changed.name} of trajectory ${path}, which is missing or was changed`,
    expected: `SHA-256 ${changed.sha256}, which the run was made with`,
    remedy: 'restore the file, say where it is now with --trajectory PLACE, or make a new run',
  });
}

/** The file, or the checkpoints of a folder, with their checksums. */
async function filesOf(path: string): Promise<SourceFile[]> {
  if (!(await stat(path)).isDirectory()) return [await sourceFile(path)];
  const names = (await readdir(path)).filter((name) => name.endsWith('.safetensors')).sort();
  const files: SourceFile[] = [];
  for (const name of names) files.push(await sourceFile(join(path, name)));
  return files;
}
