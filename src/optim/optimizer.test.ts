import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyUpdate, createOptimizer, createUpdate } from './optimizer.js';
import type { OptimizerSettings } from './optimizer.js';
import type { OptimizedTensor, Update } from './types.js';

const settingsOfEveryRule: readonly OptimizerSettings[] = [
  { name: 'sgd', learningRate: 0.1 },
  { name: 'sgd', learningRate: 0.1, momentum: 0.9, weightDecay: 0.1 },
  { name: 'nesterov', learningRate: 0.1, weightDecay: 0.1 },
  { name: 'adam', learningRate: 0.1, weightDecay: 0.1 },
  { name: 'rmsprop', learningRate: 0.1, momentum: 0.5, weightDecay: 0.1 },
  { name: 'nesterov', learningRate: 0.1, weightDecay: 0.1, convention: 'pytorch' },
  { name: 'adamw', learningRate: 0.1, weightDecay: 0.1 },
  { name: 'lion', learningRate: 0.1, weightDecay: 0.1 },
];

const one = (size: number): OptimizedTensor[] => [{ name: 'w', size }];

function total({ gradient, momentum, weightDecay }: Update): Float64Array {
  return gradient.map((value, i) => value + momentum[i]! + weightDecay[i]!);
}

/** Updates of each step when the gradient depends on θ (kept in float64). */
function updates(
  settings: OptimizerSettings,
  tensors: readonly OptimizedTensor[],
  start: Float64Array,
  gradientAt: (theta: Float64Array, step: number) => Float64Array,
  steps: number,
): Update[] {
  const optimizer = createOptimizer(settings, tensors);
  const theta = start.slice();
  let state = optimizer.createState();
  return Array.from({ length: steps }, (_, step) => {
    const update = createUpdate(optimizer.size);
    state = optimizer.step(state, theta, gradientAt(theta, step), update);
    total(update).forEach((value, i) => (theta[i] = theta[i]! + value));
    return update;
  });
}

