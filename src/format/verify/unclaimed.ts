import { type ArraySpec, chunkPath, isSharded } from '../layout/arrays.js';
import { journalName, type Place, type RunContext } from '../context.js';
import { chunksOfShard, decodeShardIndex, readShardIndex, shardPath } from '../layout/shards.js';
import { isChunkStored, type RunState } from '../state.js';
import { type Finding, locate } from './finding.js';
import { ahead } from './read-ahead.js';

/** Where a run is read from, with the paths of all its files where they can be listed. */
export interface ListedPlace extends Place {
  readonly list?: () => Promise<readonly string[]>;
}

/** Rows and segments whose files a crash may leave without a line of the journal: those in flight, and those of a line that is torn. */
const mostUnclaimed = 32;

type Located = NonNullable<ReturnType<typeof locate>>;

/** Chunks that are there and that no line of the journal claims: more than a crash leaves, or such as only a later line explains. */
export async function* verifyUnclaimed(
  context: RunContext,
  state: RunState,
  { list }: ListedPlace,
): AsyncGenerator<Finding> {
  const chunks: (Located & { file: string })[] = [];
  const files = ((await list?.()) ?? []).flatMap((file) => {
    const located = locate(context, file);
    // Folders are listed too.
    return located !== null && file === chunkPath(located.spec, located.chunk) ? [{ file, located }] : [];
  });
  for await (const [{ file, located }, found] of ahead(files, (own) => chunksIn(context, own.located))) {
    for (const chunk of found) {
      const own = locate(context, chunkPath(located.spec, chunk))!;
      if (!isChunkStored(state, own.spec, chunk)) chunks.push({ file, ...own });
    }
  }
  // Of a window, a crash leaves a chunk of each array.
  const rows = new Set(chunks.filter(({ spec }) => spec.placement !== 'window').map(({ chunk, spec }) => `${spec.placement} ${chunk}`)); // prettier-ignore
  const windows = new Set(chunks.flatMap(({ window }) => window ?? []));
  const isExplained = chunks.every((located) => isDue(context, state, located));
  if (isExplained && rows.size <= mostUnclaimed && windows.size <= 1) return;
  const what = `claims none of ${chunks.length} chunks that are there, such as ${chunks[0]!.file}: its end is missing`;
  yield { file: journalName, array: null, rows: null, what };
}

/** The chunks of a file: of a shard those that its index says are there. */
async function chunksIn({ files }: RunContext, { spec, chunk }: Located): Promise<Iterable<number>> {
  if (!isSharded(spec)) return [chunk];
  const index = await readShardIndex(files, spec, chunk);
  return (index && decodeShardIndex(spec, chunk, index)) ?? [];
}

/** Indexes of shards that do not say which chunks are there, as readers of Zarr need it; chunks that no line of the journal claims are `verifyUnclaimed`'s. */
export async function* verifyShards(context: RunContext, state: RunState): AsyncGenerator<Finding> {
  const indexOf = ({ spec, shard }: StoredShard) => readShardIndex(context.files, spec, shard);
  for await (const [{ spec, shard, chunks, stored }, index] of ahead(storedShards(context, state), indexOf)) {
    const there = index && decodeShardIndex(spec, shard, index);
    if (there && stored.every((chunk) => there.has(chunk))) continue;
    const what = there ? 'has chunks that its index lacks' : 'has a damaged index, or another length';
    const [from, to] = [chunks[0]!, chunks.at(-1)! + 1].map((chunk) => Math.min(spec.shape[0]!, chunk * spec.chunkRows)); // prettier-ignore
    yield { file: shardPath(spec, shard), array: spec.name, rows: { from: from!, to: to! }, what };
  }
}

interface StoredShard {
  readonly spec: ArraySpec;
  readonly shard: number;
  /** All that it has room for, and those that the journal says are there. */
  readonly chunks: readonly number[];
  readonly stored: readonly number[];
}

/** Shards that hold something. */
function* storedShards(context: RunContext, state: RunState): Generator<StoredShard> {
  for (const spec of context.arrays.filter(isSharded)) {
    for (let shard = 0; shard * spec.shardChunks * spec.chunkRows < spec.shape[0]!; shard++) {
      const chunks = chunksOfShard(spec, shard);
      const stored = chunks.filter((chunk) => isChunkStored(state, spec, chunk));
      if (stored.length > 0) yield { spec, shard, chunks, stored };
    }
  }
}

/** Whether all is claimed that must be before such a chunk is written. */
function isDue(
  { windowRows }: RunContext,
  { rows, segments }: RunState,
  { spec, chunk, window }: Located,
): boolean {
  if (spec.placement === 'theta') return true;
  if (spec.placement === 'order') return rows.every((flag) => flag === 1);
  if (window === null) return rows[chunk] === 1 && rows[chunk + 1] === 1;
  const from = window * windowRows;
  return segments.subarray(from, from + windowRows + 1).every((flag) => flag === 1);
}
