import { describe, expect, it } from 'vitest';
import { resolveGroups, checkGroups } from './groups.js';
import type { GroupSettings } from './groups.js';
import { createOptimizer, createUpdate } from './optimizer.js';
import type { OptimizerSettings } from './optimizer.js';

const names = ['conv1.weight', 'conv1.bias', 'fc1.weight', 'fc10.weight', 'a/b[0]+(x)'];
const tensors = names.map((name) => ({ name, size: 2 }));
const base = { learningRate: 0.1, momentum: 0.9, weightDecay: 0, frozenFrom: Infinity };

function matched(match: string | readonly string[]): string[] {
  return tensors
    .filter((tensor) => resolveGroups(base, [{ match, learningRate: 7 }], tensor).learningRate === 7)
    .map(({ name }) => name);
}

describe('patterns', () => {
  it.each([
    ['*', names],
    ['fc1.*', ['fc1.weight']],
    ['fc1*', ['fc1.weight', 'fc10.weight']],
    ['*.bias', ['conv1.bias']],
    ['fc?0.weight', ['fc10.weight']],
    ['a/b[0]+(x)', ['a/b[0]+(x)']],
    ['a/b?0?+*', ['a/b[0]+(x)']],
    ['conv1', []],
    [
      ['conv1.bias', 'fc10.*'],
      ['conv1.bias', 'fc10.weight'],
    ],
  ])('%j match %j', (match, expected) => {
    expect(matched(match)).toEqual(expected);
  });
});

describe('resolveGroups', () => {
  it('lets later groups override single settings of earlier ones', () => {
    const groups: GroupSettings[] = [
      { match: '*', learningRate: 0.5, weightDecay: 0.01 },
      { match: 'fc1.*', delay: 4, frozen: true },
      { match: '*.weight', weightDecay: 0.02 },
    ];
    expect(resolveGroups(base, groups, tensors[2]!)).toEqual({
      learningRate: 0.5,
      momentum: 0.8,
      weightDecay: 0.02,
      frozenFrom: 0,
    });
    expect(resolveGroups(base, [...groups, { match: 'fc*', frozen: false }], tensors[2]!).frozenFrom).toBe(
      Infinity,
    );
  });

  it('scales the learning rate that a tensor has otherwise', () => {
    const groups: GroupSettings[] = [
      { match: '*', learningRate: 0.5 },
      { match: 'fc1.*', learningRateFactor: 0.1 },
    ];
    expect(resolveGroups(base, groups, tensors[2]!).learningRate).toBeCloseTo(0.05, 15);
    expect(resolveGroups(base, groups.slice(1), tensors[2]!).learningRate).toBeCloseTo(0.01, 15);
    expect(() => {
      checkGroups([{ match: '*', learningRate: 1, learningRateFactor: 2 }], tensors);
    }).toThrow(/both learningRate and learningRateFactor/);
  });

  it('makes delay 9 the momentum 0.9 of the paper, and delay 0 none', () => {
    expect(resolveGroups(base, [{ match: '*', delay: 9 }], tensors[0]!).momentum).toBe(0.9);
    expect(resolveGroups(base, [{ match: '*', delay: 0 }], tensors[0]!).momentum).toBe(0);
  });
});

describe('checkGroups', () => {
  it.each([
    [{ match: 'fc2.*' }, /fc2\.\*, which matches no tensor\n.*conv1\.weight, conv1\.bias/],
    [{ match: ['fc1.*', 'gone'] }, /gone, which matches no tensor/],
    [{ match: [] }, /\(none\)/],
    [{ match: '*', momentum: 0.5, delay: 1 }, /both momentum and delay/],
    [{ match: '*', frozen: true, frozenFrom: 3 }, /both frozen and frozenFrom/],
    [{ match: 'fc1.*', learningRate: -1 }, /groups\[fc1\.\*\]\.learningRate -1/],
    [{ match: '*', frozenFrom: 1.5 }, /frozenFrom 1.5\n.*whole number/],
    [{ match: '*', delay: -1 }, /delay -1/],
  ])('refuses %j', (group, message) => {
    expect(() => checkGroups([group], tensors)).toThrow(message);
  });
});

describe('an optimiser with groups', () => {
  const gradient = Float64Array.from({ length: 10 }, (_, i) => i + 1);
  const theta = new Float32Array(10).fill(1);

  function motions(settings: Partial<OptimizerSettings>, steps: number): number[][] {
    const optimizer = createOptimizer({ name: 'sgd', learningRate: 1, ...settings }, tensors);
    let state = optimizer.createState();
    return Array.from({ length: steps }, () => {
      const update = createUpdate(10);
      state = optimizer.step(state, theta, gradient, update);
      return Array.from(
        gradient,
        (_, i) => update.gradient[i]! + update.momentum[i]! + update.weightDecay[i]!,
      );
    });
  }

  it('moves frozen tensors by exactly zero, from the start or from an iteration on', () => {
    const groups = [
      { match: 'conv1.weight', frozen: true },
      { match: 'conv1.bias', frozenFrom: 1 },
    ];
    const [first, second] = motions({ momentum: 0.5, weightDecay: 0.1, groups }, 2);
    expect(first!.slice(0, 2)).toEqual([0, 0]);
    expect(first!.slice(2, 4)).not.toContain(0);
    expect(second!.slice(0, 4)).toEqual([0, 0, 0, 0]);
  });

  it('leaves the other tensors as they were', () => {
    const plain = motions({ momentum: 0.5 }, 3);
    const grouped = motions({ momentum: 0.5, groups: [{ match: 'conv1.*', frozen: true }] }, 3);
    expect(grouped.map((row) => row.slice(4))).toEqual(plain.map((row) => row.slice(4)));
  });

  it('uses each tensor’s own learning rate and momentum', () => {
    const groups = [{ match: 'fc10.weight', learningRate: 0.1, momentum: 0 }];
    const [, second] = motions({ momentum: 0.5, groups }, 2);
    expect(second!.slice(4, 8)).toEqual([-7.5, -9, -7 * 0.1, -8 * 0.1]);
  });

  it('clips by the norm over tensors that train', () => {
    const groups = [{ match: '*.*', frozen: true }];
    const [row] = motions({ clipNorm: 1, groups }, 1);
    const norm = Math.hypot(9, 10);
    expect(row![8]).toBeCloseTo(-9 / norm, 15);
    expect(row![9]).toBeCloseTo(-10 / norm, 15);
  });
});
