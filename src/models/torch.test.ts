import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { differentiate } from '../autodiff/differentiate.js';
import { onnxruntimeEngine } from '../engines/onnxruntime/index.js';
import { attachLoss } from '../graph/loss.js';
import { sizeOf } from '../graph/types.js';
import type { Parameter } from '../graph/types.js';
import { modelNamed } from './registry.js';

interface Recorded {
  readonly loss: number;
  /** By tensor: sum, sum with alternating signs, sum of magnitudes. */
  readonly gradients: Readonly<Record<string, readonly [number, number, number]>>;
}

/** Made by torch-losses.py, whose formulas for θ, images and labels are repeated here. */
const recorded = JSON.parse(readFileSync(join(import.meta.dirname, 'torch-losses.json'), 'utf8')) as Record<
  string,
  Recorded
>;
const examples = 2;

function thetaOf(parameters: readonly Parameter[]): Float64Array {
  const bases = parameters.flatMap(({ value }) =>
    new Array<number>(sizeOf(value.shape)).fill(value.name.endsWith('.scale') ? 1 : 0),
  );
  return Float64Array.from(bases, (base, k) => Math.fround(base + 0.06 * Math.sin(k + (k * k) / 7919)));
}

function sums(values: Float64Array): [number, number, number] {
  const total: [number, number, number] = [0, 0, 0];
  values.forEach((value, i) => {
    total[0] += value;
    total[1] += i % 2 === 0 ? value : -value;
    total[2] += Math.abs(value);
  });
  return total;
}

describe('built-in networks agree with PyTorch in float64', () => {
  it.each(Object.entries(recorded))('%s', async (name, { loss, gradients }) => {
    const { model } = modelNamed(name);
    const transform = { dtype: 'uint8', divisor: 255, mean: [], std: [] } as const;
    const forward = model.build({ examples, training: false, transform });
    const program = await onnxruntimeEngine().compile(
      differentiate(attachLoss(forward, { loss: 'softmaxCrossEntropy' })),
    );
    const theta = thetaOf(forward.parameters);
    program.load(theta);
    const x = Uint8Array.from(
      { length: examples * sizeOf(model.inputShape) },
      (_, i) => (37 * i + i * i) % 251,
    );
    const labels = Int32Array.from({ length: examples }, (_, k) => (3 * k) % 10);
    const gradient = new Float64Array(theta.length);
    expect(Math.abs((await program.run({ x, labels }, gradient)) - loss)).toBeLessThan(1e-5);
    await program.dispose();

    expect(forward.parameters.map(({ value }) => value.name)).toEqual(Object.keys(gradients));
    let at = 0;
    for (const { value: tensor } of forward.parameters) {
      const found = sums(gradient.subarray(at, (at += sizeOf(tensor.shape))));
      const expected = gradients[tensor.name]!;
      const scale = expected[2];
      // A bias before batch normalisation has no effect: its gradient is zero but for rounding.
      const bound = scale > 1e-10 ? 2e-5 * scale : 1e-4;
      found.forEach((value, k) => expect(Math.abs(value - expected[k]!)).toBeLessThan(bound));
    }
  });
});
