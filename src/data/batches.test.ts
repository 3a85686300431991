import { describe, expect, it } from 'vitest';
import { key } from '../num/random.js';
import { batchBuffers, batchOrder, gatherBatch, iterationsPerEpoch } from './batches.js';
import type { Examples } from './types.js';

const root = key(11);
const sorted = (values: Iterable<number>) => [...values].sort((a, b) => a - b);

describe('iterationsPerEpoch', () => {
  it('is the paper’s', () => {
    expect(iterationsPerEpoch(55_000, 250)).toBe(220);
    expect(iterationsPerEpoch(45_000, 250)).toBe(180);
  });

  it.each([0, 11, 2.5, NaN])('refuses a batch size of %d for 10 examples', (batchSize) => {
    expect(() => iterationsPerEpoch(10, batchSize)).toThrow(/from 1 to 10/);
  });
});

describe('batchOrder', () => {
  it('is refused where it could not be kept', () => {
    expect(() => batchOrder({ key: root, count: 60, batchSize: 12, iterations: 10 ** 9 })).toThrow(
      /1000000000 iterations of 12/,
    );
  });

  it('shows every example once in an epoch, in another order in each', () => {
    const order = batchOrder({ key: root, count: 60, batchSize: 12, iterations: 15 });
    const epochs = [0, 1, 2].map((epoch) => order.subarray(epoch * 60, (epoch + 1) * 60));
    const all = Array.from({ length: 60 }, (_, i) => i);
    for (const epoch of epochs) expect(sorted(epoch)).toEqual(all);
    expect(new Set(epochs.map((epoch) => epoch.join())).size).toBe(3);
  });

  it('leaves out another remainder in each epoch', () => {
    const order = batchOrder({ key: root, count: 50, batchSize: 12, iterations: 8 });
    const left = [0, 1].map((epoch) => {
      const used = new Set(order.subarray(epoch * 48, (epoch + 1) * 48));
      expect(used.size).toBe(48);
      return Array.from({ length: 50 }, (_, i) => i).filter((i) => !used.has(i));
    });
    expect(left[0]).not.toEqual(left[1]);
  });

  it('of a longer run begins like that of a shorter one', () => {
    const options = { key: root, count: 50, batchSize: 12 };
    const long = batchOrder({ ...options, iterations: 11 });
    for (const iterations of [0, 1, 4, 7]) {
      expect(batchOrder({ ...options, iterations })).toEqual(long.slice(0, iterations * 12));
    }
  });

  it('depends on the key', () => {
    const options = { count: 50, batchSize: 12, iterations: 3 };
    expect(batchOrder({ ...options, key: key(1) })).not.toEqual(batchOrder({ ...options, key: key(2) }));
  });
});

describe('gatherBatch', () => {
  it('copies rows and labels in the order asked for', () => {
    const examples: Examples = {
      count: 3,
      shape: [1, 2],
      inputs: Uint8Array.of(1, 2, 3, 4, 5, 6),
      labels: Float32Array.of(10, 11, 20, 21, 30, 31),
    };
    const buffers = batchBuffers(examples, 2);
    gatherBatch(examples, Int32Array.of(2, 0), buffers);
    expect([...buffers.inputs]).toEqual([5, 6, 1, 2]);
    expect([...buffers.labels]).toEqual([30, 31, 10, 11]);
  });
});
