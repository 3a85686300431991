import { gradientOperatorOf } from '../../../graph/activations/define.js';
import type { Graph, Node, Value } from '../../../graph/types.js';
import { hasSlope } from './activations.js';
import { withGates } from './gated.js';

/**
 * The engine's own form of pooling: `MaxPool` has a second output, the tap (uint8) that each maximum came from, and
 * `MaxPoolGrad` takes it instead of x and y, which then need not be kept. The node of the graph is remembered, because
 * shapes are derived from it.
 */
interface PoolNode extends Node {
  readonly behind: Node;
}

/** The graph's node that a pooling node stands for. */
export function poolBehind(node: Node): Node {
  return 'behind' in node ? (node as PoolNode).behind : node;
}

/** The tap output of a MaxPool, where something uses it. */
export function indexOf(node: Node): Value | null {
  return node.outputs[1] ?? null;
}

function withIndices(nodes: readonly Node[], nextId: number): Node[] {
  const pooled = new Set(nodes.filter((node) => node.op === 'MaxPoolGrad').map((node) => node.inputs[2]!.id));
  const indices = new Map<number, Value>();
  return nodes.map((node): PoolNode | Node => {
    if (node.op === 'MaxPool' && pooled.has(node.outputs[0]!.id)) {
      const [y] = node.outputs;
      const index: Value = { ...y!, id: nextId++, name: `${y!.name}/tap`, dtype: 'uint8' };
      indices.set(y!.id, index);
      return { ...node, outputs: [y!, index], behind: node };
    }
    const index = node.op === 'MaxPoolGrad' ? indices.get(node.inputs[2]!.id) : undefined;
    return index ? { ...node, inputs: [node.inputs[0]!, index], behind: node } : node;
  });
}

/**
 * A maximum of y = Relu(·) hands its gradient to an element that equals it, so masking by y after MaxPoolGrad is masking
 * by the maximum before it, on fewer elements and without y.
 */
function maskBeforePooling(nodes: readonly Node[]): Node[] {
  const producers = new Map(nodes.flatMap((node) => node.outputs.map((value) => [value.id, node] as const)));
  const uses = new Map<number, number>();
  for (const value of nodes.flatMap((node) => node.inputs)) {
    if (value !== null) uses.set(value.id, (uses.get(value.id) ?? 0) + 1);
  }
  const replaced = new Map<Node, Node[]>();
  for (const node of nodes) {
    if (node.op !== 'ReluGrad') continue;
    const [dx, y] = node.inputs as [Value, Value];
    const pool = producers.get(dx.id);
    if (pool?.op !== 'MaxPoolGrad' || pool.inputs[1] !== y || uses.get(dx.id) !== 1) continue;
    const [dy, , top] = pool.inputs as [Value, Value, Value];
    const masked: Value = { ...dy, id: dx.id, name: `${node.name}/masked` };
    replaced.set(pool, [{ ...node, inputs: [dy, top], outputs: [masked] }]);
    replaced.set(node, [{ ...pool, inputs: [masked, y, top], outputs: node.outputs }]);
  }
  return nodes.flatMap((node) => replaced.get(node) ?? [node]);
}

/**
 * An activation whose gradient is dy times a function of x has that slope as a second output: both are made in one pass, while x is at
 * hand, and the slope is kept instead of x.
 */
function withSlopes(nodes: readonly Node[], nextId: number): Node[] {
  const keyOf = ({ op, attributes }: Node, x: Value): string => JSON.stringify([op, attributes, x.id]);
  const gradients = new Set(nodes.flatMap((node) => (hasSlope(node) ? [keyOf(node, node.inputs[1]!)] : [])));
  const slopes = new Map<string, Value>();
  return nodes.map((node) => {
    if (hasSlope(node)) {
      const slope = slopes.get(keyOf(node, node.inputs[1]!));
      return slope ? { ...node, op: 'Mul', inputs: [node.inputs[0]!, slope], attributes: {} } : node;
    }
    const key = node.inputs[0] ? keyOf({ ...node, op: gradientOperatorOf(node.op) }, node.inputs[0]) : '';
    if (!gradients.has(key) || slopes.has(key)) return node;
    const [y] = node.outputs;
    const slope: Value = { ...y!, id: nextId++, name: `${y!.name}/slope` };
    slopes.set(key, slope);
    return { ...node, outputs: [y!, slope] };
  });
}

/** The same graph in the forms that are fastest here. */
export function simplify(graph: Graph): Graph {
  const ids = graph.nodes.flatMap((node) => node.outputs.map((value) => value.id));
  const nextId = Math.max(0, ...ids) + 1;
  const pooled = withIndices(maskBeforePooling(graph.nodes), nextId);
  const sloped = withSlopes(pooled, nextId + pooled.length);
  return { ...graph, nodes: withGates({ ...graph, nodes: sloped }, nextId + 2 * pooled.length) };
}
