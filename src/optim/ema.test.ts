import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { WeightAverage } from './ema.js';

const recorded = JSON.parse(readFileSync(join(import.meta.dirname, 'torch-ema.json'), 'utf8')) as {
  decay: number;
  weights: number[][];
  means: number[][];
};

describe('the moving average of weights', () => {
  it('is PyTorch’s over 50 steps, to rounding', () => {
    const average = new WeightAverage(recorded.decay, 4);
    const row = new Float32Array(4);
    for (const [step, weights] of recorded.weights.entries()) {
      average.take(Float32Array.from(weights), row);
      row.forEach((value, k) => {
        expect(Math.abs(value - recorded.means[step]![k]!)).toBeLessThan(2 ** -23 * Math.abs(recorded.means[step]![k]!) + 1e-12); // prettier-ignore
      });
    }
    // It is far behind the weights, so the agreement says something.
    expect(Math.abs(row[0]! - recorded.weights.at(-1)![0]!)).toBeGreaterThan(0.01);
  });

  it('copies what is not averaged', () => {
    const average = new WeightAverage(0.5, 3, [[1, 2]]);
    const row = new Float32Array(3);
    average.take(Float32Array.of(1, 1, 1), row);
    average.take(Float32Array.of(3, 3, 3), row);
    expect([...row]).toEqual([2, 3, 2]);
  });
});
