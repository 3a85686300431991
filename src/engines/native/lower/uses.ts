import type { Graph, Node, Value } from '../../../graph/types.js';

/** How often each value is used, as an input or an output of the graph. */
export function usesOf(graph: Graph): Map<number, number> {
  const uses = new Map<number, number>();
  const count = (value: Value | null): void => {
    if (value !== null) uses.set(value.id, (uses.get(value.id) ?? 0) + 1);
  };
  for (const node of graph.nodes) node.inputs.forEach(count);
  graph.outputs.forEach(count);
  return uses;
}

/** The nodes that read each value. */
export function consumersOf(graph: Graph): Map<number, Node[]> {
  const consumers = new Map<number, Node[]>();
  for (const node of graph.nodes) {
    for (const value of node.inputs) {
      if (value === null) continue;
      const known = consumers.get(value.id);
      if (known) known.push(node);
      else consumers.set(value.id, [node]);
    }
  }
  return consumers;
}
