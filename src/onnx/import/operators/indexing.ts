import { sameShape, stridesOf } from '../../../graph/shapes.js';
import type { Shape, Value } from '../../../graph/types.js';
import { sizeOf } from '../../../graph/types.js';
import type { NodeContext, TranslationTable } from '../context.js';
import type { StaticTensor } from '../static-tensor.js';
import { axisOf, inside, requireInside } from './arguments.js';

/** Throws GraphError for updates that are combined with what is there. */
function requireReplacing(c: NodeContext): void {
  const reduction = c.attributes.text('reduction', 'none');
  if (reduction !== 'none') c.fail(`reduction ${reduction}`, 'reduction none');
}

/** The rows of `data` that tuples of indices [J, k] name, of its first k axes. */
function rowsOf(c: NodeContext, data: Shape, { shape, data: numbers }: StaticTensor): Int32Array {
  const depth = shape.at(-1) ?? 0;
  const strides = stridesOf(data.slice(0, depth));
  c.spend(numbers.length);
  return Int32Array.from({ length: numbers.length / depth }, (_, j) =>
    strides.reduce(
      (row, stride, axis) => row + stride * inside(c, numbers[j * depth + axis]!, data[axis]!),
      0,
    ),
  );
}

/** The number of the last update of each of so many rows; -1 for those that stay. */
function updatesOf(count: number, rows: Int32Array): Int32Array {
  const updates = new Int32Array(count).fill(-1);
  rows.forEach((row, j) => (updates[row] = j));
  return updates;
}

/** Updates of one example's rows, among its own, where each of N examples has the same: they then stay apart, which shows. Null where one takes another's. */
function updatesOfEach(updates: Int32Array, count: number, examples: number): Int32Array | null {
  const [rows, own] = [updates.length / examples, count / examples];
  if (!Number.isInteger(rows) || !Number.isInteger(own)) return null;
  const each = updates.subarray(0, rows);
  const isOwn = (update: number, k: number): boolean => {
    const first = each[k % rows]!;
    return update === (first < 0 ? first : first + Math.floor(k / rows) * own);
  };
  return each.every((update) => update < own) && updates.every(isOwn) ? each : null;
}

/** Numbers of one example, where those of all are the same; null where they are not, or not known. */
function alikeIn(data: StaticTensor | null, examples: number): ArrayLike<number> | null {
  if (data === null) return null;
  const own = data.data.length / examples;
  return data.data.every((number, k) => number === data.data[k % own]) ? data.data.subarray(0, own) : null;
}

/** Rows that are replaced at indices which are known: each is looked up among the updates. */
function scatterRows(c: NodeContext): Value {
  requireReplacing(c);
  const [data, updates, indices] = [c.value(0), c.value(2), c.known(1)];
  if (indices === null)
    return c.fail('indices that depend on the data', 'indices that follow from shapes and constants');
  const depth = indices.shape.at(-1) ?? 0;
  const kept = data.shape.slice(depth);
  const wanted = [...indices.shape.slice(0, -1), ...kept];
  if (depth < 1 || depth > data.shape.length || !sameShape(updates.shape, wanted)) {
    c.fail(`updates [${updates.shape.join(', ')}] at indices [${indices.shape.join(', ')}]`, `updates [${wanted.join(', ')}]`, 'export the model with a symbolic batch axis'); // prettier-ignore
  }
  const [count, changed, inner] = [
    sizeOf(data.shape.slice(0, depth)),
    sizeOf(indices.shape.slice(0, -1)),
    sizeOf(kept),
  ];
  if (changed === 0) return data;
  const all = updatesOf(count, rowsOf(c, data.shape, indices));
  const { examples, builder } = c.state;
  const each = data.shape[0] === examples ? updatesOfEach(all, changed, examples) : null;
  const groups = each === null ? [] : [examples];
  const own = each ?? all;
  const alike = each === null ? null : alikeIn(c.known(0), examples);
  const old =
    alike === null
      ? c.add('Reshape', [data], { shape: [...groups, own.length, inner] })
      : builder.constant(Float32Array.from(alike), [own.length, inner], data.dtype, 'old');
  const given = c.add('Reshape', [updates], { shape: [...groups, changed / (groups[0] ?? 1), inner] });
  const picked = builder.constant(
    own.map((update) => Math.max(0, update)),
    [own.length],
    'int32',
    'picked',
  );
  const isNew = builder.constant(Float32Array.from(own, (update) => (update < 0 ? 0 : 1)), [own.length, 1], 'float32', 'isNew'); // prettier-ignore
  const chosen = c.add('Where', [
    c.add('Greater', [isNew, c.scalar(0.5)]),
    c.add('Gather', [given, picked], { axis: groups.length }),
    old,
  ]);
  return c.add('Reshape', [chosen], { shape: data.shape });
}

/** Updates along an axis at most: each takes a pass over all. */
const mostUpdates = 64;

/**
 * Elements that are replaced where indices along an axis say, which may depend on the data: update after update. One outside, which no place
 * equals, is looked up beside them, so that engines refuse it.
 */
