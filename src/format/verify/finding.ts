import { type ArraySpec, isSharded } from '../layout/arrays.js';
import { type RunContext, windowCount } from '../context.js';
import { chunkPlace, shardPath } from '../layout/shards.js';

/** Something that is wrong with a stored run. */
export interface Finding {
  /** File inside the run folder. */
  readonly file: string;
  /** Array that it belongs to, such as `allocation/train`; null where it is none. */
  readonly array: string | null;
  /** Rows [from, to) of that array which cannot be trusted; null where it is no array's data. */
  readonly rows: { readonly from: number; readonly to: number } | null;
  /** What is wrong, as a phrase. */
  readonly what: string;
}

/** Array and chunk that a file is (of a packed array: shard), and the window that it belongs to. */
export function locate(
  context: RunContext,
  file: string,
): { spec: ArraySpec; chunk: number; window: number | null } | null {
  const match = /^ledger\.zarr\/(.+?)\/c\/(\d+)(\/0)*$/.exec(file);
  const spec = match && context.arrays.find(({ name }) => name === match[1]);
  if (!spec) return null;
  const chunk = Number(match[2]);
  // The last row of θ may stand in a chunk behind the last window.
  const window = spec.placement === 'window' ? Math.min(chunk, windowCount(context) - 1) : null;
  return { spec, chunk, window };
}

/** What is wrong with a file, with the array and rows that it holds. */
export function finding(context: RunContext, file: string, what: string): Finding {
  const located = locate(context, file);
  if (located === null) return { file, array: null, rows: null, what };
  const { spec, chunk } = located;
  const from = chunk * spec.chunkRows;
  return {
    file: isSharded(spec) ? shardPath(spec, chunkPlace(spec, chunk).shard) : file,
    array: spec.name,
    rows: { from, to: Math.min(from + spec.chunkRows, spec.shape[0]!) },
    what,
  };
}
