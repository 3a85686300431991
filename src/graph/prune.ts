import type { Graph, Node, Value } from './types.js';

/** Nodes on a path to `outputs`, in order. */
export function nodesFor(graph: Graph, outputs: readonly Value[]): readonly Node[] {
  const needed = new Set(outputs.map((value) => value.id));
  const kept = graph.nodes.toReversed().filter((node) => {
    if (!node.outputs.some((value) => needed.has(value.id))) return false;
    for (const input of node.inputs) if (input !== null) needed.add(input.id);
    return true;
  });
  return kept.reverse();
}

/** Nodes whose outputs depend on a value, in order. */
export function nodesAfter(graph: Graph, value: Value): readonly Node[] {
  const reached = new Set([value.id]);
  return graph.nodes.filter((node) => {
    if (!node.inputs.some((input) => input !== null && reached.has(input.id))) return false;
    for (const output of node.outputs) reached.add(output.id);
    return true;
  });
}

/** The graph without the nodes and constants that its outputs do not need. Inputs and parameters stay. */
export function prune(graph: Graph): Graph {
  const nodes = nodesFor(graph, graph.outputs);
  const used = new Set([...graph.outputs, ...nodes.flatMap((node) => node.inputs)].map((value) => value?.id));
  return { ...graph, nodes, constants: graph.constants.filter(({ value }) => used.has(value.id)) };
}
