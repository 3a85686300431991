import { type ArraySpec, bytesOf, chunkPath, isSharded, widthOf } from './arrays.js';
import type { ByteRange, Source } from '../source.js';

/*
 * Of a packed run, the chunks of the ledger are not a file each: so many of an array are one file, a shard of Zarr v3 (codec sharding_indexed). A shard is its
 * chunks end to end, uncompressed, each at its place, and an index: first byte and length of each chunk, uint64, all bits set for one that is not there, and
 * the CRC-32C of that. Where the array ends inside the shard, the index follows the array's last chunk. So each chunk has a place that depends on nothing else: it
 * can be written by itself, in any order, and read without the index. Everything but this module still speaks of a file for each chunk; a source of a packed run
 * says where such a file is.
 */

/** Where a chunk of a sharded array is. */
export interface ChunkPlace extends ByteRange {
  readonly spec: ArraySpec;
  readonly chunk: number;
  readonly shard: number;
}

/** Bytes of one chunk. */
function chunkBytesOf(spec: ArraySpec): number {
  return spec.chunkRows * widthOf(spec) * bytesOf[spec.dtype];
}

/** Path inside the run folder of a shard. */
export function shardPath(spec: ArraySpec, shard: number): string {
  return chunkPath(spec, shard);
}

/** Numbers of the chunks of a shard that the array has, ascending. */
export function chunksOfShard({ shape, chunkRows, shardChunks }: ArraySpec, shard: number): number[] {
  const from = shard * shardChunks;
  const to = Math.min(Math.ceil(shape[0]! / chunkRows), from + shardChunks);
  return Array.from({ length: to - from }, (_, k) => from + k);
}

/** Where a chunk of a sharded array is inside its shard. */
export function chunkPlace(spec: ArraySpec, chunk: number): ChunkPlace {
  const bytes = chunkBytesOf(spec);
  const start = (chunk % spec.shardChunks) * bytes;
  return { spec, chunk, shard: Math.floor(chunk / spec.shardChunks), start, end: start + bytes };
}

/** Where the chunk of a sharded array is whose file such a path would be; null: it is a file of its own. */
export function placeOfChunk(arrays: readonly ArraySpec[], path: string): ChunkPlace | null {
  const match = /^ledger\.zarr\/(.+?)\/c\/(\d+)(\/0)*$/.exec(path);
  const spec = match && arrays.find(({ name }) => name === match[1]);
  return spec && isSharded(spec) ? chunkPlace(spec, Number(match[2])) : null;
}

/** First byte of a shard's index. */
export function indexStart(spec: ArraySpec, shard: number): number {
  return chunksOfShard(spec, shard).length * chunkBytesOf(spec);
}

/** The index of a shard with the chunks that `isThere` says. */
export function encodeShardIndex(
  spec: ArraySpec,
  shard: number,
  isThere: (chunk: number) => boolean,
): Uint8Array {
  const index = new Uint8Array(16 * spec.shardChunks + 4).fill(255);
  const view = new DataView(index.buffer);
  for (const [at, chunk] of chunksOfShard(spec, shard).entries()) {
    if (!isThere(chunk)) continue;
    const { start, end } = chunkPlace(spec, chunk);
    view.setBigUint64(16 * at, BigInt(start), true);
    view.setBigUint64(16 * at + 8, BigInt(end - start), true);
  }
  view.setUint32(16 * spec.shardChunks, crc32c(index.subarray(0, -4)), true);
  return index;
}

/** Chunks that an index says are there; null where it is damaged: its checksum, its length, or where a chunk is. */
export function decodeShardIndex(spec: ArraySpec, shard: number, index: Uint8Array): Set<number> | null {
  if (index.length !== 16 * spec.shardChunks + 4) return null;
  const view = new DataView(index.buffer, index.byteOffset, index.byteLength);
  const isThere = (at: number) => view.getBigUint64(16 * at + 8, true) !== 2n ** 64n - 1n;
  const there = new Set(chunksOfShard(spec, shard).filter((_, at) => isThere(at)));
  const expected = encodeShardIndex(spec, shard, (chunk) => there.has(chunk));
  return expected.every((byte, at) => byte === index[at]) ? there : null;
}

/** A source that gives chunks of sharded arrays as the files that they would be. */
export function withShards(source: Source, arrays: readonly ArraySpec[]): Source {
  if (!arrays.some(isSharded)) return source;
  return {
    get: async (path, range) => {
      const place = placeOfChunk(arrays, path);
      if (place === null) return source.get(path, range);
      const start = Math.min(place.end, place.start + (range?.start ?? 0));
      const end = Math.min(place.end, place.start + (range?.end ?? Infinity));
      const bytes = await source.get(shardPath(place.spec, place.shard), { start, end });
      return bytes?.length === 0 && end > start ? undefined : bytes;
    },
  };
}

/** The index of a shard; undefined where there is no such file. `source` is that of the files. */
export function readShardIndex(source: Source, spec: ArraySpec, shard: number): Promise<Uint8Array | undefined> {
  const start = indexStart(spec, shard);
  // One byte more, which must not be there.
  return source.get(shardPath(spec, shard), { start, end: start + 16 * spec.shardChunks + 5 });
} // prettier-ignore

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  return crc;
});

/** CRC-32C (Castagnoli). */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = crcTable[(crc ^ byte) & 255]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
