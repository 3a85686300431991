import { isFloat, type NdArray } from '../../formats/array.js';
import { misfit } from '../../formats/source.js';
import { sharedFrom, sharedLike } from '../shared.js';
import type { Examples } from '../types.js';

/**
 * Inputs [N, …example] on shared memory: booleans and bytes are bytes, floats stay what they are (16-bit ones become float32), other integers become
 * int32. Throws DataError where a number does not fit (float64 must be of float32 range) or is not finite.
 */
export function inputsOf(array: NdArray, file: string): Examples['inputs'] {
  const { dtype, data } = array;
  if (data instanceof Uint8Array) return sharedFrom(new Uint8Array(0), data);
  return isFloat(dtype) ? floatsOf(data as Float64Array, file) : integersOf(data, file);
}

/** Labels [N, …] on shared memory: integers as int32, floats as they are. Throws DataError where one does not fit or is not finite. */
export function labelsOf({ dtype, data }: NdArray, file: string): Examples['labels'] {
  return isFloat(dtype) ? floatsOf(data as Float64Array, file) : integersOf(data, file);
}

function floatsOf<A extends Float64Array | Float32Array>(data: A, file: string): A {
  const floats = sharedFrom(data, data);
  const index = data.findIndex((value) => !Number.isFinite(Math.fround(value)));
  if (index < 0) return floats;
  throw misfit(
    file,
    `element ${index} is ${data[index]!}`,
    'finite numbers of float32 range',
    'remove or replace such values before saving',
  );
}

function integersOf(data: NdArray['data'], file: string): Int32Array {
  const integers = sharedLike(new Int32Array(0), data.length);
  for (let i = 0; i < data.length; i++) {
    const value = Number(data[i]);
    integers[i] = value;
    if (integers[i] === value) continue;
    throw misfit(file, `element ${i} is ${value}`, 'integers of 32 bits', 'save smaller numbers');
  }
  return integers;
}
