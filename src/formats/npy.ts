import { strFromU8 } from 'fflate';
import {
  arrayFromBytes,
  checkedBytes,
  columnMajorStrides,
  gatherStrided,
  type ElementType,
  type NdArray,
} from './array.js';
import { damaged, misfit, type ByteSource } from './source.js';

/** Largest header that is accepted; numpy's own stays below 1 KiB for plain arrays. */
const maxHeaderBytes = 65_536;

/** Bytes that are sure to hold the magic number and the header's length. */
export const npyPreambleBytes = 12;

/** What stands before the elements of an `.npy` file. */
export interface NpyHeader {
  /** Null: no plain numbers, such as text. */
  readonly dtype: ElementType | null;
  /** As numpy writes it, such as `f4`. */
  readonly storedType: string;
  readonly shape: readonly number[];
  readonly bigEndian: boolean;
  /** First axis fastest (`fortran_order`). */
  readonly columnMajor: boolean;
  /** Bytes of the elements; null where the type does not tell. */
  readonly bytes: number | null;
}

/** Element types by numpy's kind and width. */
const typeNames: ReadonlyMap<string, ElementType> = new Map([
  ['b1', 'bool'],
  ['u1', 'uint8'],
  ['i1', 'int8'],
  ['u2', 'uint16'],
  ['i2', 'int16'],
  ['u4', 'uint32'],
  ['i4', 'int32'],
  ['u8', 'uint64'],
  ['i8', 'int64'],
  ['f2', 'float16'],
  ['f4', 'float32'],
  ['f8', 'float64'],
]);

/** Element type of numpy's code, such as `f4`; null: none of numbers that are read. */
export const numpyType = (code: string): ElementType | null => typeNames.get(code) ?? null;

/** Where the header's text begins and ends, from the file's first `npyPreambleBytes`. Throws DataError. */
export function npyHeaderSpan(preamble: Uint8Array, file: string): { from: number; to: number } {
  const view = new DataView(preamble.buffer, preamble.byteOffset, preamble.byteLength);
  const magic = String.fromCharCode(...preamble.subarray(0, 6));
  if (preamble.length < npyPreambleBytes || magic !== '\x93NUMPY') {
    throw damaged(file, 'no numpy magic number', 'a file that numpy.save wrote');
  }
  const version = view.getUint8(6);
  if (version < 1 || version > 3) throw damaged(file, `numpy format version ${version}`, 'version 1, 2 or 3');
  const from = version === 1 ? 10 : 12;
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > maxHeaderBytes) {
    throw damaged(file, `a header of ${length} bytes`, `at most ${maxHeaderBytes} bytes`);
  }
  return { from, to: from + length };
}

const headerPattern =
  /^\{'descr': ?(?:'([<>|=])([a-zA-Z]\d*)'|(\[.*\])), ?'fortran_order': ?(True|False), ?'shape': ?\(([\d, ]*)\),? ?\}\s*$/;

/** Reads the header's text, a Python dictionary as numpy writes it. Throws DataError. */
export function parseNpyHeader(text: string, file: string): NpyHeader {
  const match = headerPattern.exec(text);
  if (match === null) {
    throw damaged(
      file,
      `the header ${JSON.stringify(text.slice(0, 80))}`,
      "numpy's descr, fortran_order and shape",
    );
  }
  const [, order, code, record, fortran, extents] = match;
  const dtype = typeNames.get(code ?? '') ?? null;
  const shape = extents!.split(',').map((extent) => extent.trim()).filter((extent) => extent !== '').map(Number); // prettier-ignore
  return {
    dtype,
    storedType: code ?? record!,
    shape,
    bigEndian: order === '>',
    columnMajor: fortran === 'True',
    bytes: dtype === null ? null : checkedBytes(dtype, shape, file),
  };
}

/** A header of numbers. */
export type NumericHeader = NpyHeader & { readonly dtype: ElementType; readonly bytes: number };

/** The header, where it is one of numbers. Throws DataError for other types. */
export function requireNumbers<H extends NpyHeader>(header: H, file: string): H & NumericHeader {
  const { dtype, bytes } = header;
  if (dtype !== null && bytes !== null) return { ...header, dtype, bytes };
  throw misfit(
    file,
    `elements of type ${header.storedType}`,
    `one of ${[...typeNames.keys()].join(', ')}`,
    'convert with .astype',
  );
}

/** Header and offset of the first element of an `.npy` file. Throws DataError where header and length do not agree. */
export async function readNpyHeader(source: ByteSource): Promise<NumericHeader & { offset: number }> {
  const preamble = await source.read(0, Math.min(npyPreambleBytes, source.size));
  const { from, to } = npyHeaderSpan(preamble, source.name);
  const text = strFromU8(await source.read(from, to - from), true);
  const header = requireNumbers(parseNpyHeader(text, source.name), source.name);
  if (source.size !== to + header.bytes) {
    throw damaged(
      source.name,
      `${source.size} bytes`,
      `${to + header.bytes} bytes for ${header.dtype} [${header.shape.join(', ')}]`,
    );
  }
  return { ...header, offset: to };
}

/** Reads a whole `.npy` file. Throws DataError where header and length do not agree. */
export async function readNpy(source: ByteSource): Promise<NdArray> {
  const header = await readNpyHeader(source);
  const { dtype, shape, bytes, offset } = header;
  return arrayFromBytes(dtype, shape, await source.read(offset, bytes), header);
}

/** Reads a whole `.npy` file of text: numpy's `U` (UTF-32) or `S` (bytes, read as UTF-8), in row-major order. Throws DataError for anything else. */
export async function readNpyText(
  source: ByteSource,
): Promise<{ shape: readonly number[]; texts: string[] }> {
  const preamble = await source.read(0, Math.min(npyPreambleBytes, source.size));
  const { from, to } = npyHeaderSpan(preamble, source.name);
  const header = parseNpyHeader(strFromU8(await source.read(from, to - from), true), source.name);
  const [, kind, characters] = /^([US])(\d+)$/.exec(header.storedType) ?? [];
  if (kind === undefined) {
    throw misfit(
      source.name,
      `elements of type ${header.storedType}`,
      'text (U or S)',
      'convert with .astype(str)',
    );
  }
  const width = Number(characters) * (kind === 'U' ? 4 : 1);
  const count = header.shape.reduce((product, extent) => product * extent, 1);
  if (source.size !== to + count * width) {
    throw damaged(source.name, `${source.size} bytes`, `${to + count * width} bytes for ${count} texts`);
  }
  const bytes = await source.read(to, count * width);
  const ordered = header.columnMajor
    ? gatherStrided(bytes, header.shape, columnMajorStrides(header.shape), width)
    : bytes;
  const texts = Array.from({ length: count }, (_, k) => textOf(ordered.subarray(k * width, (k + 1) * width), kind, header.bigEndian)); // prettier-ignore
  return { shape: header.shape, texts };
}

/** One text, without the zeros that fill it up. */
function textOf(bytes: Uint8Array, kind: string, bigEndian: boolean): string {
  if (kind === 'S') return strFromU8(bytes).replace(/\0+$/, '');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const points = Array.from({ length: bytes.length / 4 }, (_, k) => view.getUint32(4 * k, !bigEndian));
  return String.fromCodePoint(...points).replace(/\0+$/, '');
}
