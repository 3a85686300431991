import type { Examples } from '../data/types.js';
import type { Feeds, Program } from '../engines/types.js';
import { DataError } from '../errors.js';
import { sizeOf } from '../graph/types.js';
import type { Chunk } from './chunks.js';

/** The feeds of one chunk: views on the examples, nothing copied. */
export function feedsOf(examples: Examples, { start, end }: Chunk): Feeds {
  const width = sizeOf(examples.shape);
  const labelWidth = examples.labels.length / examples.count;
  return {
    x: examples.inputs.subarray(start * width, end * width),
    labels: examples.labels.subarray(start * labelWidth, end * labelWidth),
  };
}

/** Adds up one lane's chunks in order: writes the gradient sum into `gradient` [K] and returns the loss sum. */
export async function evaluateLane(
  programs: ReadonlyMap<number, Program>,
  examples: Examples,
  chunks: readonly Chunk[],
  gradient: Float64Array,
): Promise<number> {
  gradient.fill(0);
  let loss = 0;
  for (const chunk of chunks) {
    loss += await programFor(programs, chunk).run(feedsOf(examples, chunk), gradient);
  }
  return loss;
}

function programFor(programs: ReadonlyMap<number, Program>, { start, end }: Chunk): Program {
  const program = programs.get(end - start);
  if (program) return program;
  throw new DataError({
    given: `a chunk of ${end - start} examples`,
    expected: `chunks of ${[...programs.keys()].join(' or ')} examples`,
    remedy: 'compile a program for this size',
  });
}
