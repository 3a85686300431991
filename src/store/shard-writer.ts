import { constants } from 'node:fs';
import { join } from 'node:path';
import type { ArraySpec } from '../format/layout/arrays.js';
import type { RunContext } from '../format/context.js';
import { type ChunkPlace, chunksOfShard, encodeShardIndex, indexStart, placeOfChunk, shardPath } from '../format/layout/shards.js'; // prettier-ignore
import { isChunkStored, type RunState } from '../format/state.js';
import { syncToDisk, withOpen, writeAt } from './files.js';

/** Writes chunks of packed runs into the files that they share, each at its place, and the index behind them. */
export class ShardWriter {
  /** Chunks that are in a shard, by its path. */
  readonly #chunks = new Map<string, Set<number>>();

  constructor(
    readonly folder: string,
    readonly context: RunContext,
    readonly state: RunState,
  ) {}

  /** Where a chunk is; null: it is a file of its own. */
  placeOf(chunk: string): ChunkPlace | null {
    return placeOfChunk(this.context.arrays, chunk);
  }

  /**
   * Writes a chunk, which is on the disk when this resolves; the folder is there. What a crash leaves of an index, the next chunk of its shard mends: the journal
   * says which are there. Throws StoreError.
   */
  async write({ spec, chunk, shard, start }: ChunkPlace, bytes: Uint8Array): Promise<void> {
    const path = join(this.folder, shardPath(spec, shard));
    const chunks = this.#chunksOf(path, spec, shard);
    chunks.add(chunk);
    const index = encodeShardIndex(spec, shard, (own) => chunks.has(own));
    const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
    await withOpen(path, O_RDWR | O_CREAT | O_NOFOLLOW, async (file) => {
      writeAt(file, bytes, start);
      writeAt(file, index, indexStart(spec, shard));
      await syncToDisk(file);
    });
  }

  #chunksOf(path: string, spec: ArraySpec, shard: number): Set<number> {
    const known = this.#chunks.get(path);
    if (known !== undefined) return known;
    const stored = chunksOfShard(spec, shard).filter((chunk) => isChunkStored(this.state, spec, chunk));
    const chunks = new Set(stored);
    this.#chunks.set(path, chunks);
    return chunks;
  }
}
