import { nodesFor } from '../../graph/prune.js';
import type { Graph, Node, Value } from '../../graph/types.js';
import { kernels } from './kernels/index.js';
import type { Tensor } from './tensor.js';
import { tensorOf } from './tensor.js';

/** For each node, the ids of the values that no later node reads and that are not to be kept. */
function lastUses(nodes: readonly Node[], kept: ReadonlySet<number>): Map<Node, number[]> {
  const last = new Map<number, Node>();
  for (const node of nodes) {
    for (const value of [...node.inputs, ...node.outputs]) if (value !== null) last.set(value.id, node);
  }
  const uses = new Map<Node, number[]>(nodes.map((node) => [node, []]));
  for (const [id, node] of last) if (!kept.has(id)) uses.get(node)!.push(id);
  return uses;
}

/**
 * Values of `outputs` where the graph's inputs and parameters are `bound`, by id. Only what they need is computed, and each
 * tensor is dropped after its last use.
 */
export function evaluate(
  graph: Graph,
  bound: ReadonlyMap<number, Tensor>,
  outputs: readonly Value[] = graph.outputs,
): Tensor[] {
  const tensors = new Map(bound);
  for (const { value, data } of graph.constants) tensors.set(value.id, tensorOf(value.shape, data));
  const nodes = nodesFor(graph, outputs);
  const drop = lastUses(nodes, new Set(outputs.map((value) => value.id)));
  for (const node of nodes) {
    const inputs = node.inputs.map((value) => (value === null ? undefined : tensors.get(value.id)!));
    const results = kernels.get(node.op)!(inputs, node);
    node.outputs.forEach((value, k) => tensors.set(value.id, results[k]!));
    for (const id of drop.get(node)!) tensors.delete(id);
  }
  return outputs.map((value) => tensors.get(value.id)!);
}
