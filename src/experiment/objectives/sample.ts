import { drawSample } from '../../data/sample.js';
import { gatherExamples } from '../../data/shared.js';
import type { Dataset, Examples } from '../../data/types.js';
import { UsageError } from '../../errors.js';
import type { Reading } from '../../formats/reading.js';
import type { Key } from '../../num/random.js';
import type { Partition } from '../../objective/plan.js';

/** Blocks of a sample: so many estimates of each quantity, whose spread tells its standard error. */
export const sampleBlocks = 16;

/** Fewest examples of a block of the training set. */
const fewestOfBlock = 4;

/** Throws UsageError where so many examples cannot be drawn, or are no sample of the objective. */
export function requireSample(
  { dataset, mixes }: { readonly dataset: Dataset; readonly mixes: boolean },
  size: number | 'auto',
): asserts size is number {
  const { count } = dataset.splits.train;
  const fewest = sampleBlocks * fewestOfBlock;
  if (mixes) {
    throw new UsageError({
      given: `sample ${size} of a network in which the loss of an example depends on the others of its chunk`,
      expected:
        'a network without batch statistics, or running ones alone (statistics running), whose loss is a mean over examples',
      remedy: 'measure all examples, or train on fewer (subset)',
    });
  }
  if (size !== 'auto' && size >= fewest && size <= count) return;
  throw new UsageError({
    given: `sample ${size} of ${count} training examples`,
    expected: `a number from ${fewest} to ${count}`,
    remedy: 'draw so many, or leave sample out to measure all',
  });
}

/** Examples of an objective's sample: its share of the training set's, and enough for blocks where it has few. */
export function sampleSize(size: number, { count }: Examples, { splits }: Dataset): number {
  const share = Math.round((size / splits.train.count) * count);
  return Math.min(count, Math.max(share, sampleBlocks * fewestOfBlock));
}

/** What is measured of a set, and how it falls into parts, the blocks among them, and the blocks of each part. */
export function sampleOf(examples: Examples, partitions: readonly Partition[], size: number, key: Key) {
  const { places, blockOf } = drawSample(examples, size, sampleBlocks, key);
  const drawn = partitions.map((own) => ({
    ...own,
    partOf: Int32Array.from(places, (place) => own.partOf[place]!),
  }));
  const names = Array.from({ length: sampleBlocks }, (_, block) => `block ${block}`);
  const blocks = { by: 'block', names, partOf: blockOf };
  return {
    counted: gatherExamples(examples, places),
    partitions: [...drawn, blocks, ...drawn.map((own) => crossed(own, blocks))],
    sample: { from: examples.count, blocks: sampleBlocks },
  };
}

/** Each part's examples of each block: `class 3, block 2`. */
function crossed(own: Partition, blocks: Partition): Partition {
  return {
    by: `${own.by}, block`,
    names: own.names.flatMap((name) => blocks.names.map((block) => `${name}, ${block}`)),
    partOf: own.partOf.map((part, k) => part * blocks.names.length + blocks.partOf[k]!),
  };
}

/** States that an objective is measured on a sample. */
export function sampleReading(name: string, size: number, from: number): Reading {
  return {
    about: `sample of ${name}`,
    decision: `${size} of ${from} examples are measured, in ${sampleBlocks} blocks; sums have intervals, signs of single parameters are the sample's`,
    evidence: '--sample',
  };
}
