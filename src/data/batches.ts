import { UsageError } from '../errors.js';
import { fold, permutation } from '../num/random.js';
import type { Key } from '../num/random.js';
import { gatherRowsInto, sharedLike, withArrays } from './shared.js';
import type { Examples } from './types.js';

export interface BatchOrderOptions {
  /** The run's key; folded with `order` and the epoch here. */
  readonly key: Key;
  /** Examples of the training set. */
  readonly count: number;
  /** B */
  readonly batchSize: number;
  /** T */
  readonly iterations: number;
}

/** Iterations of one epoch. Examples that fill no whole batch are left out of this epoch; each epoch leaves out others. Throws UsageError
 * where a batch is larger than the set. */
export function iterationsPerEpoch(count: number, batchSize: number): number {
  if (Number.isInteger(batchSize) && batchSize >= 1 && batchSize <= count)
    return Math.floor(count / batchSize);
  throw new UsageError({
    given: `mini-batches of ${batchSize} from ${count} training examples`,
    expected: `a whole number from 1 to ${count}`,
    remedy: 'choose a smaller batch size, or a larger subset',
  });
}

/** Places of all mini-batches that are kept at most: 2 GiB. */
const maxOrder = 2 ** 29;

/** Throws UsageError where the order of T mini-batches of B examples could not be kept. */
export function requireOrderFits(iterations: number, batchSize: number): void {
  if (iterations * batchSize <= maxOrder) return;
  throw new UsageError({
    given: `${iterations} iterations of ${batchSize} examples`,
    expected: `at most ${maxOrder} places of examples in all, since their order is kept`,
    remedy: 'train in several runs, each starting from the last one with --init',
  });
}

/**
 * Places in the training set of every mini-batch [T, B], row-major: each epoch takes a new random order. Row t depends on the key,
 * the counts and t alone, so that runs of different length share their beginning.
 */
export function batchOrder({ key, count, batchSize, iterations }: BatchOrderOptions): Int32Array {
  const perEpoch = iterationsPerEpoch(count, batchSize);
  requireOrderFits(iterations, batchSize);
  const order = new Int32Array(iterations * batchSize);
  const orderKey = fold(key, 'order');
  for (let first = 0; first < iterations; first += perEpoch) {
    const used = Math.min(perEpoch, iterations - first) * batchSize;
    const epoch = permutation(fold(orderKey, first / perEpoch), count);
    order.set(epoch.subarray(0, used), first * batchSize);
  }
  return order;
}

/** Fresh buffers on shared memory for mini-batches of `size` examples. */
export function batchBuffers(examples: Examples, size: number): Examples {
  return withArrays(examples, (array) => sharedLike(array, (array.length / examples.count) * size), size);
}

/** Copies the examples at places `indices` [B] into `buffers`, in that order. */
export function gatherBatch(examples: Examples, indices: Int32Array, buffers: Examples): void {
  const { inputs, labels, count, further = [] } = examples;
  gatherRowsInto(buffers.inputs, inputs, inputs.length / count, indices);
  gatherRowsInto(buffers.labels, labels, labels.length / count, indices);
  for (const [k, { values }] of further.entries()) {
    gatherRowsInto(buffers.further![k]!.values, values, values.length / count, indices);
  }
}
