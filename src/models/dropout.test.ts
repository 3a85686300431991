import { describe, expect, it } from 'vitest';
import type { Value } from '../graph/types.js';
import { key } from '../num/random.js';
import { dropoutMasks } from './dropout.js';
import { modelNamed } from './registry.js';

const { model } = modelNamed('lenet');
const input = (name: string, shape: readonly number[]): Value => ({ id: 0, name, dtype: 'float32', shape });
const inputs = [input('x', [4]), input('dropout/conv2', [250, 400]), input('dropout/fc1', [33])];

describe('dropoutMasks', () => {
  it('keeps a share 1 − p, scaled so that the mean stays one', () => {
    const mask = dropoutMasks(model, inputs, key(1), 0)['dropout/conv2']!;
    expect([...new Set(mask)].sort()).toEqual([0, Math.fround(4 / 3)]);
    const dropped = mask.filter((value) => value === 0).length / mask.length;
    expect(Math.abs(dropped - 0.25)).toBeLessThan(5 * Math.sqrt((0.25 * 0.75) / mask.length));
  });

  it('fills mask inputs only, anew in each iteration, alike for the same key', () => {
    const first = dropoutMasks(model, inputs, key(1), 0);
    expect(Object.keys(first)).toEqual(['dropout/conv2', 'dropout/fc1']);
    expect(first['dropout/fc1']!.length).toBe(33);
    expect(dropoutMasks(model, inputs, key(1), 0)).toEqual(first);
    expect(dropoutMasks(model, inputs, key(1), 1)).not.toEqual(first);
    expect(dropoutMasks(model, inputs, key(2), 0)).not.toEqual(first);
  });

  it('refuses a mask without a rate', () => {
    expect(() => dropoutMasks(model, [input('dropout/gone', [1])], key(1), 0)).toThrow(
      /dropout\/gone of network lenet/,
    );
  });
});
