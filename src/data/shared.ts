import type { Dataset, Examples } from './types.js';

/** Typed arrays that threads share. */
type SharedNumbers = Uint8Array | Int32Array | Float32Array | Float64Array;

/** A zeroed typed array of the same kind as `like`, on memory that threads can share. */
export function sharedLike<A extends SharedNumbers>(like: A, length: number): A {
  const kind = like.constructor as new (buffer: SharedArrayBuffer) => A;
  return new kind(new SharedArrayBuffer(length * like.BYTES_PER_ELEMENT));
}

/** The numbers as a typed array like `like`, on memory that threads can share. */
export function sharedFrom<A extends SharedNumbers>(like: A, values: ArrayLike<number>): A {
  const shared = sharedLike(like, values.length);
  shared.set(values);
  return shared;
}

const isShared = (array: SharedNumbers): boolean => array.buffer instanceof SharedArrayBuffer;

/** The examples on memory that threads can share: arrays that are there already, others copied. */
export function sharedExamples(examples: Examples): Examples {
  return withArrays(examples, (array) => (isShared(array) ? array : sharedFrom(array, array)));
}

/** The examples with each of their arrays replaced by another of as many rows, or of `count` rows. */
export function withArrays(
  examples: Examples,
  replace: <A extends SharedNumbers>(array: A) => A,
  count = examples.count,
): Examples {
  const { inputs, labels, further } = examples;
  return {
    count,
    shape: examples.shape,
    inputs: replace(inputs),
    labels: replace(labels),
    ...(further ? { further: further.map((input) => ({ ...input, values: replace(input.values) })) } : {}),
  };
}

/** The examples at `places` [n], in that order, on shared memory. */
export function gatherExamples(examples: Examples, places: Uint32Array): Examples {
  const rows = Math.max(1, examples.count);
  return withArrays(examples, (array) => gatherRows(array, array.length / rows, places), places.length);
}

/**
 * As `gatherExamples`, of places [n] in ascending order: rows are moved to the front of the memory that they lie in, where threads can share it, so that a data set is
 * not held twice. Nothing else is in that memory then. Of less than half of it a copy is made, and the memory let go.
 */
export function takeExamples(examples: Examples, places: Uint32Array): Examples {
  if (2 * places.length < examples.count || examples.count === 0) return gatherExamples(examples, places);
  const take = <A extends SharedNumbers>(array: A): A => {
    const width = array.length / examples.count;
    if (!isShared(array)) return gatherRows(array, width, places);
    gatherRowsInto(array, array, width, places);
    return array.subarray(0, places.length * width) as A;
  };
  return withArrays(examples, take, places.length);
}

/** Rows `indices` [n] of a row-major array [rows, width], in that order, on shared memory: [n, width]. */
export function gatherRows<A extends SharedNumbers>(source: A, width: number, indices: Uint32Array): A {
  const rows = sharedLike(source, indices.length * width);
  gatherRowsInto(rows, source, width, indices);
  return rows;
}

/** The same, written into `target` [indices.length · width], which may be the source where indices ascend. */
export function gatherRowsInto<A extends SharedNumbers>(
  target: A,
  source: A,
  width: number,
  indices: Uint32Array | Int32Array,
): void {
  for (let row = 0; row < indices.length;) {
    const first = indices[row]!;
    let rows = 1;
    // Neighbours are copied together: an example at a time takes several times as long.
    while (indices[row + rows] === first + rows) rows++;
    target.set(source.subarray(first * width, (first + rows) * width), row * width);
    row += rows;
  }
}

/** The first examples, so many or all: views. */
export function firstExamples(examples: Examples, count: number): Examples {
  const used = Math.min(count, examples.count);
  const part = <A extends SharedNumbers>(array: A): A =>
    array.subarray(0, (array.length / examples.count) * used) as A;
  return withArrays(examples, part, used);
}

/** The data set as engines take it that compute in float32: float64 inputs and targets are rounded. */
export function narrowed(dataset: Dataset): Dataset {
  const { train, ...others } = dataset.splits;
  const narrowedOthers = Object.entries(others).map(([name, examples]) => [name, narrow(examples)] as const);
  return { ...dataset, splits: { train: narrow(train), ...Object.fromEntries(narrowedOthers) } };
}

function narrow(examples: Examples): Examples {
  const rounded = <A extends SharedNumbers>(values: A): A | Float32Array =>
    values instanceof Float64Array ? sharedFrom(new Float32Array(0), values) : values;
  return withArrays(examples, rounded as <A extends SharedNumbers>(values: A) => A);
}
