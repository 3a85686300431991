import type { Engine } from '../../engines/types.js';
import type { StatisticsKind } from '../../graph/statistics.js';
import { type GraphParts, gradientGraph } from '../graphs.js';
import type { Network } from '../network/types.js';
import { sampleBlocks } from './sample.js';

/** What the programs of a worker may hold unless the user says how large chunks are, in bytes: two workers stay well below 1 GB. */
const programBytes = 2 ** 28;

/** Examples of a chunk: as stated, else the network's, and of a sample no more than a block has. */
export function chunkOf({ chunk, sample }: GraphParts['config'], usual: number): number {
  if (chunk !== null) return chunk;
  return typeof sample === 'number' ? Math.min(usual, Math.ceil(sample / sampleBlocks)) : usual;
}

/**
 * The same, halved until an engine's programs for it and for what it leaves over fit, where neither user nor network say how large it is and no loss depends on it. It
 * depends on network, data and engine alone, so that all machines have the same. Throws EngineError where the engine does not know the network.
 */
export function fittingChunk(
  parts: GraphParts,
  { files }: Network,
  engine: Engine,
  chunk: number,
  mixes: (statistics: StatisticsKind) => boolean,
): number {
  const { config, dataset } = parts;
  const isOpen = config.chunk === null && files.length > 0;
  if (!isOpen || config.statistics.some(mixes)) return chunk;
  const { count } = dataset.splits.train;
  const fits = (examples: number): boolean => {
    const sizes = [examples, count % examples].filter((size) => size > 0);
    const planned = sizes.map((size) => engine.plan(gradientGraph(parts, size, false)).memory);
    return planned.reduce((total, bytes) => total + bytes, 0) <= programBytes;
  };
  let examples = Math.min(chunk, count);
  if (fits(examples)) return chunk;
  do examples = Math.ceil(examples / 2);
  while (examples > 1 && !fits(examples));
  return examples;
}
