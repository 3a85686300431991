import { stat } from 'node:fs/promises';
import { fileSource } from '../data/files.js';
import type { ByteSource } from '../formats/source.js';
import { misfit } from '../formats/source.js';
import { checkpointTrajectory } from './checkpoints.js';
import { openNpyTheta, openNpz } from './npz-file.js';
import { openSafetensors } from './safetensors-file.js';
import { stackedTrajectory } from './stacked.js';
import { tensorFlowTrajectory } from './tensorflow.js';
import type { RowFile, TensorShape, Trajectory } from './types.js';

/** Readers by the bytes that a file starts with. */
const signatures: readonly {
  readonly bytes: string;
  readonly open: (source: ByteSource) => Promise<RowFile>;
}[] = [
  { bytes: 'PK\x03\x04', open: openNpz },
  { bytes: '\x93NUMPY', open: openNpyTheta },
];

const hdf5Signature = '\x89HDF\r\n\x1a\n';

/**
 * Opens a trajectory recorded elsewhere, for a model with the tensors `layout` in the order of θ. `path` is
 * - a safetensors or `.npz` file with `theta` [T+1, K], or with one array [T+1, …shape] per tensor; optionally `iteration` [T+1];
 * - an `.npy` file, θ itself [T+1, K];
 * - a folder of safetensors files, one per checkpoint, the iteration in each name;
 * - the HDF5 file `weights` of the paper's authors: `all_weights` [T+1, K] with the attributes `var_names` and `var_shapes`.
 * Formats are told apart by content. Tensors of the model that are no parameters (`others`) are passed over. All numbers must be float32. Throws DataError, before reading more than headers and two
 * checkpoints, where the file is damaged or does not fit the model.
 */
export async function openTrajectory(
  path: string,
  layout: readonly TensorShape[],
  others: ReadonlySet<string> = new Set(),
): Promise<Trajectory> {
  const status = await stat(path).catch(() => null);
  if (status?.isDirectory()) return checkpointTrajectory(path, layout, others);
  const source = await fileSource(path);
  try {
    return await trajectoryOf(source, path, layout, others);
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function trajectoryOf(
  source: ByteSource,
  path: string,
  layout: readonly TensorShape[],
  others: ReadonlySet<string>,
): Promise<Trajectory> {
  const file = await openRowFile(source, path);
  if (file !== null) return stackedTrajectory(file, layout, others);
  await source.close();
  return tensorFlowTrajectory(path, layout);
}

/** The file as named arrays; null for HDF5. Throws DataError for any other format. */
export async function openRowFile(source: ByteSource, path: string): Promise<RowFile | null> {
  const start = Buffer.from(await source.read(0, Math.min(8, source.size))).toString('latin1');
  if (start === hdf5Signature) return null;
  const known = signatures.find(({ bytes }) => start.startsWith(bytes));
  if (known === undefined && !path.endsWith('.safetensors')) {
    throw misfit(
      path,
      'neither safetensors, npz, npy nor HDF5',
      'a trajectory in one of these formats',
      'name safetensors files *.safetensors; convert others (docs/TRAJECTORIES.md)',
    );
  }
  return (known?.open ?? openSafetensors)(source);
}
