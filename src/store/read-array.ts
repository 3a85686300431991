import { UsageError } from '../errors.js';
import { type ArraySpec, type StoredDType, type StoredNumbers, widthOf } from './arrays.js';
import { readChunk } from './chunks.js';
import { arrayNamed, type RunContext } from './context.js';
import { columnOf, loadSeries } from './series.js';
import { prefixLength, type RunState } from './state.js';

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
  /** One name per number of a row, such as `fc1.weight[3]`. */
  readonly columns: () => string[];
  /** Rows in order, each [width]; read when they are asked for. */
  readonly rows: () => AsyncIterable<StoredNumbers>;
}

/** Rows [from, to); both default to what is stored. */
export interface RowRange {
  readonly from?: number;
  readonly to?: number;
}

/** Opens an array for reading. Of an unfinished run, the rows that are stored without a gap. */
export async function readArray(
  context: RunContext,
  state: RunState,
  name: string,
  range: RowRange = {},
): Promise<ArrayReading> {
  const spec = arrayNamed(context, name);
  const stored = storedRows(spec, state);
  const { from = 0, to = stored } = range;
  checkRange(spec, from, to, stored);
  const segments = prefixLength(state.segments);
  const column = isSeries(spec) ? columnOf(await loadSeries(context, segments), spec) : null;
  const chunkOf = async (chunk: number) =>
    column === null ? readChunk(context, spec, chunk) : pieceOf(column, spec, chunk);
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
    columns: () => columnsOf(spec, context),
    rows: () => rowsOf(spec, from, to, chunkOf),
  };
}

/** Rows of an array that are stored without a gap from the first on. */
export function storedRows(spec: ArraySpec, state: RunState): number {
  const segments = prefixLength(state.segments);
  switch (spec.source.kind) {
    case 'theta':
      return prefixLength(state.rows);
    case 'order':
      return state.stats === null ? 0 : spec.shape[0]!;
    case 'split':
    case 'segment':
    case 'allocation':
    case 'neurons':
      // The loss has a row more than there are segments.
      return segments === 0 ? 0 : segments + spec.shape[0]! - state.segments.length;
  }
}

function isSeries({ source }: ArraySpec): boolean {
  return source.kind === 'split' || source.kind === 'segment';
}

function checkRange({ name }: ArraySpec, from: number, to: number, stored: number): void {
  if (Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= stored) return;
  throw new UsageError({
    given: `rows ${from} to ${to} of ${name}`,
    expected: `rows within 0 to ${stored}, which are stored`,
    remedy: 'choose rows inside that range',
  });
}

/** Rows [from, to), one chunk in memory at a time. */
async function* rowsOf(
  spec: ArraySpec,
  from: number,
  to: number,
  chunkOf: (chunk: number) => Promise<StoredNumbers>,
): AsyncGenerator<StoredNumbers> {
  const width = widthOf(spec);
  for (let row = from; row < to;) {
    const chunk = Math.floor(row / spec.chunkRows);
    const numbers = await chunkOf(chunk);
    for (const end = Math.min(to, (chunk + 1) * spec.chunkRows); row < end; row++) {
      const at = (row - chunk * spec.chunkRows) * width;
      yield numbers.subarray(at, at + width);
    }
  }
}

/** A series in memory, in the pieces that its chunks are. */
function pieceOf(column: StoredNumbers, spec: ArraySpec, chunk: number): StoredNumbers {
  const length = spec.chunkRows * widthOf(spec);
  return column.subarray(chunk * length, (chunk + 1) * length);
}

function columnsOf(spec: ArraySpec, { layout }: RunContext): string[] {
  const numbered = (name: string, count: number) => Array.from({ length: count }, (_, k) => `${name}[${k}]`);
  const names: Readonly<Record<string, () => string[]>> = {
    parameter: () => layout.tensors.flatMap(({ name, size }) => numbered(name, size)),
    neuron: () => layout.layers.flatMap((name, index) => numbered(name, layout.neurons[index]!)),
    layer: () => [...layout.layers],
    example: () => numbered('example', widthOf(spec)),
  };
  return names[spec.dimensions[1] ?? '']?.() ?? [spec.name];
}
