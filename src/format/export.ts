import { strToU8 } from 'fflate';
import type { StoredDType } from './layout/arrays.js';
import { encodeNumbers } from './codec.js';
import { type ArrayReading, columnsOf, iterationColumns } from './read-array.js';

const descriptors: Readonly<Record<StoredDType, string>> = {
  float32: '<f4',
  float64: '<f8',
  int32: '<i4',
  uint8: '|u1',
};

/** Header of a NumPy file, version 1.0 of its format: magic, length, and a Python literal, padded to 64 bytes. */
export function npyHeader(dtype: StoredDType, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `${shape[0]!},` : shape.join(', ');
  const literal = `{'descr': '${descriptors[dtype]}', 'fortran_order': False, 'shape': (${tuple}), }`;
  const prefix = 10;
  const length = Math.ceil((prefix + literal.length + 1) / 64) * 64;
  const text = `\x93NUMPY\x01\x00\x00\x00${literal}`.padEnd(length - 1);
  const header = strToU8(`${text}\n`, true);
  new DataView(header.buffer).setUint16(8, length - prefix, true);
  return header;
}

/** The array as a NumPy file, row after row. */
export async function* npyBytes(array: ArrayReading): AsyncGenerator<Uint8Array> {
  yield npyHeader(array.dtype, array.shape);
  for await (const row of array.rows()) yield encodeNumbers(row);
}

/** The array as CSV: a header line, then one line a row that begins with its number, and of a recording its iterations. Numbers keep all their digits. */
export async function* csvLines(array: ArrayReading): AsyncGenerator<string> {
  const iterations = iterationColumns(array);
  const names = [array.dimensions[0]!, ...iterations.map(({ name }) => name), ...columnsOf(array)];
  yield `${names.map(quoted).join(',')}\n`;
  let k = 0;
  for await (const row of array.rows()) {
    const place = [array.from + k, ...iterations.map(({ at }) => at[k]!)];
    yield `${place.join(',')},${row.join(',')}\n`;
    k++;
  }
}

/** The array as one JSON document: name, unit, dimensions, columns and rows; of a recording the iterations of rows, too. */
export async function* jsonText(array: ArrayReading): AsyncGenerator<string> {
  const { name, unit, description, dimensions, shape, from } = array;
  const iterations = Object.fromEntries(iterationColumns(array).map((own) => [own.name, own.at]));
  const head = { name, unit, description, dimensions, shape, from, ...iterations, columns: columnsOf(array) };
  yield `${JSON.stringify(head).slice(0, -1)},"rows":[`;
  let separator = '';
  for await (const row of array.rows()) {
    yield `${separator}\n${JSON.stringify([...row])}`;
    separator = ',';
  }
  yield '\n]}\n';
}

/** A cell of names. One that a spreadsheet would take for a formula begins with an apostrophe. */
function quoted(name: string): string {
  const text = /^[=+\-@\t\r]/.test(name) ? `'${name}` : name;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
