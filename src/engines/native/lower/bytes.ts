import { intAttribute, numberAttribute } from '../../../graph/attributes.js';
import type { Graph, Node, Value } from '../../../graph/types.js';
import { consumersOf } from './uses.js';

/*
 * Bytes on a matrix unit: the images of a network are multiplied as the caller has them, and scaled afterwards.
 */

/** A value that is `of` times one number. */
interface Scaled {
  readonly of: Value;
  readonly factor: number;
}

const shapeOnly = new Set(['Flatten', 'Reshape']);

/**
 * Products of scaled whole numbers, such as the pixels of images, become products of the whole numbers, scaled afterwards: those are exact in
 * few bits, and 1/255 of them is not.
 */
export function withScalesBehind(graph: Graph): Graph {
  const numbers = new Map(graph.constants.flatMap(({ value, data }) => (data.length === 1 ? [[value.id, Number(data[0])] as const] : []))); // prettier-ignore
  const wholes = new Set(graph.inputs.filter(({ dtype }) => dtype === 'uint8').map(({ id }) => id));
  const scaled = new Map<number, Scaled>();
  let nextId = 1 + Math.max(0, ...graph.nodes.flatMap((node) => node.outputs.map(({ id }) => id)));
  const nodes = graph.nodes.flatMap((node): Node[] => {
    const [x] = node.inputs;
    const [y] = node.outputs as [Value];
    const isKept = node.op === 'Cast' || shapeOnly.has(node.op);
    if (isKept && x && wholes.has(x.id)) wholes.add(y.id);
    const own = scaledBy(node, wholes, numbers);
    if (own?.of.shape.join() === y.shape.join()) scaled.set(y.id, own);
    const before = x ? scaled.get(x.id) : undefined;
    if (before !== undefined && shapeOnly.has(node.op)) {
      const unscaled: Value = { ...y, id: nextId++, name: `${y.name}/unscaled` };
      scaled.set(y.id, { of: unscaled, factor: before.factor });
      return [node, { ...node, inputs: [before.of, ...node.inputs.slice(1)], outputs: [unscaled] }];
    }
    return [node.op === 'Gemm' ? withoutScales(node, scaled) : node];
  });
  return { ...graph, nodes: withoutUnused(nodes, graph.outputs) };
}

/** Nodes that the outputs depend on. */
function withoutUnused(nodes: readonly Node[], outputs: readonly Value[]): Node[] {
  const used = new Set(outputs.map(({ id }) => id));
  const kept = [...nodes].reverse().filter((node) => {
    if (!node.outputs.some((value) => value && used.has(value.id))) return false;
    for (const value of node.inputs) if (value !== null) used.add(value.id);
    return true;
  });
  return kept.reverse();
}

/** What a node scales by one number, where that is whole numbers. */
function scaledBy(
  { op, inputs }: Node,
  wholes: ReadonlySet<number>,
  numbers: ReadonlyMap<number, number>,
): Scaled | null {
  if (op !== 'Mul' && op !== 'Div') return null;
  const [a, b] = inputs as [Value, Value];
  const [of, number] = op === 'Mul' && wholes.has(b.id) ? [b, numbers.get(a.id)] : [a, numbers.get(b.id)];
  if (number === undefined || !wholes.has(of.id)) return null;
  return { of, factor: op === 'Mul' ? number : 1 / number };
}

function withoutScales(node: Node, scaled: ReadonlyMap<number, Scaled>): Node {
  const [a, b, ...addend] = node.inputs as [Value, Value, ...Value[]];
  const [left, right] = [scaled.get(a.id), scaled.get(b.id)];
  if (left === undefined && right === undefined) return node;
  const alpha = numberAttribute(node, 'alpha', 1) * (left?.factor ?? 1) * (right?.factor ?? 1);
  return {
    ...node,
    inputs: [left?.of ?? a, right?.of ?? b, ...addend],
    attributes: { ...node.attributes, alpha },
  };
}

/**
 * Values that are fed bytes as they are, and that nothing reads but layers and their gradients of weights: kernels of a matrix unit take them
 * from where the caller has them.
 */
export function bytesOf(graph: Graph): ReadonlySet<number> {
  const examples = graph.inputs[0]!.shape[0]!;
  const consumers = consumersOf(graph);
  const outputs = new Set(graph.outputs.map(({ id }) => id));
  const parameters = new Set(graph.parameters.map(({ value }) => value.id));
  const taken = new Set<number>();
  const isTaken = (value: Value): boolean =>
    value.shape[0] === examples &&
    !outputs.has(value.id) &&
    (consumers.get(value.id) ?? []).every((node) =>
      node.op === 'Cast' || shapeOnly.has(node.op) ? takes(node) : multiplies(node, value, parameters),
    );
  const takes = (node: Node): boolean => {
    const [y] = node.outputs as [Value];
    const isFloat = node.op !== 'Cast' || y.dtype === 'float32';
    if (!isFloat || !isTaken(y)) return false;
    taken.add(y.id);
    return true;
  };
  const all = new Set<number>();
  for (const input of graph.inputs) {
    taken.clear();
    if (input.dtype !== 'uint8' || !isTaken(input)) continue;
    for (const id of taken) all.add(id);
  }
  return all;
}

/** True for a layer of examples [N, columns], and for its gradient of weights, that read a value as examples. */
function multiplies(node: Node, value: Value, parameters: ReadonlySet<number>): boolean {
  if (node.op !== 'Gemm' || value.shape.length !== 2) return false;
  const [a, b] = node.inputs as [Value, Value];
  const [isTransposedA, isTransposedB] = ['transA', 'transB'].map(
    (name) => intAttribute(node, name, 0) === 1,
  );
  if (!isTransposedA) return value === a && value !== b && parameters.has(b.id);
  return !isTransposedB && a !== b && node.inputs.length === 2;
}
