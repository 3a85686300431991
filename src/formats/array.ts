import { DataError } from '../errors.js';
import { halfToNumber } from '../num/half.js';

/** Bytes of one element as files store it, by numpy's name of its type. */
export const elementBytes = {
  bool: 1,
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  uint32: 4,
  int32: 4,
  uint64: 8,
  int64: 8,
  float16: 2,
  bfloat16: 2,
  float32: 4,
  float64: 8,
} as const;

export type ElementType = keyof typeof elementBytes;

export type NumberArray =
  | Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array
  | BigUint64Array | BigInt64Array | Float32Array | Float64Array; // prettier-ignore

type NumberArrayConstructor = new (buffer: ArrayBuffer) => NumberArray;

/** Typed arrays of the element types whose stored bytes are their numbers as they are. */
const plainArrays: Readonly<Partial<Record<ElementType, NumberArrayConstructor>>> = {
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
};

/** A dense row-major array read from a file. */
export interface NdArray {
  /** As the file stores it. */
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  /** Of the type that `dtype` names; booleans are bytes 0 and 1, numbers of 16-bit floats are float32, which holds each exactly. */
  readonly data: NumberArray;
}

/** How the bytes of an array stand; default little-endian, last axis fastest. */
export interface ByteOrder {
  readonly bigEndian?: boolean;
  /** First axis fastest, as Fortran stores arrays. */
  readonly columnMajor?: boolean;
}

/** Number of elements of a shape. */
export const sizeOf = (shape: readonly number[]): number =>
  shape.reduce((product, extent) => product * extent, 1);

/** Whether two shapes are the same. */
export const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((extent, axis) => extent === b[axis]);

/** Whether numbers of this type are floating-point ones. */
export const isFloat = (dtype: ElementType): boolean => dtype.includes('float');

/** Largest array that a reader accepts, in bytes: bounds memory whatever a header claims. */
export const maxArrayBytes = 2 ** 32;

/** An array above this size may be at most `maxRatio` times what is stored of it: numbers do not compress like zip bombs. */
const freeBytes = 2 ** 26;
const maxRatio = 100;

/**
 * Bytes of an array of a claimed shape. Throws DataError where an extent is not a whole number or the array would exceed
 * `maxArrayBytes`.
 */
export function checkedBytes(dtype: ElementType, shape: readonly number[], file: string): number {
  const whole = shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0);
  const bytes = elementBytes[dtype] * sizeOf(shape);
  if (whole && bytes <= maxArrayBytes) return bytes;
  throw new DataError({
    given: `${file} claims a ${dtype} array of shape [${shape.join(', ')}]`,
    expected: `whole extents and at most ${maxArrayBytes} bytes in all`,
    remedy: 'check that this is the intended file; if it is, split it into smaller ones',
  });
}

/** Throws DataError where `claimed` bytes cannot come from `stored` ones: absent or compressed parts cost nothing to claim. */
export function requireCredible(claimed: number, stored: number, file: string): void {
  if (claimed <= Math.max(freeBytes, maxRatio * stored)) return;
  throw new DataError({
    given: `${file}: ${claimed} bytes claimed where ${stored} are stored`,
    expected: `at most ${maxRatio} times what is stored`,
    remedy: 'check that this is the intended file, and write it again',
  });
}

/**
 * The array whose elements are `bytes`. Those of more than one byte are copied, so alignment does not matter; single bytes in the
 * order that they have are a view.
 */
export function arrayFromBytes(
  dtype: ElementType,
  shape: readonly number[],
  bytes: Uint8Array,
  { bigEndian = false, columnMajor = false }: ByteOrder = {},
): NdArray {
  const width = elementBytes[dtype];
  if (dtype === 'uint8' && !columnMajor) {
    // A plain array, which Node's buffers are not.
    return { dtype, shape, data: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) };
  }
  const copy = columnMajor
    ? gatherStrided(bytes, shape, columnMajorStrides(shape), width)
    : new Uint8Array(bytes);
  if (bigEndian && width > 1) {
    for (let at = 0; at < copy.length; at += width) copy.subarray(at, at + width).reverse();
  }
  return { dtype, shape, data: numbersOf(dtype, copy) };
}

function numbersOf(dtype: ElementType, bytes: Uint8Array<ArrayBuffer>): NumberArray {
  if (dtype === 'bool') return bytes.map((byte) => (byte === 0 ? 0 : 1));
  if (dtype === 'float16' || dtype === 'bfloat16') {
    return Float32Array.from(new Uint16Array(bytes.buffer), (bits) => halfToNumber(dtype, bits));
  }
  return new plainArrays[dtype]!(bytes.buffer);
}

/**
 * Elements of `width` bytes whose places stand `strides` elements apart along each axis of `shape`, put in the order with the last
 * axis fastest.
 */
export function gatherStrided(
  bytes: Uint8Array,
  shape: readonly number[],
  strides: readonly number[],
  width: number,
): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(sizeOf(shape) * width);
  const index = new Array<number>(shape.length).fill(0);
  for (let to = 0, from = 0; to < result.length; to += width) {
    for (let byte = 0; byte < width; byte++) result[to + byte] = bytes[from * width + byte]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return result;
}

/** Strides of elements with the first axis fastest. */
export const columnMajorStrides = (shape: readonly number[]): number[] =>
  shape.map((_, axis) => sizeOf(shape.slice(0, axis)));
