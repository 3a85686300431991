import { describe, expect, it } from 'vitest';
import { createOptimizer, createUpdate } from './optimizer.js';
import { scheduleFactor } from './schedule.js';
import type { Schedule } from './schedule.js';

const factors = (schedule: Schedule, count: number) =>
  Array.from({ length: count }, (_, iteration) => scheduleFactor(schedule, iteration));

describe('scheduleFactor', () => {
  it('is constant, or falls in steps', () => {
    expect(factors({ kind: 'constant' }, 3)).toEqual([1, 1, 1]);
    expect(factors({ kind: 'step', every: 2, factor: 0.5 }, 6)).toEqual([1, 1, 0.5, 0.5, 0.25, 0.25]);
  });

  it('follows half a cosine and stays at its floor', () => {
    const schedule = { kind: 'cosine', iterations: 4, floor: 0.2 } as const;
    const expected = [1, 0.6 + 0.4 * Math.SQRT1_2, 0.6, 0.6 - 0.4 * Math.SQRT1_2, 0.2, 0.2];
    factors(schedule, 6).forEach((factor, i) => expect(factor).toBeCloseTo(expected[i]!, 15));
  });

  it('warms up linearly, then starts what follows', () => {
    expect(factors({ kind: 'step', every: 1, factor: 0.5, warmUp: 4 }, 7)).toEqual([
      0.25, 0.5, 0.75, 1, 1, 0.5, 0.25,
    ]);
  });
});

describe('a scheduled optimiser', () => {
  it('scales each step, and not what the velocity holds', () => {
    const settings = {
      learningRate: 1,
      momentum: 0.5,
      schedule: { kind: 'step', every: 1, factor: 0.1 },
    } as const;
    const optimizer = createOptimizer({ name: 'sgd', ...settings }, [{ name: 'w', size: 1 }]);
    const update = createUpdate(1);
    let state = optimizer.createState();
    state = optimizer.step(state, Float64Array.of(0), Float64Array.of(1), update);
    optimizer.step(state, Float64Array.of(0), Float64Array.of(1), update);
    expect(update.gradient[0]).toBe(-0.1);
    expect(update.momentum[0]).toBe(-0.5);
  });
});
