import type { Value } from '../../../graph/types.js';
import { axesOf, axisOf } from './arguments.js';
import type { NodeContext, TranslationTable } from '../context.js';

/** Numbers that an axis counts, shaped to go along it. */
function along(c: NodeContext, x: Value, axis: number, numbers: readonly number[]): Value {
  const shape = x.shape.map((_, k) => (k === axis ? numbers.length : 1));
  return c.state.builder.constant(numbers, shape, 'float32', 'places');
}

const range = (extent: number): number[] => Array.from({ length: extent }, (_, k) => k);

/**
 * Place of the largest number along an axis, the first of equals, as a float, the axis kept; its extent where one is NaN. `free` weighs places:
 * earlier ones more, those that may not be chosen 0. Comparisons have no gradient.
 */
function firstLargest(c: NodeContext, x: Value, axis: number, free: Value): Value {
  const largest = c.add('ReduceMax', [x], { axes: [axis], keepdims: 1 });
  const isLargest = c.add('Cast', [c.add('Equal', [x, largest])], { to: 'float32' });
  const best = c.add('ReduceMax', [c.add('Mul', [isLargest, free])], { axes: [axis], keepdims: 1 });
  return c.add('Sub', [c.scalar(x.shape[axis]!), best]);
}

/** How early each place of an axis is: its extent, down to 1. */
function earliness(c: NodeContext, x: Value, axis: number): Value {
  const extent = x.shape[axis]!;
  return along(c, x, axis, range(extent).map((k) => extent - k)); // prettier-ignore
}

function argument(c: NodeContext, sign: 1 | -1): Value {
  const given = c.value(0);
  const axis = axisOf(c, given.shape.length, 0);
  if (c.attributes.int('select_last_index', 0) !== 0) c.fail('select_last_index 1', 'the first of equals');
  const x = sign === 1 ? given : c.add('Neg', [given]);
  const place = firstLargest(c, x, axis, earliness(c, x, axis));
  const keeps = c.attributes.int('keepdims', 1) === 1;
  const shape = given.shape.filter((_, k) => k !== axis);
  return c.cast(keeps ? place : c.add('Reshape', [place], { shape }), 'int64');
}

/** Numbers that are selected at most: each takes a pass over all. */
const mostSelected = 64;

/** The k largest (or smallest) numbers along an axis, in order, and their places; NaN where one of them is. Gradients go to those that are selected. */
function topK(c: NodeContext): readonly Value[] {
  // Whole numbers are compared as floats, which are exact up to 2²⁴.
  const given = c.value(0);
  const x = c.cast(given, 'float32');
  const axis = axisOf(c, x.shape.length, -1);
  const count = c.numbers(1)?.[0] ?? c.attributes.int('k', 1);
  if (!(count >= 1 && count <= Math.min(mostSelected, x.shape[axis]!))) {
    const isSorting = axis === 0 && count === c.state.examples;
    c.fail(
      `k ${count} of ${x.shape[axis]!}`,
      `1 to ${Math.min(mostSelected, x.shape[axis]!)}`,
      isSorting
        ? `evaluate fewer examples together (--chunk ${mostSelected}); or, where this sorts sequences by length, export with pack_padded_sequence(…, enforce_sorted=True), which data in any order may then have`
        : undefined,
    );
  }
  const places = along(c, x, axis, range(x.shape[axis]!));
  const nowhere = c.scalar(x.shape[axis]!);
  let left = c.attributes.int('largest', 1) === 1 ? x : c.add('Neg', [x]);
  let free = earliness(c, x, axis);
  const [values, indices]: [Value[], Value[]] = [[], []];
  for (let k = 0; k < count; k++) {
    const place = firstLargest(c, left, axis, free);
    const isIt = c.add('Equal', [places, place]);
    const only = c.add('Where', [isIt, x, c.scalar(0)]);
    const value = c.add('ReduceSum', [only], { axes: [axis], keepdims: 1 });
    values.push(c.add('Where', [c.add('Equal', [place, nowhere]), c.scalar(NaN), value]));
    indices.push(place);
    // What is masked is as small, but still free.
    left = c.add('Where', [isIt, c.scalar(-Infinity), left]);
    free = c.add('Where', [isIt, c.scalar(0), free]);
  }
  const joined = (list: readonly Value[]): Value =>
    list.length === 1 ? list[0]! : c.add('Concat', list, { axis });
  return [c.cast(joined(values), given.dtype), c.cast(joined(indices), 'int64')];
}

/** The product along axes, an element at a time, so that its gradient is right where factors are 0. */
function product(c: NodeContext): Value {
  const given = c.value(0);
  const axes = axesOf(c, given.shape.length, 1);
  let result = given;
  for (const axis of axes) {
    const factors = c.addMany('Split', [result], {
      axis,
      split: new Array<number>(result.shape[axis]!).fill(1),
    });
    if (factors.length > 1024) c.fail(`a product of ${factors.length} factors`, 'at most 1024');
    result = factors.reduce((all, factor) => c.add('Mul', [all, factor]));
  }
  if (c.attributes.int('keepdims', 1) === 1) return result;
  return c.add('Reshape', [result], { shape: given.shape.filter((_, k) => !axes.includes(k)) });
}

/** What lies above or below a diagonal of the last two axes; the rest 0. */
function triangle(c: NodeContext): Value {
  const x = c.value(0);
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const shift = c.number(1, 0);
  const isUpper = c.attributes.int('upper', 1) !== 0;
  c.spend(rows * columns);
  const kept = range(rows).flatMap((row) =>
    range(columns).map((column) => (isUpper ? column - row >= shift : column - row <= shift)),
  );
  const mask = c.state.builder.constant(kept.map(Number), [rows, columns], 'float32', 'triangle');
  return c.add('Where', [c.add('Greater', [mask, c.scalar(0.5)]), x, c.scalar(0, x.dtype)]);
}

/** Selections, which have no gradient of their own: what is selected counts as given. Products, and parts of matrices. */
export const selections: TranslationTable = {
  ArgMax: (c) => argument(c, 1),
  ArgMin: (c) => argument(c, -1),
  TopK: topK,
  ReduceProd: product,
  Trilu: triangle,
};

/** Operators that select by comparing. */
export const selecting: readonly string[] = ['ArgMax', 'ArgMin', 'TopK'];
