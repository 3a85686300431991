import { sizeOf, type NdArray } from '../../formats/array.js';
import type { Recording } from '../types.js';

/** Fewer different numbers than this may agree by chance: zeros, ones, small tables. */
const fewestDistinct = 3;

/** Whether numbers tell a tensor from others: not all are one of very few. */
export function isTelling(data: ArrayLike<number>): boolean {
  const seen = new Set<number>();
  for (let k = 0; k < data.length && seen.size < fewestDistinct; k++) seen.add(data[k]!);
  return seen.size >= fewestDistinct;
}

/** The numbers of an array of any shape as float32, which parameters are. */
export function toFloat32({ data }: NdArray): Float32Array {
  return data instanceof Float32Array ? data : Float32Array.from(data as Float64Array, Number);
}

/** Whether numbers of any length are those of `values` from `offset` on. */
export function sameNumbers(data: ArrayLike<number>, values: Float32Array, offset = 0): boolean {
  for (let k = 0; k < data.length; k++) if (!Object.is(data[k]! + 0, values[offset + k]! + 0)) return false;
  return true;
}

/** `data` of `shape` with its axes in another order: axis k of the result is axis `axes[k]` of the data. */
export function permuted(
  data: Float32Array,
  shape: readonly number[],
  axes: readonly number[],
): Float32Array {
  if (axes.every((axis, k) => axis === k)) return data;
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const extents = axes.map((axis) => shape[axis]!);
  const steps = axes.map((axis) => strides[axis]!);
  const result = new Float32Array(data.length);
  const index = new Array<number>(extents.length).fill(0);
  for (let to = 0, from = 0; to < result.length; to++) {
    result[to] = data[from]!;
    for (let axis = extents.length - 1; axis >= 0; axis--) {
      from += steps[axis]!;
      if (++index[axis]! < extents[axis]!) break;
      from -= steps[axis]! * extents[axis]!;
      index[axis] = 0;
    }
  }
  return result;
}

/** How TensorFlow orders the axes of a kernel whose axes in the model are [out, in, …window]. */
export const tensorflowAxes = (rank: number): number[] => [
  ...Array.from({ length: rank - 2 }, (_, k) => k + 2),
  1,
  0,
];

/** Rows whose numbers are compared with the model file's: first and last, and of short recordings all. */
export function rowsToCompare({ rows }: Recording): number[] {
  const all = Array.from({ length: rows }, (_, t) => t);
  return rows <= 16 ? [rows - 1, ...all.slice(0, -1)] : [rows - 1, 0];
}

/** Rows that show whether a tensor moves: first, middle and last. */
export const rowsToWatch = ({ rows }: Recording): number[] => [0, rows >> 1, rows - 1];

/** The numbers of some rows of a recorded tensor, of any shape. */
export async function numbersOf(
  recording: Pick<Recording, 'read'>,
  name: string,
  rows: readonly number[],
): Promise<Float32Array[]> {
  const numbers: Float32Array[] = [];
  for (const t of rows) numbers.push(toFloat32(await recording.read(name, t)));
  return numbers;
}

/** Whether a recorded tensor is the same in first, middle and last row. */
export async function isStill(recording: Recording, name: string): Promise<boolean> {
  const [first, ...others] = await numbersOf(recording, name, rowsToWatch(recording));
  return others.every((other) => sameNumbers(first!, other));
}

/** The first of the last rows in which every number of some tensors is 0, where a row before is another; null: the last row is no such. */
export async function emptyFrom(recording: Recording, names: readonly string[]): Promise<number | null> {
  const isEmpty = async (t: number): Promise<boolean> => {
    for (const name of names) {
      const [row] = await numbersOf(recording, name, [t]);
      if (row!.some((value) => value !== 0)) return false;
    }
    return true;
  };
  let from = recording.rows;
  while (from > 0 && (await isEmpty(from - 1))) from--;
  return from === 0 || from === recording.rows ? null : from;
}
