import type { NdArray } from '../formats/array.js';
import { misfit } from '../formats/source.js';

/** Most rows that a trajectory may number. */
const maxCount = 2 ** 24;

/** The numbers of a one-dimensional integer array. Throws DataError for another rank, fractions, or too many. */
export function integersOf({ dtype, shape, data }: NdArray, file: string): number[] {
  if (shape.length === 1 && !dtype.startsWith('float') && data.length <= maxCount)
    return Array.from(data as Int32Array, Number);
  throw misfit(
    file,
    `a ${dtype} array of shape [${shape.join(', ')}]`,
    `at most ${maxCount} integers in one row`,
    'save it as int64',
  );
}
