import { DataError } from '../errors.js';

/** Typed arrays by numpy's name of their element type. */
export const elementTypes = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  uint64: BigUint64Array,
  int64: BigInt64Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

export type ElementType = keyof typeof elementTypes;

/** A dense row-major array read from a file. */
export interface NdArray {
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  /** Of the type that `elementTypes` gives for `dtype`. */
  readonly data:
    | Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array
    | BigUint64Array | BigInt64Array | Float32Array | Float64Array; // prettier-ignore
}

/** Largest array that a reader accepts, in bytes: bounds memory whatever a header claims. */
export const maxArrayBytes = 2 ** 32;

/**
 * Bytes of an array of a claimed shape. Throws DataError where an extent is not a whole number or the array would exceed
 * `maxArrayBytes`.
 */
export function checkedBytes(dtype: ElementType, shape: readonly number[], file: string): number {
  const whole = shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0);
  const bytes = shape.reduce((product, extent) => product * extent, elementTypes[dtype].BYTES_PER_ELEMENT);
  if (whole && bytes <= maxArrayBytes) return bytes;
  throw new DataError({
    given: `${file} claims a ${dtype} array of shape [${shape.join(', ')}]`,
    expected: `whole extents and at most ${maxArrayBytes} bytes in all`,
    remedy: 'check that this is the intended file; if it is, split it into smaller ones',
  });
}

/**
 * The array whose elements are exactly `bytes`. They are copied, so alignment does not matter and the file's buffer is not held on
 * to; each element is reversed where the file is big-endian.
 */
export function arrayFromBytes(
  dtype: ElementType,
  shape: readonly number[],
  bytes: Uint8Array,
  bigEndian = false,
): NdArray {
  const kind = elementTypes[dtype];
  const width = kind.BYTES_PER_ELEMENT;
  const copy = new Uint8Array(bytes);
  if (bigEndian && width > 1) {
    for (let at = 0; at < copy.length; at += width) copy.subarray(at, at + width).reverse();
  }
  return { dtype, shape, data: new kind(copy.buffer) };
}
