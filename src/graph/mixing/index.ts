import type { Graph, Node, Value } from '../types.js';
import { sizeOf } from '../types.js';
import { looksUpOwn } from './lookup.js';
import { afterOf, placeOf, type Placed } from './place.js';
import { joinsExamples, rules } from './rules.js';

/** A node in which numbers of different examples come together. */
export interface Mixing {
  readonly node: Node;
  /** True where it sums or normalises over the axis of the examples; false where they are only not known to stay apart. */
  readonly certain: boolean;
}

/**
 * The first node of a graph of so many examples, a number that no other extent is, in which they come together or are not known to stay
 * apart, such as a mean over the batch, attention among the examples, or targets [N] beside outputs [N, 1]; null where every example
 * stands for itself. Batch normalisation by the statistics of the chunk is not looked at. Constants that name places of examples are put into `explained`.
 */
export function mixingOf(graph: Graph, examples: number, explained?: Set<Value>): Mixing | null {
  /** Elements between the examples of each value that depends on them. */
  const after = new Map<number, number>();
  for (const { id, shape } of graph.inputs) {
    if (shape[0] === examples) after.set(id, sizeOf(shape.slice(1)));
  }
  for (const node of graph.nodes) {
    const known = node.inputs.map((value) => (value === null ? undefined : after.get(value.id)));
    if (known.every((each) => each === undefined)) continue;
    const placed = node.inputs.map((value, k): Placed | null => {
      const place = known[k] === undefined ? null : placeOf(value!.shape, known[k], examples);
      return place === null ? null : { value: value!, place };
    });
    const isLost = placed.some((own, k) => own === null && known[k] !== undefined);
    const situation = { node, placed, examples };
    if (!isLost && joinsExamples(situation)) return { node, certain: true };
    const own = !isLost && node.op === 'Gather' ? looksUpOwn(graph, node, placed, examples) : null;
    if (own !== null) {
      own.forEach((value) => explained?.add(value));
      after.set(node.outputs[0]!.id, afterOf(placed[1]!.value.shape, placed[1]!.place));
      continue;
    }
    const rule = isLost ? undefined : rules.get(node.op);
    if (rule === undefined) return { node, certain: false };
    // Further outputs of normalisations, which nothing but gradients reads.
    const outputs = node.op === 'Split' ? node.outputs : node.outputs.slice(0, 1);
    for (const output of outputs) {
      const found = rule(situation, output);
      if (found === null) return { node, certain: false };
      after.set(output.id, found);
    }
  }
  return null;
}
