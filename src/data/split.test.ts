import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { key } from '../num/random.js';
import { sharedExamples } from './shared.js';
import { splitDataset, stratifiedSubset } from './split.js';
import type { Examples, RawDataset } from './types.js';

/** Examples whose single input is their own place, so that a split can be read back. */
function numbered(labels: readonly number[]): Examples {
  return {
    count: labels.length,
    shape: [1],
    inputs: Int32Array.from(labels, (_, i) => i),
    labels: Int32Array.from(labels),
  };
}

function raw(labels: readonly number[]): RawDataset {
  return {
    name: 'numbered',
    classes: 3,
    pool: numbered(labels),
    drawn: Math.floor(labels.length / 10),
    sets: { test: numbered([0, 1, 2]) },
    files: [],
    labelShape: [],
    labelling: { classAxis: 1, ignored: null },
    readings: [],
    transform: { dtype: 'int32', divisor: 1, mean: [], std: [] },
  };
}

const labelList = fc.array(fc.nat(2), { minLength: 2, maxLength: 200 });

describe('splitDataset', () => {
  it('places every example of the pool once, in ascending order', () => {
    fc.assert(
      fc.property(labelList, fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), (labels, seed, share) => {
        const validation = Math.floor(share * (labels.length - 1));
        const { splits } = splitDataset(raw(labels), { key: key(seed), validation });
        const [train, held] = [[...splits.train.inputs], [...(splits['validation']?.inputs ?? [])]];
        expect(held.length).toBe(validation);
        for (const part of [train, held]) expect(part).toEqual(part.toSorted((a, b) => a - b));
        expect([...train, ...held].sort((a, b) => a - b)).toEqual(labels.map((_, i) => i));
        expect([...splits.train.labels]).toEqual(train.map((place) => labels[place]));
      }),
      { numRuns: 50 },
    );
  });

  it('gives the same where it takes the memory of the pool, and then holds most of a data set once', () => {
    fc.assert(
      fc.property(labelList, fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), (labels, seed, share) => {
        const whole = raw(labels);
        const pool = sharedExamples({
          ...whole.pool,
          further: [{ name: 'mask', shape: [2], values: Int32Array.from({ length: 2 * labels.length }, (_, i) => i) }],
        });
        const validation = Math.floor(share * (labels.length - 1));
        const options = { key: key(seed), validation };
        const expected = splitDataset({ ...whole, pool }, options);
        const { splits } = splitDataset({ ...whole, pool }, { ...options, takesPool: true });
        expect(splits).toEqual(expected.splits);
        expect(splits.train.inputs.buffer === pool.inputs.buffer).toBe(2 * splits.train.count >= labels.length);
      }),
      { numRuns: 50 },
    );
  }); // prettier-ignore

  it('draws as many as the data set says unless asked otherwise', () => {
    const labels = new Array<number>(200).fill(0);
    expect(splitDataset(raw(labels), { key: key(0) }).splits['validation']!.count).toBe(20);
    expect(splitDataset(raw(labels), { key: key(0), validation: 0 }).splits['validation']).toBeUndefined();
  });

  it('keeps a given validation set, in proportion to the subset', () => {
    const given = { ...raw([0, 1, 2, 0]), sets: { validation: numbered([2, 1, 0, 2, 1, 0, 2, 2]) } };
    const whole = splitDataset(given, { key: key(3) }).splits;
    expect([[...whole.train.inputs], [...whole['validation']!.labels]]).toEqual([
      [0, 1, 2, 3],
      [2, 1, 0, 2, 1, 0, 2, 2],
    ]);
    expect(splitDataset(given, { key: key(3), subset: 2 }).splits['validation']!.count).toBe(4);
    expect(() => splitDataset(given, { key: key(3), validation: 2 })).toThrow(/validation 2\n.*from 8 to 8/);
  });

  it('changes split and hash with the key, and with nothing else', () => {
    const labels = Array.from({ length: 100 }, (_, i) => i % 3);
    const split = (seed: number) => splitDataset(raw(labels), { key: key(seed) });
    expect(split(1).splitHash).toBe(split(1).splitHash);
    expect(split(1).splitHash).not.toBe(split(2).splitHash);
    expect(split(1).splits.train.inputs).not.toEqual(split(2).splits.train.inputs);
    expect(split(1).splitHash).toMatch(/^[0-9a-f]{64}$/);
  });

  it('takes a subset of both training and validation from what the whole run would use', () => {
    const labels = Array.from({ length: 300 }, (_, i) => (i % 6 === 0 ? 2 : i % 2));
    const whole = splitDataset(raw(labels), { key: key(1), validation: 60 }).splits;
    const part = splitDataset(raw(labels), { key: key(1), validation: 60, subset: 60 }).splits;
    expect([part.train.count, part['validation']!.count]).toEqual([60, 15]);
    for (const name of ['train', 'validation'] as const) {
      const allowed = new Set(whole[name]!.inputs);
      expect([...part[name]!.inputs].every((place) => allowed.has(place))).toBe(true);
    }
  });

  it('puts everything on memory that threads share', () => {
    const { train, validation } = splitDataset(raw([0, 1, 2, 0]), { key: key(0), validation: 1 }).splits;
    for (const part of [train, validation!]) {
      expect(part.inputs.buffer).toBeInstanceOf(SharedArrayBuffer);
      expect(part.labels.buffer).toBeInstanceOf(SharedArrayBuffer);
    }
  });

  it.each([
    [{ subset: 0 }, /subset 0/],
    [{ subset: 1.5 }, /subset 1.5/],
    [{ subset: 91 }, /subset 91\n.*from 1 to 90/],
    [{ validation: 100 }, /validation 100\n.*from 0 to 99/],
    [{ validation: -1 }, /validation -1/],
  ])('refuses %j of 100 examples', (options, message) => {
    const labels = new Array<number>(100).fill(0);
    expect(() => splitDataset(raw(labels), { key: key(0), ...options })).toThrow(message);
  });
});

describe('stratifiedSubset', () => {
  it('keeps each class’s share to within one example', () => {
    fc.assert(
      fc.property(labelList, fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(), (labels, share, seed) => {
        const size = Math.floor(share * labels.length);
        const all = Uint32Array.from(labels, (_, i) => i);
        const chosen = stratifiedSubset(numbered(labels), all, size, key(seed));
        expect(new Set(chosen).size).toBe(size);
        for (const label of [0, 1, 2]) {
          const quota = (labels.filter((each) => each === label).length * size) / labels.length;
          const taken = [...chosen].filter((place) => labels[place] === label).length;
          expect(Math.abs(taken - quota)).toBeLessThan(1);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('draws regression examples without classes', () => {
    const pool = { ...numbered([0, 0, 0, 0]), labels: Float32Array.of(0.5, 1.5, 2.5, 3.5) };
    expect(stratifiedSubset(pool, Uint32Array.of(0, 1, 2, 3), 2, key(1)).length).toBe(2);
  });
});
