import { StoreError } from '../errors.js';
import type { ParameterLayout } from '../ledger/types.js';
import { type ArraySpec, arraysOf, bytesOf, isByRow, widthOf, windowRows } from './layout/arrays.js';
import { decodeManifest, layoutOfManifest, type Manifest } from './manifest.js';
import { noArray } from './layout/missing.js';
import { withShards } from './layout/shards.js';
import { type ByteRange, type Digest, sha256, type Source } from './source.js';

/** What is fixed about a run from its start, and where it is read. */
export interface RunContext {
  /** Folder or address, for messages. */
  readonly place: string;
  /** A chunk of an array is a file, wherever it is. */
  readonly source: Source;
  /** The files as they are. */
  readonly files: Source;
  readonly digest: Digest;
  readonly chunkDigest: (bytes: Uint8Array) => string | Promise<string>;
  readonly manifest: Manifest;
  readonly layout: ParameterLayout;
  /** All arrays, filled or not. */
  readonly arrays: readonly ArraySpec[];
  /** Those that have a chunk for each segment, in the order of the journal's checksums. */
  readonly rowArrays: readonly ArraySpec[];
  /** Those whose rows are kept in records, in the order of a record. */
  readonly windowArrays: readonly ArraySpec[];
  /** Where a segment's record holds each of them, in bytes. */
  readonly recordPlaces: ReadonlyMap<ArraySpec, ByteRange>;
  /** Segments of a window. */
  readonly windowRows: number;
}

export const manifestName = 'manifest.json';
export const journalName = 'journal';

/** Where a run is read from. */
export interface Place {
  readonly place: string;
  readonly source: Source;
  /** Default: SHA-256 in JavaScript. */
  readonly digest?: Digest;
  /** SHA-256 of chunks, where there is a faster one that takes its time, such as a browser's; default: `digest`. */
  readonly chunkDigest?: (bytes: Uint8Array) => string | Promise<string>;
}

export function contextOf(
  { place, source, digest = sha256, chunkDigest = digest }: Place,
  manifest: Manifest,
): RunContext {
  const arrays = arraysOf(manifest);
  const windowArrays = arrays.filter(({ placement }) => placement === 'window');
  return {
    place,
    source: withShards(source, arrays),
    files: source,
    digest,
    chunkDigest,
    manifest,
    layout: layoutOfManifest(manifest),
    arrays,
    rowArrays: arrays.filter(({ placement }) => placement === 'row'),
    windowArrays,
    recordPlaces: recordPlacesOf(windowArrays),
    windowRows: windowRows(manifest),
  };
}

/** End to end; of an array by row of θ a record holds the rows at both ends of its segment. */
function recordPlacesOf(windowArrays: readonly ArraySpec[]): Map<ArraySpec, ByteRange> {
  let end = 0;
  return new Map(
    windowArrays.map((spec) => {
      const start = end;
      end += widthOf(spec) * (isByRow(spec) ? 2 : 1) * bytesOf[spec.dtype];
      return [spec, { start, end }];
    }),
  );
}

/** Reads manifest.json. Throws StoreError where there is no run, or one of another version. */
export async function loadContext(place: Place): Promise<RunContext> {
  const bytes = await place.source.get(manifestName);
  if (bytes === undefined) throw notARun(place.place);
  return contextOf(place, decodeManifest(bytes, `${place.place}/${manifestName}`));
}

export function notARun(place: string): StoreError {
  return new StoreError({
    given: `${place} holds no ${manifestName}`,
    expected: 'a run folder',
    remedy: 'check the path, or make a run there with lca run',
  });
}

/** The array of that name. Throws StoreError saying what the run has, and what would give it that one. */
export function arrayNamed({ place, arrays }: RunContext, name: string): ArraySpec {
  const spec = arrays.find((candidate) => candidate.name === name);
  if (spec) return spec;
  throw noArray(place, arrays, name);
}

/** The array of a column, an objective and a grouping, or of a column of the run; null where the run has none. */
export function columnArrayOf(
  { arrays, manifest }: RunContext,
  column: string,
  objective?: string,
  grouping: string | null = null,
): ArraySpec | null {
  const index =
    objective === undefined ? null : manifest.objectives.findIndex(({ name }) => name === objective);
  return (
    arrays.find((spec) => spec.column === column && spec.objective === index && spec.grouping === grouping) ??
    null
  );
}

/** Windows of small columns that a run has. */
export function windowCount({ manifest, windowRows: rows }: RunContext): number {
  return Math.ceil(manifest.trajectory.iterations / rows);
}

/** Path of the records of a window's segments, until its chunks are written. */
export function pendingPath(window: number): string {
  return `pending/${window}`;
}
