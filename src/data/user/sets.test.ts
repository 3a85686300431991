import { describe, expect, it } from 'vitest';
import { DataError } from '../../errors.js';
import { plainPair, setsOf } from './sets.js';

const two = { inputs: ['tokens', 'tokens_b'], labels: true };

describe('setsOf', () => {
  it('takes x and y of every set, train first, and passes over other names', () => {
    expect(setsOf(['y_test', 'x_test', 'about', 'x_train', 'y'], plainPair, 'd')).toEqual([
      { set: 'train', inputs: ['x_train'], labels: 'y' },
      { set: 'test', inputs: ['x_test'], labels: 'y_test' },
    ]);
  });

  it('finds arrays by the names of inputs, also where one begins like another', () => {
    const names = ['tokens_b_test', 'y', 'tokens_test', 'tokens_b', 'y_test', 'tokens'];
    expect(setsOf(names, two, 'd')).toEqual([
      { set: 'train', inputs: ['tokens', 'tokens_b'], labels: 'y' },
      { set: 'test', inputs: ['tokens_test', 'tokens_b_test'], labels: 'y_test' },
    ]);
  });

  it('of an only input, takes x or the input’s name; without labels, no y', () => {
    const only = { inputs: ['pixels'], labels: false };
    expect(setsOf(['pixels', 'y'], only, 'd')).toEqual([{ set: 'train', inputs: ['pixels'], labels: null }]);
    expect(setsOf(['pixels', 'x'], only, 'd')).toEqual([{ set: 'train', inputs: ['x'], labels: null }]);
  });

  it.each([
    [['tokens', 'y'], two, /add tokens_b$/],
    [['tokens', 'tokens_b', 'y', 'tokens_test'], two, /add tokens_b_test, y_test/],
    [['x', 'x_train', 'y'], plainPair, /two of this set/],
    [['X', 'y'], plainPair, /rename X/],
    [['y', 'a'], { inputs: ['y', 'a'], labels: true }, /y are the labels/],
    [['other'], plainPair, /add x and y/],
  ])('refuses arrays %j', (names, as, message) => {
    expect(() => setsOf(names, as, 'd')).toThrow(DataError);
    expect(() => setsOf(names, as, 'd')).toThrow(message);
  });
});