describe('optimisers', () => {
  it.each([
    ...settingsOfEveryRule,
    {
      name: 'sgd',
      learningRate: 0.1,
      convention: 'pytorch',
      clipNorm: 0.5,
      schedule: { kind: 'step', every: 3, factor: 0.5 },
    },
    {
      name: 'sgd',
      learningRate: 0.1,
      groups: [
        { match: 'a', frozenFrom: 4 },
        { match: 'b', momentum: 0.9 },
      ],
    },
  ] as OptimizerSettings[])('advance as their steps say, to the bit: %o', (settings) => {
    const tensors = [{ name: 'a', size: 5 }, { name: 'b', size: 4 }, { name: 'c', size: 3 }]; // prettier-ignore
    const number = fc.oneof(fc.float({ min: -2, max: 2, noNaN: true }), fc.constantFrom(0, -0));
    const row = fc.array(number, { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(row, fc.array(row, { minLength: 6, maxLength: 6 }), (start, gradients) => {
        const optimizer = createOptimizer(settings, tensors);
        const update = createUpdate(12);
        const [stepped, advanced] = [Float32Array.from(start), Float32Array.from(start)];
        let [one, other] = [optimizer.createState(), optimizer.createState()];
        for (const gradient of gradients.map((values) => Float64Array.from(values))) {
          one = optimizer.step(one, stepped, gradient, update);
          applyUpdate(stepped, update, stepped);
          other = optimizer.advance(other, advanced, gradient);
          expect(advanced).toStrictEqual(stepped);
        }
      }),
      { numRuns: 500 },
    );
  });

  const recorded = JSON.parse(readFileSync(join(import.meta.dirname, 'torch-sequences.json'), 'utf8')) as {
    curvature: number[];
    slope: number[];
    start: number[];
    cases: { settings: OptimizerSettings; theta: number[][] }[];
  };

  it.each(recorded.cases)('follow PyTorch: $settings', ({ settings, theta }) => {
    const start = Float64Array.from(recorded.start);
    const gradientAt = (at: Float64Array) =>
      at.map((value, i) => recorded.curvature[i]! * value - recorded.slope[i]!);
    const position = start.slice();
    updates(settings, one(3), start, gradientAt, theta.length).forEach((update, step) => {
      total(update).forEach((value, i) => (position[i] = position[i]! + value));
      position.forEach((value, i) => expect(value).toBeCloseTo(theta[step]![i]!, 14));
    });
  });

  it('with momentum remember by hand-derived shares', () => {
    const gradients = [1, -2, 0];
    const [first, second, third] = updates(
      { name: 'sgd', learningRate: 0.5, momentum: 0.5 },
      one(1),
      Float64Array.of(0),
      (_, step) => Float64Array.of(gradients[step]!),
      3,
    );
    // v = -0.5; -0.25 + 1 = 0.75; 0.375
    expect([first!.gradient[0], first!.momentum[0]]).toEqual([-0.5, 0]);
    expect([second!.gradient[0], second!.momentum[0]]).toEqual([1, -0.25]);
    expect([third!.gradient[0], third!.momentum[0]]).toEqual([-0, 0.375]);
  });

  it('put Adam’s epsilon beside the uncorrected root', () => {
    const [first] = updates(
      { name: 'adam', learningRate: 0.1, epsilon: 0.01 },
      one(1),
      Float64Array.of(0),
      () => Float64Array.of(2),
      1,
    );
    // m = 0.1 · 2, s = 0.001 · 4, rate = 0.1 · sqrt(0.001) / 0.1
    const expected = (-Math.sqrt(0.001) * 0.2) / (Math.sqrt(0.004) + 0.01);
    expect(total(first!)[0]).toBeCloseTo(expected, 15);
  });

  it('keep momentum’s share of earlier L2 in the momentum component', () => {
    const [first, second] = updates(
      { name: 'sgd', learningRate: 1, momentum: 0.5, weightDecay: 0.25 },
      one(1),
      Float64Array.of(1),
      () => Float64Array.of(0),
      2,
    );
    expect([first!.weightDecay[0], first!.momentum[0]]).toEqual([-0.25, 0]);
    expect([second!.weightDecay[0], second!.momentum[0]]).toEqual([-0.1875, -0.125]);
  });

  it.each(settingsOfEveryRule)('do not depend on how θ is cut into tensors: $name', (settings) => {
    const numbers = fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: 6, maxLength: 6 });
    fc.assert(
      fc.property(numbers, numbers, numbers, (start, g1, g2) => {
        const gradientAt = (_: Float64Array, step: number) => Float64Array.from(step === 0 ? g1 : g2);
        const theta = Float64Array.from(start);
        const whole = updates(settings, one(6), theta, gradientAt, 2);
        const parts = [
          { name: 'a', size: 1 },
          { name: 'b', size: 3 },
          { name: 'c', size: 2 },
        ];
        expect(updates(settings, parts, theta, gradientAt, 2)).toEqual(whole);
      }),
      { numRuns: 30 },
    );
  });
});

describe('applyUpdate', () => {
  it('rounds the float64 sum to float32 once', () => {
    const theta = Float32Array.of(1);
    const update = createUpdate(1);
    update.gradient[0] = 2 ** -25;
    update.momentum[0] = 2 ** -25;
    update.weightDecay[0] = 2 ** -24;
    const next = new Float32Array(1);
    applyUpdate(theta, update, next);
    expect(next[0]).toBe(1 + 2 ** -23);
  });
});

describe('settings', () => {
  it.each([
    [{ learningRate: 0 }, /learningRate 0\n.*above 0/],
    [{ learningRate: NaN }, /learningRate NaN/],
    [{ momentum: 1 }, /momentum 1\n.*at least 0, below 1/],
    [{ weightDecay: -1 }, /weightDecay -1/],
    [{ epsilon: 0 }, /epsilon 0/],
    [{ meanSquareDecay: 1 }, /meanSquareDecay 1/],
    [{ clipNorm: 0 }, /clipNorm 0/],
    [{ schedule: { kind: 'step', every: 0, factor: 0.1 } }, /schedule.every 0/],
    [{ schedule: { kind: 'cosine', iterations: 10, floor: 2 } }, /schedule.floor 2/],
    [{ name: 'adagrad' }, /optimiser adagrad\n.*sgd, nesterov, adam, rmsprop, adamw, lion, muon/],
  ])('refuse %j', (change, message) => {
    const settings = { name: 'sgd', learningRate: 0.1, ...change } as OptimizerSettings;
    expect(() => createOptimizer(settings, one(1))).toThrow(message);
  });
});
