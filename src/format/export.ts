import { strToU8 } from 'fflate';
import type { StoredDType } from './layout/arrays.js';
import { encodeNumbers } from './codec.js';
import { type ArrayReading, columnsOf } from './read-array.js';

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

/** The array as CSV: a header line, then one line a row that begins with its number. Numbers keep all their digits. */
export async function* csvLines(array: ArrayReading): AsyncGenerator<string> {
  yield `${[array.dimensions[0]!, ...columnsOf(array)].map(quoted).join(',')}\n`;
  let number = array.from;
  for await (const row of array.rows()) yield `${number++},${row.join(',')}\n`;
}

/** The array as one JSON document: name, unit, dimensions, columns and rows. */
export async function* jsonText(array: ArrayReading): AsyncGenerator<string> {
  const { name, unit, description, dimensions, shape, from } = array;
  const head = { name, unit, description, dimensions, shape, from, columns: columnsOf(array) };
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
