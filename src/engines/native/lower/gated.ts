import type { Graph, Node, Value } from '../../../graph/types.js';
import { consumersOf, usesOf } from './uses.js';

/** x · sigmoid(x), and its gradient as the rules of autodiff write it. */
interface Gate {
  readonly x: Value;
  readonly dy: Value;
  /** Where it is made, and where its gradient is complete. */
  readonly product: Node;
  readonly sum: Node;
  /** What is not needed any more. */
  readonly others: readonly Node[];
}

/** The other operand of a product with `value`; null where it is none. */
function otherFactor(node: Node | undefined, value: Value): Value | null {
  if (node?.op !== 'Mul') return null;
  const [a, b] = node.inputs as [Value, Value];
  if (a.id === value.id) return b;
  return b.id === value.id ? a : null;
}

/** Finds dy · σ + σ'(dy · x) where σ = sigmoid(x) serves x · σ besides, and nothing else wants the parts. */
function gateOf(
  sum: Node,
  producers: ReadonlyMap<number, Node>,
  consumers: ReadonlyMap<number, readonly Node[]>,
  uses: ReadonlyMap<number, number>,
): Gate | null {
  const isAlone = ({ outputs }: Node): boolean => uses.get(outputs[0]!.id) === 1;
  const parts = sum.inputs.map((value) => producers.get(value!.id));
  for (const [direct, slanted] of [parts, parts.toReversed()]) {
    if (direct === undefined || slanted?.op !== 'SigmoidGrad') continue;
    const [scaled, sigmoid] = slanted.inputs as [Value, Value];
    const [maker, scaling] = [producers.get(sigmoid.id), producers.get(scaled.id)];
    const dy = otherFactor(direct, sigmoid);
    if (dy === null || maker?.op !== 'Sigmoid' || uses.get(sigmoid.id) !== 3) continue;
    const x = maker.inputs[0]!;
    if (otherFactor(scaling, x)?.id !== dy.id) continue;
    const product = consumers.get(sigmoid.id)!.find((node) => otherFactor(node, sigmoid)?.id === x.id);
    const others = [maker, direct, slanted, scaling!];
    if (product !== undefined && others.slice(1).every(isAlone)) return { x, dy, product, sum, others };
  }
  return null;
}

/**
 * The engine's own operator `Silu`: x · sigmoid(x), as a gated layer has it, with its slope as a second output, so that both are made where x
 * is and neither x nor the sigmoid is kept. Ids of new values count from `nextId`.
 */
export function withGates(graph: Graph, nextId: number): Node[] {
  const producers = new Map(
    graph.nodes.flatMap((node) => node.outputs.map((value) => [value.id, node] as const)),
  );
  const [consumers, uses] = [consumersOf(graph), usesOf(graph)];
  const replaced = new Map<Node, Node | null>();
  for (const node of graph.nodes) {
    const gate = node.op === 'Add' ? gateOf(node, producers, consumers, uses) : null;
    if (gate === null) continue;
    const { x, dy, product, sum, others } = gate;
    const [y] = product.outputs;
    const slope: Value = { ...y!, id: nextId++, name: `${y!.name}/slope` };
    replaced.set(product, { ...product, op: 'Silu', inputs: [x], outputs: [y!, slope] });
    replaced.set(sum, { ...sum, op: 'Mul', inputs: [dy, slope] });
    for (const other of others) replaced.set(other, null);
  }
  return graph.nodes.flatMap((node) => {
    const other = replaced.get(node);
    return other === undefined ? [node] : (other ?? []);
  });
}
