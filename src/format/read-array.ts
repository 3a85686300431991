import { UsageError } from '../errors.js';
import type { Numbers } from '../ledger/types.js';
import { type ArraySpec, bytesOf, chunkPath, emptyRow, type StoredDType, widthOf } from './layout/arrays.js';
import { decodeNumbers, readChunk } from './codec.js';
import { arrayNamed, type RunContext } from './context.js';
import { prefixLength, type RunState } from './state.js';
import { damaged } from './source.js';
import { WindowReader } from './windows.js';

/** A stored array, or a range of its rows. */
export interface ArrayReading {
  readonly name: string;
  readonly dtype: StoredDType;
  /** Of what is read: one or two extents, rows first. */
  readonly shape: readonly number[];
  /** Rows of the finished run; more than can be read while the run is unfinished. */
  readonly finishedRows: number;
  readonly dimensions: readonly string[];
  readonly unit: string;
  readonly description: string;
  /** First row that is read. */
  readonly from: number;
  /**
   * Training iterations at the rows of θ that what is read stands at, of segments one more than there are. Null where they are the numbers of
   * the rows, as in a run that was trained here, and of what is neither by segment nor by row.
   */
  readonly iteration: readonly number[] | null;
  /** Names along each dimension but the first, such as `fc1.weight[3]`. */
  readonly axes: () => string[][];
  /** Rows in order, each [width]; read when they are asked for. */
  readonly rows: () => AsyncIterable<Numbers>;
}

/** Rows [from, to); both default to what is stored. */
export interface RowRange {
  readonly from?: number;
  readonly to?: number;
}

/** Opens an array for reading. Of an unfinished run, the rows that are stored without a gap. Throws StoreError, UsageError. */
export function readArray(
  context: RunContext,
  state: RunState,
  name: string,
  range: RowRange = {},
): ArrayReading {
  const spec = arrayNamed(context, name);
  const stored = storedRows(spec, state);
  const { from = 0, to = stored } = range;
  if (!isMeasured(spec, state, from, to)) checkRange(spec, from, to, stored);
  const { dtype, dimensions, unit, description } = spec;
  return {
    name,
    dtype,
    dimensions,
    unit,
    description,
    shape: [to - from, ...spec.shape.slice(1)],
    finishedRows: spec.shape[0]!,
    from,
    iteration: iterationsOf(spec, context, from, to),
    axes: () => axesOf(spec, context),
    rows: () => rowsOfArray(context, state, spec, from, to),
  };
}

/** Iterations of a recording at rows [from, to) of an array by row of θ, or at the ends of segments [from, to). */
function iterationsOf(
  { dimensions }: ArraySpec,
  { manifest: { trajectory } }: RunContext,
  from: number,
  to: number,
): readonly number[] | null {
  const [axis] = dimensions;
  if (trajectory.iteration === null || (axis !== 'segment' && axis !== 'row')) return null;
  return trajectory.iteration.slice(from, axis === 'segment' ? to + 1 : to);
}

/** Columns that say at which iterations of a recording each row of an array stands: `from` and `to` of a segment. None where the row's number does. */
export function iterationColumns({ iteration, dimensions }: ArrayReading): { name: string; at: readonly number[] }[] {
  if (iteration === null) return [];
  if (dimensions[0] === 'row') return [{ name: 'iteration', at: iteration }];
  return [
    { name: 'from_iteration', at: iteration.slice(0, -1) },
    { name: 'to_iteration', at: iteration.slice(1) },
  ];
} // prettier-ignore

/** Rows of an array that are stored without a gap from the first on. */
function storedRows(spec: ArraySpec, state: RunState): number {
  if (spec.placement === 'theta') return prefixLength(state.rows);
  if (spec.placement === 'order') return state.stats === null ? 0 : spec.shape[0]!;
  const segments = prefixLength(state.segments);
  // An array by row of θ has a row more than there are segments.
  return segments === 0 ? 0 : segments + spec.shape[0]! - state.segments.length;
}

/** Whether rows of the ledger are stored, wherever others are missing; of an array by row of θ, also where a stored segment ends. */
function isMeasured(
  { placement, shape }: ArraySpec,
  { segments }: RunState,
  from: number,
  to: number,
): boolean {
  if (placement === 'theta' || placement === 'order') return false;
  if (!(from >= 0 && from < to && to <= shape[0]!)) return false;
  const hasEnds = shape[0]! > segments.length;
  for (let row = from; row < to; row++) {
    if (segments[row] !== 1 && !(hasEnds && segments[row - 1] === 1)) return false;
  }
  return true;
}

function checkRange({ name }: ArraySpec, from: number, to: number, stored: number): void {
  if (Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= stored) return;
  throw new UsageError({
    given: `rows ${from} to ${to} of ${name}`,
    expected:
      stored === 0
        ? 'rows that are stored, of which there are none yet'
        : `rows within 0 to ${stored}, which are stored`,
    remedy: stored === 0 ? 'measure the run first, with lca measure' : 'choose rows inside that range',
  });
}

