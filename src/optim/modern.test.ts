import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createSplitter, componentNames } from './components.js';
import { l2Term } from './l2.js';
import { createOptimizer, createUpdate, type OptimizerSettings } from './optimizer.js';

const recorded = JSON.parse(readFileSync(join(import.meta.dirname, 'torch-modern.json'), 'utf8')) as {
  shape: number[];
  curvature: number[];
  slope: number[];
  start: number[];
  cases: { settings: OptimizerSettings; theta: number[][] }[];
};
const tensors = [{ name: 'w', size: 6, shape: recorded.shape }];

/** The gradient of torch-modern.py. */
function gradientAt(theta: Float64Array, step: number): Float64Array {
  const wave = 0.5 * Math.sin(1.3 * step);
  return theta.map((value, i) => recorded.curvature[i]! * value - recorded.slope[i]! + wave);
}

/** θ after each of 50 steps, and how far the components of its update miss it at most. */
function run(settings: OptimizerSettings): { rows: Float64Array[]; worst: number } {
  const optimizer = createOptimizer(settings, tensors);
  const splitter = createSplitter(settings, tensors);
  const theta = Float64Array.from(recorded.start);
  const update = createUpdate(6);
  let state = optimizer.createState();
  let worst = 0;
  const rows = Array.from({ length: 50 }, (_, step) => {
    state = optimizer.step(state, theta, gradientAt(theta, step), update);
    const parts = splitter.split(update);
    for (let i = 0; i < 6; i++) {
      const moved = update.gradient[i]! + update.momentum[i]! + update.weightDecay[i]!;
      const sum = parts.reduce((total, part) => total + part[i]!, 0);
      const size = parts.reduce((total, part) => total + Math.abs(part[i]!), 0);
      worst = Math.max(worst, Math.abs(sum - moved) / Math.max(size, 1e-12));
      theta[i]! += moved;
    }
    return theta.slice();
  });
  return { rows, worst };
}

describe('optimisers of today', () => {
  it.each(recorded.cases)(
    'follow PyTorch, or their formula, for 50 steps: $settings',
    ({ settings, theta }) => {
      const { rows, worst } = run(settings);
      rows.forEach((row, step) => {
        row.forEach((value, i) =>
          expect(Math.abs(value - theta[step]![i]!), `step ${step}`).toBeLessThan(1e-12),
        );
      });
      expect(worst).toBeLessThan(1e-12);
    },
  );

  it('keep decoupled decay apart: it is −lr · weightDecay · θ of each step', () => {
    for (const name of ['adamw', 'lion', 'muon'] as const) {
      const optimizer = createOptimizer({ name, learningRate: 0.5, weightDecay: 0.25 }, tensors);
      const update = createUpdate(6);
      const theta = Float64Array.from(recorded.start);
      optimizer.step(optimizer.createState(), theta, new Float64Array(6).fill(1), update);
      expect([...update.weightDecay]).toEqual(recorded.start.map((value) => -0.125 * value));
    }
  });

  it('do not split what is no sum over gradients', () => {
    const names = componentNames({ name: 'muon', learningRate: 1, weightDecay: 0.1, clipNorm: 1 }, tensors);
    expect(names).toEqual(['update', 'weightDecay']);
  });

  it('muon steps tensors of one axis by AdamW', () => {
    const vector = [{ name: 'b', size: 6 }];
    const settings = { learningRate: 0.1, momentum: 0.9, weightDecay: 0.1 };
    const [muon, adamw] = (['muon', 'adamw'] as const).map((name) => {
      const optimizer = createOptimizer({ name, ...settings }, vector);
      const update = createUpdate(6);
      const theta = Float64Array.from(recorded.start);
      const state = optimizer.step(optimizer.createState(), theta, gradientAt(theta, 0), update);
      optimizer.step(state, theta, gradientAt(theta, 1), update);
      return update.gradient.map((value, i) => value + update.momentum[i]!);
    });
    muon!.forEach((value, i) => expect(value).toBeCloseTo(adamw![i]!, 15));
  });

  it('have no L2 term to measure', () => {
    expect(() => l2Term({ name: 'adamw', learningRate: 0.1, weightDecay: 0.1 }, tensors)).toThrow(
      /no term of a loss/,
    );
  });
});
