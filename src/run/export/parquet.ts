import { ByteWriter, type ColumnSource, ParquetWriter, type SchemaElement } from 'hyparquet-writer';
import type { StoredDType } from '../../format/layout/arrays.js';
import { type ArrayReading, iterationColumns } from '../../format/read-array.js';
import { sizeOf } from '../../graph/types.js';
import type { Numbers } from '../../ledger/types.js';

/** Values of a row group: enough that its column chunks are worth their headers, little enough to hold in memory. */
const groupValues = 1 << 17;

/** Axes whose names are a name and a number: as a column they are the index. */
const numberedAxes: readonly string[] = ['parameter', 'byte', 'example'];

const types: Readonly<Record<StoredDType, 'FLOAT' | 'DOUBLE' | 'INT32'>> = {
  float32: 'FLOAT',
  float64: 'DOUBLE',
  int32: 'INT32',
  uint8: 'INT32',
};

/** A column of the table that says where in a row of the array a value stands. */
interface AxisColumn {
  readonly name: string;
  readonly kind: 'index' | 'name';
  /** One for each number of a row [width]. */
  readonly cells: Int32Array | readonly string[];
}

/**
 * The array as a Parquet table, a line for each number: the row (`segment`, or `row` of θ), of a recording its iterations, a column for each further axis (its names; for
 * parameters the index in θ, and the `tensor`), and the `value`. What the array is stands in the file's key `lossledger`. Rows are read and written a
 * row group at a time.
 */
export async function* parquetBytes(array: ArrayReading): AsyncGenerator<Uint8Array> {
  const axes = axisColumns(array);
  const bytes = new ByteWriter();
  const writer = new ParquetWriter({ writer: bytes, schema: schemaOf(array, axes), kvMetadata: [metadataOf(array)], createdBy: 'lossledger' }); // prettier-ignore
  const width = sizeOf(array.shape.slice(1));
  const rowsAtOnce = Math.max(1, Math.floor(groupValues / Math.max(1, width)));
  let first = array.from;
  for await (const rows of batchesOf(array.rows(), rowsAtOnce)) {
    await writer.write({
      columnData: columnData(array, axes, first, rows),
      rowGroupSize: rows.length * width,
    });
    yield taken(bytes);
    first += rows.length;
  }
  await writer.finish();
  yield taken(bytes);
}

/** What was written since the last time; positions in the file go on. */
function taken(bytes: ByteWriter): Uint8Array {
  const written = bytes.getBytes().slice();
  bytes.index = 0;
  return written;
}

async function* batchesOf(rows: AsyncIterable<Numbers>, size: number): AsyncGenerator<Numbers[]> {
  let batch: Numbers[] = [];
  for await (const row of rows) {
    batch.push(row.slice());
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

function axisColumns({ dimensions, axes: namesOf }: ArrayReading): AxisColumn[] {
  const axes = namesOf();
  const width = sizeOf(axes.map(({ length }) => length));
  return axes.flatMap((names, axis): AxisColumn[] => {
    const name = dimensions[axis + 1]!;
    const inner = sizeOf(axes.slice(axis + 1).map(({ length }) => length));
    const place = Int32Array.from({ length: width }, (_, k) => Math.floor(k / inner) % names.length);
    if (!numberedAxes.includes(name)) return [{ name, kind: 'name', cells: Array.from(place, (k) => names[k]!) }]; // prettier-ignore
    const index: AxisColumn = { name, kind: 'index', cells: place };
    if (name !== 'parameter') return [index];
    const tensors = names.map((parameter) => parameter.slice(0, parameter.lastIndexOf('[')));
    return [index, { name: 'tensor', kind: 'name', cells: Array.from(place, (k) => tensors[k]!) }];
  });
}

function schemaOf(array: ArrayReading, axes: readonly AxisColumn[]): SchemaElement[] {
  const { dimensions, dtype } = array;
  const required = { repetition_type: 'REQUIRED' } as const;
  const iterations = iterationColumns(array);
  return [
    { name: 'root', num_children: iterations.length + axes.length + 2 },
    { name: dimensions[0]!, type: 'INT32', ...required },
    ...iterations.map(({ name }): SchemaElement => ({ name, type: 'INT32', ...required })),
    ...axes.map(({ name, kind }): SchemaElement =>
      kind === 'index'
        ? { name, type: 'INT32', ...required }
        : { name, type: 'BYTE_ARRAY', converted_type: 'UTF8', ...required },
    ),
    { name: 'value', type: types[dtype], ...required },
  ];
}

function metadataOf({ name, unit, description, dimensions, shape, from }: ArrayReading) {
  return { key: 'lossledger', value: JSON.stringify({ name, unit, description, dimensions, shape, from }) };
}

/** The columns of some rows, the first of which is number `first`. */
function columnData(
  array: ArrayReading,
  axes: readonly AxisColumn[],
  first: number,
  rows: readonly Numbers[],
): ColumnSource[] {
  const { dimensions, dtype, from } = array;
  const width = rows[0]!.length;
  const byRow = (of: (row: number) => number): Int32Array =>
    Int32Array.from({ length: rows.length * width }, (_, k) => of(first + Math.floor(k / width)));
  const isFloat = dtype.startsWith('float');
  return [
    { name: dimensions[0]!, data: byRow((row) => row), encoding: 'RLE_DICTIONARY' },
    ...iterationColumns(array).map(({ name, at }): ColumnSource => ({
      name,
      data: byRow((row) => at[row - from]!),
      encoding: 'RLE_DICTIONARY',
    })),
    ...axes.map(({ name, kind, cells }): ColumnSource =>
      kind === 'index'
        ? { name, data: repeated(cells as Int32Array, rows.length), encoding: 'DELTA_BINARY_PACKED' }
        : { name, data: rows.flatMap(() => cells as string[]), encoding: 'RLE_DICTIONARY' },
    ),
    { name: 'value', data: joined(rows), encoding: isFloat ? 'BYTE_STREAM_SPLIT' : 'DELTA_BINARY_PACKED' },
  ];
}

function repeated(cells: Int32Array, count: number): Int32Array {
  const all = new Int32Array(cells.length * count);
  for (let k = 0; k < count; k++) all.set(cells, k * cells.length);
  return all;
}

/** Rows end to end; bytes as integers, of which the format has none so small. */
function joined(rows: readonly Numbers[]): Exclude<Numbers, Uint8Array> {
  const [row] = rows;
  const width = row!.length;
  const all = row instanceof Float32Array ? new Float32Array(width * rows.length) : row instanceof Float64Array ? new Float64Array(width * rows.length) : new Int32Array(width * rows.length); // prettier-ignore
  rows.forEach((numbers, k) => {
    all.set(numbers, k * width);
  });
  return all;
}