/** Rows [from, to) of an array, each [width], one chunk in memory at a time. Throws StoreError where one is damaged. */
export async function* rowsOfArray(
  context: RunContext,
  state: RunState,
  spec: ArraySpec,
  from: number,
  to: number,
): AsyncGenerator<Numbers, void> {
  if (spec.placement === 'window') {
    const reader = new WindowReader(context, state);
    for (let row = from; row < to; row++) yield await reader.row(spec, row);
    return;
  }
  const width = widthOf(spec);
  for (let row = from; row < to;) {
    const chunk = Math.floor(row / spec.chunkRows);
    const numbers = await readChunk(context, state, spec, chunk);
    for (const end = Math.min(to, (chunk + 1) * spec.chunkRows); row < end; row++) {
      const at = (row - chunk * spec.chunkRows) * width;
      yield numbers.subarray(at, at + width);
    }
  }
}

/** Requests that are on their way at a time. */
const inFlight = 16;

/**
 * One number of each row of an array [to − from], such as one parameter's allocation over time. Of arrays with a file for each row only the
 * number's own bytes are read, so checksums are not compared there.
 *
 * @throws StoreError where there is no such array, or a file is missing; UsageError for rows that are not stored, or no such column.
 */
export async function readCurve(
  context: RunContext,
  state: RunState,
  name: string,
  column: number,
  range: RowRange = {},
): Promise<Numbers> {
  const spec = arrayNamed(context, name);
  const stored = storedRows(spec, state);
  const { from = 0, to = stored } = range;
  checkRange(spec, from, to, stored);
  checkColumn(spec, column);
  const curve = emptyRow(spec.dtype, to - from);
  if (spec.chunkRows > 1) {
    let at = 0;
    for await (const row of rowsOfArray(context, state, spec, from, to)) curve[at++] = row[column]!;
    return curve;
  }
  const readers = Array.from({ length: inFlight }, async (_, first) => {
    for (let row = from + first; row < to; row += inFlight) {
      curve[row - from] = await readNumber(context, spec, row, column);
    }
  });
  await Promise.all(readers);
  return curve;
}

async function readNumber(
  { source, place }: RunContext,
  spec: ArraySpec,
  row: number,
  column: number,
): Promise<number> {
  const size = bytesOf[spec.dtype];
  const path = chunkPath(spec, row);
  const bytes = await source.get(path, { start: column * size, end: (column + 1) * size });
  if (bytes?.length !== size) throw damaged(`${place}/${path}`, 'it is missing, or too short');
  return decodeNumbers(bytes, spec.dtype)[0]!;
}

function checkColumn(spec: ArraySpec, column: number): void {
  const width = widthOf(spec);
  if (Number.isInteger(column) && column >= 0 && column < width) return;
  throw new UsageError({
    given: `column ${column} of ${spec.name}`,
    expected: `a whole number from 0 to ${width - 1}`,
    remedy: 'choose a column of a row',
  });
}

/** Reads single rows of stored arrays; what was read last is kept, so that neighbours and columns of one segment cost one reading. */
export function rowReader(
  context: RunContext,
  state: RunState,
): (name: string, row: number) => Promise<Numbers> {
  const windows = new WindowReader(context, state);
  return async (name, row) => {
    const spec = arrayNamed(context, name);
    if (!isMeasured(spec, state, row, row + 1)) checkRange(spec, row, row + 1, storedRows(spec, state));
    if (spec.placement === 'window') return windows.row(spec, row);
    for await (const numbers of rowsOfArray(context, state, spec, row, row + 1)) return numbers;
    throw new TypeError(`row ${row} of ${name} is in no chunk`);
  };
}

/** One name for each number of a row: those of its axes, the last one fastest; of a row of one number the array's. */
export function columnsOf({ name, axes }: Pick<ArrayReading, 'name' | 'axes'>): string[] {
  const [first, ...rest] = axes();
  if (first === undefined) return [name];
  return rest.reduce((outer, inner) => outer.flatMap((a) => inner.map((b) => `${a}, ${b}`)), first);
}

function axesOf(spec: ArraySpec, { layout, manifest }: RunContext): string[][] {
  const numbered = (name: string, count: number) => Array.from({ length: count }, (_, k) => `${name}[${k}]`);
  const names: Readonly<Record<string, () => string[]>> = {
    parameter: () => layout.tensors.flatMap(({ name, size }) => numbered(name, size)),
    neuron: () => layout.layers.flatMap((name, index) => numbered(name, layout.neurons[index]!)),
    layer: () => [...layout.layers],
    tensor: () => layout.tensors.map(({ name }) => name),
    cell: () => [...layout.groupings.find(({ name }) => name === spec.grouping)!.cells],
    component: () => [...manifest.components],
    part: () => manifest.objectives[spec.objective!]!.parts.map(({ name }) => name),
    direction: () => [...numbered('direction', manifest.basis?.directions ?? 0), 'remainder'],
    byte: () => numbered('byte', widthOf(spec)),
    example: () => numbered('example', widthOf(spec)),
  };
  return spec.dimensions.slice(1).map((axis) => names[axis]!());
}
