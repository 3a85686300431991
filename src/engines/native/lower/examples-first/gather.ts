import { axisAttribute } from '../../../../graph/attributes.js';
import type { Node, Shape, Value } from '../../../../graph/types.js';
import { sizeOf } from '../../../../graph/types.js';
import { unsupported } from '../unsupported.js';
import type { Place } from './place.js';
import { separated } from './place.js';
import type { Rewriting } from './rewriting.js';

/** Whether indices of so many elements are exact in float32, which lanes hold. */
const MOST_ELEMENTS = 2 ** 24;

/** What is looked up, by what, and where the examples are in both. */
interface LookUp {
  readonly data: Shape;
  readonly dataPlace: Place | null;
  readonly indices: Value;
  readonly indexPlace: Place | null;
  readonly axis: number;
}

/**
 * Constant indices pick elements of each example. Rows of a table without examples are looked up by indices with examples. Where both
 * have examples, the data are one axis, and an index is that of the example's first element plus one within the example. Throws EngineError for what it cannot do.
 */
export function gather(node: Node, rewriting: Rewriting): void {
  const [data, indices] = node.inputs as [Value, Value];
  const axis = axisAttribute(node, data.shape.length, 0);
  const dataPlace = rewriting.place(data);
  const indexPlace = rewriting.place(indices);
  const look = { data: data.shape, dataPlace, indices, indexPlace, axis };
  if (indexPlace === null) {
    if (rewriting.isFirst(data) && axis !== 0) rewriting.keep(node, () => true);
    else {
      const attributes = { axis: axis + 1 };
      rewriting.emit(node, [rewriting.separate(node, data), indices], attributes, [picked(node, look)]);
    }
  } else if (dataPlace === null) {
    const place = { ...indexPlace, axis: indexPlace.axis + axis };
    if (axis !== 0) throw unsupported(node, 'indices of the rows of a table');
    if (rewriting.isFirst(indices)) rewriting.keep(node, () => true);
    else rewriting.emit(node, [data, rewriting.separate(node, indices)], { axis: 0 }, [place]);
  } else {
    const local = withinExample(node, look, rewriting);
    rewriting.emit(node, [rewriting.canonical(data), local], {}, [indexPlace], 'ElementsAt');
  }
}

/** Where the examples are after constant indices took the place of an axis. */
function picked(node: Node, { dataPlace, indices, axis }: LookUp): Place {
  if (axis === dataPlace!.axis) throw unsupported(node, 'all examples');
  const shift = axis < dataPlace!.axis ? indices.shape.length - 1 : 0;
  return { ...dataPlace!, axis: dataPlace!.axis + shift };
}

/** The gradient with respect to the data of `gather`. Throws EngineError for what it cannot do. */
export function gatherGradient(node: Node, rewriting: Rewriting): void {
  const [dy, indices] = node.inputs as [Value, Value];
  const data = node.outputs[0]!;
  const axis = axisAttribute(node, data.shape.length, 0);
  const indexPlace = rewriting.place(indices);
  const dyPlace = rewriting.place(dy);
  if (indexPlace === null) {
    const rank = indices.shape.length;
    const isBehind = dyPlace!.axis >= axis + rank;
    const place = { ...dyPlace!, axis: dyPlace!.axis - (isBehind ? rank - 1 : 0) };
    picked(node, { data: data.shape, dataPlace: place, indices, indexPlace, axis });
    if (rewriting.isFirst(dy) && place.axis === 0) rewriting.keep(node, () => true);
    else {
      const attributes = { axis: axis + 1, input_shape: [rewriting.examples, ...data.shape] };
      rewriting.emit(node, [rewriting.separate(node, dy), indices], attributes, [place]);
    }
    return;
  }
  const flat = flatPlace(node, rewriting);
  if (flat === null) {
    if (axis !== 0) throw unsupported(node, 'indices of the rows of a table');
    const isPlain = rewriting.isFirst(indices) && rewriting.isFirst(dy);
    if (isPlain) rewriting.keep(node, () => false);
    else rewriting.emit(node, [rewriting.separate(node, dy), rewriting.separate(node, indices)], node.attributes, [null]); // prettier-ignore
    return;
  }
  const look = { data: data.shape, dataPlace: flat, indices, indexPlace, axis };
  const local = withinExample(node, look, rewriting);
  rewriting.emit(node, [rewriting.separate(node, dy), local], {}, [flat], 'ElementsAtGrad');
}

