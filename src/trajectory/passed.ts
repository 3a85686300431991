import { isFloat, sizeOf } from '../formats/array.js';
import { fitsPattern } from './checks.js';
import { toFloat32 } from './match/values.js';
import { openRecording } from './open.js';
import type { Recording, RecordingOptions } from './types.js';

/** A recorded tensor that the user passed over. */
export interface PassedTensor {
  readonly name: string;
  readonly numbers: number;
  /** Σ over steps of its squared motion; of one that grows, such as a history, over those in which it does not. Null of a recording that is followed: most of its steps are to come. */
  readonly motion: number | null;
}

/** The tensors of floats that a recording has and that `ignore` passes over, with how far they moved. Throws as `openRecording` does. */
export async function passedTensors(path: string, options: RecordingOptions): Promise<PassedTensor[]> {
  const { ignore = [] } = options;
  if (ignore.length === 0) return [];
  const { recording } = await openRecording(path, options);
  try {
    const passed: PassedTensor[] = [];
    for (const [name, { dtype, shape }] of recording.tensors) {
      if (dtype === null || !isFloat(dtype) || !ignore.some((pattern) => fitsPattern(name, pattern)))
        continue;
      const motion = options.follow ? null : await motionOf(recording, name);
      passed.push({ name, numbers: sizeOf(shape), motion });
    }
    return passed;
  } finally {
    await recording.close();
  }
}

async function motionOf(recording: Recording, name: string): Promise<number> {
  let motion = 0;
  let before: Float32Array | null = null;
  for (let row = 0; row < recording.rows; row++) {
    if ((await recording.has?.(name, row)) === false) {
      before = null;
      continue;
    }
    const now = toFloat32(await recording.read(name, row));
    if (before !== null) motion += squaredDistance(before, now);
    before = now;
  }
  return motion;
}

function squaredDistance(a: Float32Array, b: Float32Array): number {
  let total = 0;
  for (let k = 0; k < a.length; k++) total += (b[k]! - a[k]!) ** 2;
  return total;
}
