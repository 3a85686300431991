import type { NdArray } from '../../formats/array.js';
import { misfit } from '../../formats/source.js';
import { sharedFrom, sharedLike } from '../shared.js';
import type { Examples } from '../types.js';

/** Classes are numbered below this. */
const maxClasses = 65_536;

/**
 * Inputs [N, …] on shared memory: bytes and floats stay what they are, other integers become int32. Throws DataError where a number does
 * not fit (float64 must be of float32 range) or is not finite.
 */
export function inputsOf({ dtype, data }: NdArray, file: string): Examples['inputs'] {
  if (data instanceof Uint8Array) return sharedFrom(new Uint8Array(0), data);
  return dtype.startsWith('float') ? floatsOf(data as Float64Array, file) : integersOf(data, file);
}

/**
 * Labels on shared memory: integers [N] are classes from 0, floats [N, …] are regression targets. Throws DataError where a class is
 * out of range or a target is not finite.
 */
export function labelsOf({ dtype, shape, data }: NdArray, file: string): Examples['labels'] {
  if (dtype.startsWith('float')) return floatsOf(data as Float64Array, file);
  if (shape.length !== 1) {
    throw misfit(
      file,
      `integers [${shape.join(', ')}]`,
      'classes [N]',
      'save class numbers, or targets as float32',
    );
  }
  const classes = integersOf(data, file);
  const index = classes.findIndex((label) => label < 0 || label >= maxClasses);
  if (index < 0) return classes;
  throw misfit(
    file,
    `class ${classes[index]!} of example ${index}`,
    `classes from 0 to ${maxClasses - 1}`,
    'number the classes 0, 1, 2, …',
  );
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
