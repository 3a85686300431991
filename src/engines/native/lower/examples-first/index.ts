import { EngineError } from '../../../../errors.js';
import type { Graph, Node, Value } from '../../../../graph/types.js';
import type { Place } from './place.js';
import { aligned } from './place.js';
import { Rewriting } from './rewriting.js';
import { ruleOf } from './rules.js';

/** Where an input has the examples; null for one without. */
function placeOfInput({ shape }: Value, examples: number): Place | null {
  return shape.length > 0 && shape[0]! % examples === 0 ? { axis: 0, outer: 1 } : null;
}

const readsExamples = (node: Node, rewriting: Rewriting): boolean =>
  node.inputs.some((value) => value !== null && rewriting.place(value) !== null);

/**
 * Applies a rule. A single example may be on any axis of extent 1, of which a reshape takes the first; where the rule refuses that, it is
 * tried with the example on each of the others.
 */
function applyRule(node: Node, rewriting: Rewriting): void {
  const rule = ruleOf(node);
  if (rewriting.examples > 1) {
    rule(node, rewriting);
    return;
  }
  const goBack = rewriting.bookmark(node);
  try {
    rule(node, rewriting);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    const rank = Math.max(...[...node.inputs, ...node.outputs].map((value) => value?.shape.length ?? 0));
    for (let axis = 0; axis < rank; axis++) {
      goBack();
      if (isAccepted(node, { axis, outer: 1 }, rank, rewriting)) return;
    }
    throw error;
  }
}

/** True where the rule takes the only example on an axis, counted as `rank` axes have it; all inputs with examples are seen with it there. */
function isAccepted(node: Node, place: Place, rank: number, rewriting: Rewriting): boolean {
  const varying = node.inputs.flatMap((value) => (value && rewriting.place(value) ? [value] : []));
  const isMoved = varying.every((value) =>
    rewriting.moved(node, value, aligned(place, rank, value.shape.length)),
  );
  if (!isMoved) return false;
  try {
    ruleOf(node)(node, rewriting);
    return true;
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return false;
  }
}

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
    if (readsExamples(node, rewriting)) applyRule(node, rewriting);
    else rewriting.nodes.push(node);
  }
  const outputs = graph.outputs.map((value) => rewriting.canonical(value));
  const constants = [...graph.constants, ...rewriting.constants];
  return { ...graph, inputs, constants, nodes: rewriting.nodes, outputs };
}
