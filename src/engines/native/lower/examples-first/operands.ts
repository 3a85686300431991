import type { Node, Value } from '../../../../graph/types.js';
import { unsupported } from '../unsupported.js';
import type { Place } from './place.js';
import { aligned, separated } from './place.js';
import type { Rewriting } from './rewriting.js';

/** Rewrites a node of which at least one input varies by example. */
export type Rule = (node: Node, rewriting: Rewriting) => void;

/** What operators of several operands with examples expect. */
export const together = 'operands with the examples on the same axis';

/** Inputs that are there. */
export const inputsOf = (node: Node): Value[] => node.inputs.filter((value) => value !== null);

/** The place that all inputs with examples have, seen from `rank` axes. Throws EngineError where they differ. */
export function commonPlace(node: Node, values: readonly Value[], rank: number, rewriting: Rewriting): Place {
  const places = values.flatMap((value) => {
    const place = rewriting.place(value);
    return place === null ? [] : [aligned(place, value.shape.length, rank)];
  });
  const [first] = places;
  if (places.some(({ axis, outer }) => axis !== first!.axis || outer !== first!.outer)) {
    throw unsupported(node, together);
  }
  return first!;
}

/** An operand seen from an output with examples at `place`. */
export function operand(node: Node, value: Value, rank: number, place: Place, rewriting: Rewriting): Value {
  if (rewriting.place(value) !== null) return rewriting.separate(node, value, rank);
  const axis = place.axis - (rank - value.shape.length);
  return axis < 0 || value.shape[axis] === 1 ? value : rewriting.withoutExamples(node, value, axis);
}

/** A value [N, …]; one that does not vary by example is repeated for each. */
export function whole(node: Node, value: Value, place: Place, rewriting: Rewriting): Value {
  if (rewriting.place(value) !== null) return rewriting.separate(node, value);
  const source = rewriting.withoutExamples(node, value, place.axis);
  const shape = separated(value.shape, place, rewriting.examples);
  const output = rewriting.fresh(value, shape);
  rewriting.nodes.push({
    op: 'Expand',
    name: node.name,
    inputs: [source],
    attributes: { shape },
    outputs: [output],
  });
  return output;
}
