import { GraphBuilder } from './builder.js';
import { prune } from './prune.js';
import type { Graph, Node, Value } from './types.js';

/** What the numbers of a network's output are. */
export const outputKinds = ['logits', 'probabilities', 'logProbabilities'] as const;
export type OutputKind = (typeof outputKinds)[number];

/** How a network ends: the activation that makes its output, and what that is applied to. */
export interface Ending {
  readonly op: 'Softmax' | 'LogSoftmax' | 'Sigmoid';
  readonly node: Node;
  /** What the activation is applied to, in the output's shape. */
  readonly logits: (builder: GraphBuilder) => Value;
}

const withoutOnes = (shape: readonly number[]): number[] => shape.filter((extent) => extent !== 1);

/** Operators that leave all numbers as they are and in order. */
const passing = new Set(['Identity', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten']);

/**
 * The activation that a network ends in, also behind operators that only change the shape; null where it ends in none. A softmax
 * counts where it is taken over `classAxis` of the output.
 */
export function endingOf(graph: Graph, classAxis = 1): Ending | null {
  const [output] = graph.outputs;
  const producers = new Map(
    graph.nodes.flatMap((node) => node.outputs.map((value) => [value.id, node] as const)),
  );
  for (let value = output!; ;) {
    const node = producers.get(value.id);
    const input = node?.inputs[0];
    if (node === undefined || !input) return null;
    if (passing.has(node.op)) {
      value = input;
      continue;
    }
    const { op } = node;
    if (op !== 'Softmax' && op !== 'LogSoftmax' && op !== 'Sigmoid') return null;
    if (op !== 'Sigmoid' && !isOverClasses(node, input, output!, classAxis)) return null;
    return { op, node, logits: (builder) => reshaped(builder, input, output!.shape) };
  }
}

/**
 * The node by which a network that ends in no activation may make probabilities all the same: a division by what the network computes, an exponential,
 * or bounds around an activation; null where there is none.
 */
export function doubtfulEnding(graph: Graph): Node | null {
  const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((value) => [value.id, node] as const)));
  const computed = dependentOn(graph);
  let bounded: Node | null = null;
  for (let value = graph.outputs[0]!; ; ) {
    const node = producers.get(value.id);
    if (node === undefined) return null;
    const { op, inputs } = node;
    const isComputed = inputs[1] != null && computed.has(inputs[1].id);
    if (op === 'Exp' || (op === 'Div' && isComputed)) return node;
    if (activations.has(op)) return bounded;
    const isBound = bounds.has(op) && !isComputed;
    if (!isBound && !passing.has(op) && op !== 'Transpose' && op !== 'Div') return null;
    if (isBound) bounded = node;
    value = inputs[0]!;
  }
} // prettier-ignore

/** Ids of the values that the inputs of a graph make a difference to. */
function dependentOn({ inputs, nodes }: Graph): Set<number> {
  const dependent = new Set(inputs.map(({ id }) => id));
  for (const node of nodes) {
    if (node.inputs.some((input) => input !== null && dependent.has(input.id)))
      for (const output of node.outputs) dependent.add(output.id);
  }
  return dependent;
}

const activations = new Set(['Softmax', 'LogSoftmax', 'Sigmoid']);
const bounds = new Set(['Clip', 'Min', 'Max']);

/** Whether a softmax is taken over the extent that becomes the output's classes: all other extents stay, up to ones. */
function isOverClasses({ attributes }: Node, input: Value, output: Value, classAxis: number): boolean {
  const axis =
    ((attributes['axis'] as number | undefined) ?? -1) +
    (Number(attributes['axis'] ?? -1) < 0 ? input.shape.length : 0);
  const others = input.shape.filter((_, k) => k !== axis);
  const outputOthers = output.shape.filter((_, k) => k !== classAxis);
  const before = (shape: readonly number[], k: number): string => withoutOnes(shape.slice(0, k)).join();
  return (
    input.shape[axis] === output.shape[classAxis] &&
    withoutOnes(others).join() === withoutOnes(outputOthers).join() &&
    before(input.shape, axis) === before(output.shape, classAxis)
  );
}

function reshaped(builder: GraphBuilder, value: Value, shape: readonly number[]): Value {
  return value.shape.join() === shape.join()
    ? value
    : builder.apply('Reshape', [value], { shape: [...shape] });
}

/** The network up to the logits of the activation that it ends in. */
export function withoutEnding(graph: Graph, ending: Ending): Graph {
  const builder = GraphBuilder.from(graph);
  const logits = ending.logits(builder);
  return prune(builder.build([logits]));
}

/** The network with log p in place of p, or with log p − log(1 − p): what takes probabilities as logits. */
export function withLogarithm(graph: Graph, kind: 'log' | 'logOdds'): Graph {
  const builder = GraphBuilder.from(graph);
  const [output] = graph.outputs as readonly [Value];
  const log = builder.apply('Log', [output]);
  if (kind === 'log') return builder.build([log]);
  const rest = builder.apply('Sub', [builder.scalar(1), output]);
  return builder.build([builder.apply('Sub', [log, builder.apply('Log', [rest])])]);
}