function scatterElements(c: NodeContext): Value {
  requireReplacing(c);
  const [data, indices, updates] = [c.value(0), c.value(1), c.value(2)];
  const axis = axisOf(c, data.shape.length, 0);
  const extent = data.shape[axis]!;
  const count = indices.shape[axis] ?? 0;
  const like = data.shape.map((other, k) => (k === axis ? count : other));
  if (!sameShape(indices.shape, like)) c.fail(`indices [${indices.shape.join(', ')}] of data [${data.shape.join(', ')}]`, 'the same extents but along the axis'); // prettier-ignore
  if (count > mostUpdates) c.fail(`${count} updates along axis ${axis}`, `at most ${mostUpdates}`);
  requireInside(c, c.known(1), extent);
  const { dtype } = indices;
  const isBelow = c.add('Less', [indices, c.scalar(0, dtype)]);
  const fromStart = c.add('Where', [isBelow, c.add('Add', [indices, c.scalar(extent, dtype)]), indices]);
  const along = data.shape.map((_, k) => (k === axis ? extent : 1));
  const range = Array.from({ length: extent }, (_, k) => k);
  const places = c.state.builder.constant(range, along, dtype, 'places');
  const pieces = (x: Value): readonly Value[] =>
    count === 1 ? [x] : c.addMany('Split', [x], { axis, split: new Array<number>(count).fill(1) });
  const own = pieces(updates);
  const replaced = pieces(fromStart).reduce(
    (result, index, j) => c.add('Where', [c.add('Equal', [index, places]), own[j]!, result]),
    data,
  );
  if (c.known(1) !== null) return replaced;
  const ones = c.state.builder.constant(range.map(() => 1), [extent], 'float32', 'inside'); // prettier-ignore
  const found = c.add('ReduceSum', [c.add('Gather', [ones, indices], { axis: 0 })], { axes: [axis], keepdims: 1 }); // prettier-ignore
  // All are found, so that this is 0; or it is no number.
  return c.add('Add', [replaced, c.cast(c.add('Sub', [found, c.scalar(count)]), data.dtype)]);
}

/** Places of rows, counted from those of each batch, that tuples of indices [..., k] of the data name; one outside becomes `nowhere`, which engines refuse. */
function placesOf(c: NodeContext, own: Shape, indices: Value, offsets: Value, nowhere: number): Value {
  const { dtype, shape } = indices;
  const number = (value: number): Value => c.scalar(value, dtype);
  const split = new Array<number>(own.length).fill(1);
  const columns =
    own.length === 1 ? [indices] : c.addMany('Split', [indices], { axis: shape.length - 1, split });
  const strides = stridesOf(own);
  const outside: Value[] = [];
  const places = columns.reduce((sum, column, axis) => {
    const given = c.add('Reshape', [column], { shape: shape.slice(0, -1) });
    const isBelow = c.add('Less', [given, number(0)]);
    const index = c.add('Where', [isBelow, c.add('Add', [given, number(own[axis]!)]), given]);
    outside.push(c.add('Less', [index, number(0)]), c.add('Greater', [index, number(own[axis]! - 1)]));
    return c.add('Add', [sum, c.add('Mul', [index, number(strides[axis]!)])]);
  }, offsets);
  const isOutside = outside.reduce((one, other) => c.add('Or', [one, other]));
  return c.add('Where', [isOutside, number(nowhere), places]);
}

/** Rows at tuples of indices, of the same place in the first `batch_dims` axes. */
function gatherRows(c: NodeContext): Value {
  const [data, indices] = [c.value(0), c.value(1)];
  const batch = c.attributes.int('batch_dims', 0);
  const depth = indices.shape.at(-1) ?? 0;
  const batches = data.shape.slice(0, batch);
  const own = data.shape.slice(batch, batch + depth);
  const isFitting = own.length === depth && depth > 0 && sameShape(indices.shape.slice(0, batch), batches);
  if (!isFitting) c.fail(`indices [${indices.shape.join(', ')}] of data [${data.shape.join(', ')}]`, `${batch} axes of batches, and no more indices than axes`); // prettier-ignore
  const lead = indices.shape.slice(0, -1);
  const [count, each] = [sizeOf(batches) * sizeOf(own), sizeOf(own)];
  const perBatch = sizeOf(lead) / sizeOf(batches);
  c.spend(sizeOf(lead));
  const offsets = Int32Array.from({ length: sizeOf(lead) }, (_, j) => Math.floor(j / perBatch) * each);
  const constant = (numbers: Int32Array): Value =>
    c.state.builder.constant(numbers, lead, indices.dtype, 'places');
  const known = c.known(1);
  const places =
    known === null
      ? placesOf(c, own, indices, constant(offsets), count)
      : constant(rowsOf(c, own, known).map((row, j) => row + offsets[j]!));
  const kept = data.shape.slice(batch + depth);
  const rows = c.add('Reshape', [data], { shape: [count, sizeOf(kept)] });
  return c.add('Reshape', [c.add('Gather', [rows, places], { axis: 0 })], { shape: [...lead, ...kept] });
}

/** Numbers that are looked up by tuples of indices, or put in the place of others. */
export const indexing: TranslationTable = {
  GatherND: gatherRows,
  ScatterND: scatterRows,
  ScatterElements: scatterElements,
};
