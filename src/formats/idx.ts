import { DataError } from '../errors.js';
import { arrayFromBytes, checkedBytes, type ElementType, type NdArray } from './array.js';

/** Element types of the IDX format by the third byte of its magic number. */
const typeCodes: ReadonlyMap<number, ElementType> = new Map([
  [0x08, 'uint8'],
  [0x09, 'int8'],
  [0x0b, 'int16'],
  [0x0c, 'int32'],
  [0x0d, 'float32'],
  [0x0e, 'float64'],
]);

function refuse(file: string, found: string, expected: string): never {
  throw new DataError({
    given: `${file}: ${found}`,
    expected,
    remedy: 'fetch the file again; it must be uncompressed IDX, as MNIST is published',
  });
}

/**
 * Reads an IDX array (magic number, big-endian extents, elements), the format of MNIST. Throws DataError, naming `file`, where
 * magic number, extents and length do not agree.
 */
export function readIdx(bytes: Uint8Array, file: string): NdArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4) refuse(file, `${bytes.length} bytes`, 'at least the 4 bytes of an IDX magic number');
  const dtype = typeCodes.get(view.getUint8(2));
  const rank = view.getUint8(3);
  if (view.getUint16(0) !== 0 || dtype === undefined || rank === 0) {
    const magic = view.getUint32(0).toString(16).padStart(8, '0');
    refuse(file, `magic number 0x${magic}`, 'an IDX magic number: 0x0000, an element type 08 to 0e, a rank');
  }
  const header = 4 + 4 * rank;
  if (bytes.length < header) {
    refuse(file, `${bytes.length} bytes`, `at least a header of ${header} bytes for rank ${rank}`);
  }
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const expected = header + checkedBytes(dtype, shape, file);
  if (bytes.length !== expected) {
    const relation = bytes.length < expected ? 'truncated' : 'trailing bytes';
    refuse(file, `${bytes.length} bytes (${relation})`, `${expected} bytes for shape [${shape.join(', ')}]`);
  }
  return arrayFromBytes(dtype, shape, bytes.subarray(header), { bigEndian: true });
}
