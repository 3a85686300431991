import { matchRecording } from '../../src/trajectory/match/match.js';
import { openRecording, trajectoryOf } from '../../src/trajectory/open.js';
import type { Reading } from '../../src/formats/reading.js';
import type {
  ModelTensor,
  ModelWeights,
  RecordingOptions,
  TensorShape,
  Trajectory,
} from '../../src/trajectory/types.js';

/** A tensor of a model with what a test knows of it; default a trained one, kernels [out, in], without numbers. */
export interface KnownTensor extends TensorShape {
  readonly verdict?: ModelTensor['verdict'];
  readonly anonymous?: boolean;
  readonly statistic?: boolean;
  readonly state?: string;
  readonly data?: Float32Array;
  readonly neuronAxis?: number | null;
  readonly flattened?: readonly number[];
}

/** A model's tensors as they are compared with a recording. */
export function weightsOf(
  tensors: readonly KnownTensor[],
  declared: string | null = 'the test',
): ModelWeights {
  return {
    declared,
    tensors: tensors.map(
      ({ name, shape, verdict = 'trained', anonymous = false, statistic = false, state, data = null }) => ({
        name,
        shape,
        verdict,
        anonymous,
        statistic,
        state: state ?? null,
        data: () => data,
      }),
    ),
  };
}

/** Opens a recording as the trajectory of a model's parameters; `names` are those that it moves. */
export async function openTrajectory(
  path: string,
  tensors: readonly KnownTensor[],
  options: RecordingOptions & { readonly declared?: string | null } = {},
): Promise<Trajectory & { readonly readings: readonly Reading[]; readonly names: readonly string[] }> {
  const { recording, readings } = await openRecording(path, options);
  try {
    const match = await matchRecording(recording, weightsOf(tensors, options.declared), options);
    const moved = tensors.filter(({ name }) => match.parts.has(name));
    const parameters = moved.map(({ name, shape, neuronAxis = 0, flattened = null, data = null }) => ({
      name,
      shape,
      neuronAxis,
      flattened,
      data,
    }));
    const opened = await trajectoryOf(recording, match, parameters, options);
    return {
      ...opened.trajectory,
      readings: [...readings, ...match.readings, ...opened.readings],
      names: moved.map(({ name }) => name),
    };
  } catch (error) {
    await recording.close();
    throw error;
  }
}
