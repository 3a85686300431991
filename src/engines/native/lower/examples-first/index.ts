import type { Graph, Node, Value } from '../../../../graph/types.js';
import type { Place } from './place.js';
import { Rewriting } from './rewriting.js';
import { ruleOf } from './rules.js';

/** Where an input has the examples; null for one without. */
function placeOfInput({ shape }: Value, examples: number): Place | null {
  return shape.length > 0 && shape[0]! % examples === 0 ? { axis: 0, outer: 1 } : null;
}

const readsExamples = (node: Node, rewriting: Rewriting): boolean =>
  node.inputs.some((value) => value !== null && rewriting.place(value) !== null);

/**
 * The same graph with the examples on axis 0 of everything that varies by example, however the model mixes them with tokens or moves
 * them to other axes. Nodes of which this is true already stay as they are. Throws EngineError where examples are torn apart or mixed.
 */
export function withExamplesFirst(graph: Graph): Graph {
  const rewriting = new Rewriting(graph);
  const inputs = graph.inputs.map((value) => {
    const place = placeOfInput(value, rewriting.examples);
    return place === null ? value : rewriting.settle(value, place);
  });
  for (const node of graph.nodes) {
    if (readsExamples(node, rewriting)) ruleOf(node)(node, rewriting);
    else rewriting.nodes.push(node);
  }
  const outputs = graph.outputs.map((value) => rewriting.canonical(value));
  const constants = [...graph.constants, ...rewriting.constants];
  return { ...graph, inputs, constants, nodes: rewriting.nodes, outputs };
}
