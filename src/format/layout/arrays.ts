import type { Axis, Column } from '../../ledger/column.js';
import { columnEntries } from '../../ledger/columns.js';
import { layoutOf } from '../../ledger/layout.js';
import { signBytes } from '../../ledger/measures/gradients.js';
import type { Numbers } from '../../ledger/types.js';
import { isKept, type Owner } from './kept.js';
import type { ManifestContent } from '../manifest.js';

export type StoredDType = 'float32' | 'float64' | 'int32' | 'uint8';

/** Where an array's numbers are until the run ends, and how they get there. */
export type Placement =
  /** One chunk file for each row of θ, written while training goes on. */
  | 'theta'
  /** Written when training ends. */
  | 'order'
  /** One chunk file for each segment. */
  | 'row'
  /** With all other small columns of its segment in one record, until the chunks of a whole window of segments are written. */
  | 'window';

/** One array of ledger.zarr. */
export interface ArraySpec {
  /** Path inside ledger.zarr, such as `loss/train`. */
  readonly name: string;
  readonly dtype: StoredDType;
  /** The first extent counts rows. */
  readonly shape: readonly number[];
  readonly dimensions: readonly string[];
  /** The loss's, such as `nats`; `1` for counts and parameters. */
  readonly unit: string;
  readonly description: string;
  /** Rows of one chunk file. */
  readonly chunkRows: number;
  /** Chunks that are one file together; 1: each is a file of its own. */
  readonly shardChunks: number;
  readonly placement: Placement;
  /** Column of the ledger that it holds; null for θ and the order of the examples. */
  readonly column: string | null;
  /** Index of its objective; null where it belongs to none. */
  readonly objective: number | null;
  /** Name of its grouping; null where its numbers are by none. */
  readonly grouping: string | null;
}

/** Size that chunks of many rows are cut to. */
const chunkBytes = 2 ** 20;
/** Size that the files of a packed run have at most, unless one chunk is larger. */
const shardBytes = 2 ** 28;
/** Chunks of such a file at most. */
const mostShardChunks = 256;
/** Rows of a large column up to this size are kept with the small ones. */
const smallRowBytes = 2 ** 14;

export const bytesOf: Readonly<Record<StoredDType, number>> = { float32: 4, float64: 8, int32: 4, uint8: 1 };

/** All arrays of a run, whether filled already or not: θ, the order of the examples, and what the table of columns says. */
export function arraysOf(manifest: ManifestContent): ArraySpec[] {
  const shared = columnEntries().filter(([, { of }]) => of === 'run');
  const own = columnEntries().filter(([, { of }]) => of !== 'run');
  const { groupings } = layoutOf(manifest.parameters, manifest.groupings);
  const arraysFor = ([name, column]: readonly [string, Column], objective: number) =>
    column.of === 'grouping'
      ? groupings.flatMap((grouping) => columnArray(manifest, name, column, { objective, grouping }))
      : columnArray(manifest, name, column, { objective, grouping: null });
  return [
    thetaArray(manifest),
    ...orderArray(manifest),
    ...splitArrays(manifest),
    ...basisArray(manifest),
    ...manifest.objectives.flatMap((_, index) => own.flatMap((entry) => arraysFor(entry, index))),
    ...shared.flatMap(([name, column]) =>
      columnArray(manifest, name, column, { objective: null, grouping: null }),
    ),
  ];
}

/** Whether an array has a row for each row of θ, so that a segment gives two. */
export function isByRow({ dimensions }: ArraySpec): boolean {
  return dimensions[0] === 'row';
}

/** Numbers in one row. */
export function widthOf({ shape }: Pick<ArraySpec, 'shape'>): number {
  return shape.slice(1).reduce((width, extent) => width * extent, 1);
}

/** Whether chunks of an array lie many in one file (`shards.ts`). */
export function isSharded({ shardChunks }: ArraySpec): boolean {
  return shardChunks > 1;
}

/** Chunks of a file of a packed run: a power of two. */
function shardChunksOf(packed: boolean | undefined, bytes: number): number {
  if (!packed) return 1;
  return 2 ** Math.floor(Math.log2(Math.max(1, Math.min(mostShardChunks, shardBytes / bytes))));
}

/** Shape of one chunk file. */
export function chunkShapeOf({ shape, chunkRows }: ArraySpec): number[] {
  return [chunkRows, ...shape.slice(1)];
}

/** Path inside the run folder of the chunk file that begins with row `chunk · chunkRows`. */
export function chunkPath({ name, shape }: ArraySpec, chunk: number): string {
  return `ledger.zarr/${name}/c/${[chunk, ...shape.slice(1).map(() => 0)].join('/')}`;
}

/** Path inside the run folder of the folder of a row's chunk: nothing else is in it. */
export function rowFolder({ name }: ArraySpec, row: number): string {
  return `ledger.zarr/${name}/c/${row}`;
}

/** Numbers [length] that nobody has written yet. */
export function emptyRow(dtype: StoredDType, length: number): Numbers {
  if (dtype === 'float32') return new Float32Array(length).fill(NaN);
  if (dtype === 'uint8') return new Uint8Array(length);
  return dtype === 'float64' ? new Float64Array(length).fill(NaN) : new Int32Array(length);
}

/**
 * Segments whose small columns share one chunk file each: 64, and more in long runs, so that a column has at most 129 files and
 * what was measured is in its array soon.
 */
export function windowRows({ trajectory }: Pick<ManifestContent, 'trajectory'>): number {
  const T = trajectory.iterations;
  return Math.min(T + 1, Math.max(64, 2 ** Math.ceil(Math.log2(T / 128))));
}