/** Where the data of a GatherGrad had their examples: the forward node has the same indices and shape. Null where they had none. */
function flatPlace(node: Node, rewriting: Rewriting): Place | null {
  const output = node.outputs[0]!;
  const forward = rewriting.graph.nodes.find(
    (other) =>
      other.op === 'Gather' &&
      other.inputs[1] === node.inputs[1] &&
      sizeOf(other.inputs[0]!.shape) === sizeOf(output.shape) &&
      other.outputs[0]!.shape.length === node.inputs[0]!.shape.length,
  );
  return forward === undefined ? null : rewriting.place(forward.inputs[0]!);
}

/** Indices into the example's own elements, of indices into those of all. Throws EngineError where they are no such sum. */
function withinExample(node: Node, { data, dataPlace, indices, axis }: LookUp, rewriting: Rewriting): Value {
  const { examples } = rewriting;
  const own = sizeOf(data) / examples;
  const isFlat = data.length === 1 && axis === 0 && dataPlace!.outer === 1;
  if (!isFlat || own > MOST_ELEMENTS) throw unsupported(node, 'elements of each example, at most 2^24');
  return local(node, indices, own, rewriting);
}

const wanted = 'an index that adds the first element of the example to one within it';

/** The part of an index that does not count the examples before, which must be an addend of it. */
function local(node: Node, indices: Value, own: number, rewriting: Rewriting): Value {
  const producer = rewriting.producer(indices);
  const add = (op: string, inputs: Value[]): Value => {
    const output = rewriting.fresh(
      indices,
      separated(indices.shape, rewriting.place(indices)!, rewriting.examples),
    );
    rewriting.nodes.push({ op, name: node.name, inputs, attributes: {}, outputs: [output] });
    return output;
  };
  if (producer?.op === 'Add') {
    const [a, b] = producer.inputs as [Value, Value];
    const [offsets, rest] = rewriting.data(a) === null ? [b, a] : [a, b];
    const once = rewriting.place(rest) === null ? null : offsetsWithin(offsets, own, rewriting);
    if (once !== null) return add('Add', [rewriting.separate(node, rest, indices.shape.length), once]);
  }
  if (producer?.op === 'Where') {
    const [condition, yes, no] = producer.inputs as [Value, Value, Value];
    const branch = (value: Value): Value => (rewriting.place(value) === null ? outside(node, value, own, rewriting) : local(node, value, own, rewriting)); // prettier-ignore
    return add('Where', [rewriting.separate(node, condition, indices.shape.length), branch(yes), branch(no)]);
  }
  throw unsupported(node, wanted);
}

/** A constant index that no element of any example has. */
function outside(node: Node, value: Value, own: number, rewriting: Rewriting): Value {
  const data = rewriting.data(value);
  const isOutside =
    data?.length === 1 && (Number(data[0]) < 0 || Number(data[0]) >= own * rewriting.examples);
  if (!isOutside) throw unsupported(node, wanted);
  return rewriting.constant(value, [-1], []);
}

/** Constant offsets [N · …] of which each example's are those of the one before plus `own`; those of the first, [1, …]. */
function offsetsWithin(offsets: Value, own: number, rewriting: Rewriting): Value | null {
  const { examples } = rewriting;
  const data = rewriting.data(offsets);
  if (data === null || offsets.shape.length === 0 || offsets.shape[0]! % examples !== 0) return null;
  const count = data.length / examples;
  const isRegular = Array.from(data as ArrayLike<number>).every(
    (value, k) => Number(value) === Number(data[k % count]) + Math.floor(k / count) * own,
  );
  if (!isRegular) return null;
  const shape = [1, offsets.shape[0]! / examples, ...offsets.shape.slice(1)];
  return rewriting.constant(offsets, Array.from(data as ArrayLike<number>, Number).slice(0, count), shape);
}
