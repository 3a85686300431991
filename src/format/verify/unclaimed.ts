import { type ArraySpec, chunkPath } from '../arrays.js';
import { journalName, type Place, type RunContext } from '../context.js';
import type { RunState } from '../state.js';
import { type Finding, locate } from './finding.js';

/** Where a run is read from, with the paths of all its files where they can be listed. */
export interface ListedPlace extends Place {
  readonly list?: () => Promise<readonly string[]>;
}

/** Rows and segments whose files a crash may leave without a line of the journal: those in flight, and those of a line that is torn. */
const mostUnclaimed = 32;

/** Chunks that are there and that no line of the journal claims. */
export async function* verifyUnclaimed(
  context: RunContext,
  state: RunState,
  { list }: ListedPlace,
): AsyncGenerator<Finding> {
  const unclaimed = (await list?.()) ?? [];
  const chunks = unclaimed.flatMap((file) => {
    const located = locate(context, file);
    // Folders are listed too.
    if (located === null || file !== chunkPath(located.spec, located.chunk)) return [];
    if (isClaimed(state, located, file)) return [];
    return [{ file, ...located }];
  });
  // Of a window, a crash leaves a chunk of each array.
  const rows = new Set(chunks.filter(({ spec }) => spec.placement !== 'window').map(({ chunk, spec }) => `${spec.placement} ${chunk}`)); // prettier-ignore
  const windows = new Set(chunks.flatMap(({ window }) => window ?? []));
  if (rows.size <= mostUnclaimed && windows.size <= 1) return;
  const what = `claims none of ${chunks.length} chunks that are there, such as ${chunks[0]!.file}: its end is missing`;
  yield { file: journalName, array: null, rows: null, what };
}

function isClaimed(
  state: RunState,
  { spec, chunk }: { spec: ArraySpec; chunk: number },
  file: string,
): boolean {
  if (spec.placement === 'theta') return state.rows[chunk] === 1;
  if (spec.placement === 'row') return state.segments[chunk] === 1;
  return state.files.has(file);
}
