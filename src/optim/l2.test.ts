import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { l2Term } from './l2.js';
import { createOptimizer, createUpdate } from './optimizer.js';
import type { OptimizerSettings } from './optimizer.js';

const tensors = [
  { name: 'fc.weight', size: 3 },
  { name: 'fc.bias', size: 2 },
];
const settings: OptimizerSettings = {
  name: 'sgd',
  learningRate: 0.25,
  weightDecay: 0.5,
  groups: [{ match: '*.bias', weightDecay: 0 }],
};
const fiveNumbers = fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: 5, maxLength: 5 });

describe('l2Term', () => {
  it('has the gradient of its loss, by central differences', () => {
    fc.assert(
      fc.property(fiveNumbers, (numbers) => {
        const term = l2Term(settings, tensors)!;
        const theta = Float64Array.from(numbers);
        const gradient = new Float64Array(5);
        term.addGradient(theta, gradient);
        gradient.forEach((value, i) => {
          const shifted = (by: number) => term.loss(theta.map((each, k) => each + (k === i ? by : 0)));
          expect((shifted(0.5) - shifted(-0.5)) / 1).toBeCloseTo(value, 9);
        });
      }),
      { numRuns: 30 },
    );
  });

  it('is what weight decay adds to training', () => {
    fc.assert(
      fc.property(fiveNumbers, fiveNumbers, (numbers, slope) => {
        const theta = Float64Array.from(numbers);
        const gradient = Float64Array.from(slope);
        const decayed = createUpdate(5);
        const optimizer = createOptimizer(settings, tensors);
        optimizer.step(optimizer.createState(), theta, gradient, decayed);
        l2Term(settings, tensors)!.addGradient(theta, gradient);
        gradient.forEach((value, i) => {
          expect(decayed.gradient[i]! + decayed.weightDecay[i]!).toBeCloseTo(-0.25 * value, 12);
        });
      }),
      { numRuns: 30 },
    );
  });

  it('is null without weight decay', () => {
    expect(l2Term({ name: 'sgd', learningRate: 1 }, tensors)).toBeNull();
  });
});
