import { isFloat, sameShape } from '../formats/array.js';
import { misfit } from '../formats/source.js';
import { described, layoutSize, listed } from './checks.js';
import { matchNames } from './match/names.js';
import { toFloat32 } from './match/values.js';
import { openTensorFile } from './tensor-file.js';
import type { ModelWeights, TensorShape } from './types.js';

/**
 * θ [K] of one file with the model's tensors by name, in the order of `layout`; numbers beyond float32 become infinite. Throws DataError where
 * one is missing or has another shape.
 */
export async function readCheckpoint(
  path: string,
  { tensors }: ModelWeights,
  layout: readonly TensorShape[],
): Promise<Float32Array> {
  const file = await openTensorFile(path);
  try {
    const floats = [...file.entries].filter(([, { dtype }]) => dtype !== null && isFloat(dtype));
    const { recorded } = matchNames(
      floats.map(([name, { shape }]) => ({ name, shape })),
      tensors,
      path,
    );
    const missing = layout.filter(
      ({ name, shape }) => !sameShape(file.entries.get(recorded.get(name) ?? '')?.shape ?? [NaN], shape),
    );
    if (missing.length > 0) {
      throw misfit(
        path,
        `no ${listed(missing.map(described))}`,
        `the model's tensors ${listed(layout.map(described))}`,
        'give the model that this checkpoint was recorded with, and save its parameters under its names',
      );
    }
    const theta = new Float32Array(layoutSize(layout));
    let at = 0;
    for (const { name } of layout) {
      const numbers = toFloat32(await file.read(recorded.get(name)!));
      theta.set(numbers, at);
      at += numbers.length;
    }
    return theta;
  } finally {
    await file.close();
  }
}
