import type { Constant, Graph, Node, Value } from '../types.js';
import type { Placed } from './place.js';
import { afterOf } from './place.js';

/**
 * The constants by which a Gather looks up, for each example, numbers of its own among those of all behind each other, as ONNX's
 * GatherElements and the losses of labels are read: at offset + stride · i, with i from 0 to less than an extent, else at a place that is
 * none. Null where it is not known to do so.
 */
export function looksUpOwn(
  graph: Graph,
  { inputs, attributes }: Node,
  [data, indices]: readonly (Placed | null)[],
  examples: number,
): readonly Value[] | null {
  if (!data || !indices || data.value.shape.length !== 1 || Number(attributes['axis'] ?? 0) !== 0) return null;
  const own = afterOf(data.value.shape, data.place);
  const each = afterOf(indices.value.shape, indices.place);
  if (data.value.shape[0] !== own * examples) return null;
  const made = (value: Value | null | undefined, op: string): readonly (Value | null)[] =>
    graph.nodes.find((node) => node.op === op && node.outputs[0] === value)?.inputs ?? [];
  const constant = (value: Value | null | undefined): Constant['data'] | undefined =>
    graph.constants.find((known) => known.value === value)?.data;
  const [condition, none, places] = made(inputs[1], 'Where');
  const [scaled, offsets] = made(places, 'Add');
  const [index, stride] = made(scaled, 'Mul');
  const [below, above] = made(condition, 'Or');
  const [low, zero] = made(below, 'Less');
  const [high, last] = made(above, 'Greater');
  const [starts, step, first, most, nowhere] = [offsets, stride, zero, last, none].map(constant);
  if (!starts || !step || !first || !most || !nowhere || !index || low !== index || high !== index) return null;
  if (Number(first[0]) !== 0 || Number(nowhere[0]) < own * examples) return null;
  const reach = Number(step[0]) * Number(most[0]);
  const isOwn = Array.from(starts as ArrayLike<number>, Number).every((start, k) => {
    const example = Math.floor(k / each) % examples;
    return start >= example * own && start + reach < (example + 1) * own;
  });
  return isOwn ? [offsets!, none!] : null;
} // prettier-ignore