function thetaArray({ parameters, trajectory, packed }: ManifestContent): ArraySpec {
  return {
    name: 'theta',
    dtype: 'float32',
    shape: [trajectory.iterations + 1, sizeOf(parameters)],
    dimensions: ['row', 'parameter'],
    unit: '1',
    description: 'parameter vector at the start of each segment, and at the end of the last',
    chunkRows: 1,
    shardChunks: shardChunksOf(packed, sizeOf(parameters) * bytesOf.float32),
    placement: 'theta',
    column: null,
    objective: null,
    grouping: null,
  };
}

function orderArray({ trajectory: { iterations, batchSize } }: ManifestContent): ArraySpec[] {
  if (batchSize === null) return [];
  const rows = Math.floor(chunkBytes / (batchSize * bytesOf.int32));
  return [
    {
      name: 'order',
      dtype: 'int32',
      shape: [iterations, batchSize],
      dimensions: ['iteration', 'example'],
      unit: '1',
      description: 'training examples of each mini-batch, as indices into the training set',
      chunkRows: Math.max(1, Math.min(iterations, rows)),
      shardChunks: 1,
      placement: 'order',
      column: null,
      objective: null,
      grouping: null,
    },
  ];
}

/** The sets that were drawn, an array each. */
function splitArrays({ definition: { drawn = [], counts } }: ManifestContent): ArraySpec[] {
  return drawn.map((set) => ({
    name: `split/${set}`,
    dtype: 'int32',
    shape: [counts[set]!],
    dimensions: ['example'],
    unit: '1',
    description: `places of the examples of ${set} in the source of the data`,
    chunkRows: Math.min(counts[set]!, chunkBytes / bytesOf.int32),
    shardChunks: 1,
    placement: 'order',
    column: null,
    objective: null,
    grouping: null,
  }));
}

function basisArray({ basis = null, parameters }: ManifestContent): ArraySpec[] {
  if (basis === null) return [];
  return [
    {
      name: 'basis',
      dtype: 'float64',
      shape: [basis.directions, sizeOf(parameters)],
      dimensions: ['direction', 'parameter'],
      unit: '1',
      description: 'orthonormal directions by which the total is divided',
      chunkRows: 1,
      shardChunks: 1,
      placement: 'order',
      column: null,
      objective: null,
      grouping: null,
    },
  ];
}

function sizeOf(parameters: ManifestContent['parameters']): number {
  return parameters.reduce((total, { size }) => total + size, 0);
}

/** The array of a column; none where the run does not keep it, or has nothing to count it by. */
function columnArray(manifest: ManifestContent, name: string, column: Column, owner: Owner): ArraySpec[] {
  if (!isKept(manifest, column, owner)) return [];
  const { definition, objectives } = manifest;
  const shape = column.axes.map((axis) => extentOf(manifest, axis, owner));
  const width = widthOf({ shape });
  if (width === 0) return [];
  const dtype = column.dtype === 'allocation' ? definition.precision : column.dtype;
  // What stands at a row of θ is known of two segments, whose records tell whether they agree.
  const byRow =
    column.large === true && column.axes[0] === 'segment' && width * bytesOf[dtype] > smallRowBytes;
  const chunkRows = byRow ? 1 : windowRows(manifest);
  const names = [
    ...(owner.objective === null ? [] : [objectives[owner.objective]!.name]),
    ...(owner.grouping === null ? [] : [owner.grouping.name]),
  ];
  return [
    {
      name: [name, ...names].join('/'),
      dtype,
      shape,
      dimensions: [...column.axes],
      unit: column.unit === 'loss' ? (definition.unit ?? 'nats') : '1',
      description: names.length === 0 ? column.description : `${column.description} (${names.join(', by ')})`,
      chunkRows,
      shardChunks: shardChunksOf(manifest.packed, chunkRows * width * bytesOf[dtype]),
      placement: byRow ? 'row' : 'window',
      column: name,
      objective: owner.objective,
      grouping: owner.grouping?.name ?? null,
    },
  ];
}

function extentOf(
  { trajectory, layers, parameters, objectives, components = [], basis = null }: ManifestContent,
  axis: Axis,
  { objective, grouping }: Owner,
): number {
  const extents: Readonly<Record<Axis, () => number>> = {
    segment: () => trajectory.iterations,
    row: () => trajectory.iterations + 1,
    part: () => objectives[objective!]!.parts.length,
    component: () => components.length,
    direction: () => (basis?.directions ?? 0) + 1,
    layer: () => layers.length,
    neuron: () => layers.reduce((total, { neurons }) => total + neurons, 0),
    tensor: () => parameters.length,
    cell: () => grouping!.cells.length,
    parameter: () => sizeOf(parameters),
    byte: () => signBytes(sizeOf(parameters)),
  };
  return extents[axis]();
}

/** Characters of the journal for a row of θ, for a segment, and for each checksum in it. */
const journalBytes = { row: 90, segment: 330, checksum: 67 };

/** Bytes of a finished run folder: an upper estimate for `--dry-run`. */
export function estimateBytes(manifest: ManifestContent): number {
  const arrays = arraysOf(manifest);
  const stored = arrays.reduce(
    (total, spec) => total + arrayBytes(spec),
    JSON.stringify(manifest, null, 2).length,
  );
  const rowArrays = arrays.filter(({ placement }) => placement === 'row').length;
  const { row, segment, checksum } = journalBytes;
  return stored + manifest.trajectory.iterations * (row + segment + rowArrays * checksum);
}

/** Of an array's metadata, with its checksum in the journal. */
const metadataBytes = 1000;

/** Whole chunks, the last of which may be filled up, and the array's metadata. */
function arrayBytes(spec: ArraySpec): number {
  const chunks = Math.ceil(spec.shape[0]! / spec.chunkRows);
  return chunks * spec.chunkRows * widthOf(spec) * bytesOf[spec.dtype] + metadataBytes;
}
