import type { Graph, Node, TensorData, Value } from '../../../graph/types.js';
import { sizeOf } from '../../../graph/types.js';

/*
 * A softmax over tokens before which a constant mask takes all later ones away has zeros above the diagonal, and so has its gradient.
 * What only they are made from need not be computed there, and products with them skip half of their terms.
 */

/** Scores below which a masked one adds nothing to a sum of exponentials. */
const MASKED = -1e4;

interface Neighbours {
  readonly producers: ReadonlyMap<number, Node>;
  readonly consumers: ReadonlyMap<number, readonly Node[]>;
  readonly constants: ReadonlyMap<number, TensorData>;
}

function neighboursOf(graph: Graph): Neighbours {
  const consumers = new Map<number, Node[]>();
  for (const node of graph.nodes) {
    for (const value of new Set(node.inputs)) {
      if (value !== null) consumers.set(value.id, [...(consumers.get(value.id) ?? []), node]);
    }
  }
  return {
    producers: new Map(graph.nodes.flatMap((node) => node.outputs.map((value) => [value.id, node] as const))),
    consumers,
    constants: new Map(graph.constants.map(({ value, data }) => [value.id, data])),
  };
}

/** What a constant mask [..., T, T] does to the score at row i, column k: takes it away, or leaves it. */
type Effect = (value: number) => 'masked' | 'kept' | 'other';

/** True where a mask takes away what lies above the diagonal of tokens, and nothing else. */
function isCausal(mask: Value, data: TensorData, tokens: number, effect: Effect): boolean {
  const [rows, columns] = mask.shape.slice(-2);
  if (rows !== tokens || columns !== tokens || sizeOf(mask.shape) !== tokens * tokens) return false;
  return Array.from(data as ArrayLike<number>).every((value, k) => {
    const isLater = k % tokens > Math.floor(k / tokens);
    return effect(Number(value)) === (isLater ? 'masked' : 'kept');
  });
}

const isMasking = (data: TensorData | undefined): boolean =>
  data !== undefined && data.length === 1 && Number(data[0]) <= MASKED;

/** The scores that a node masks causally; null for other nodes. */
function maskedBy(node: Node | undefined, tokens: number, { constants }: Neighbours): Value | null {
  if (node?.op === 'Where') {
    const [condition, yes, no] = node.inputs as [Value, Value, Value];
    const data = constants.get(condition.id);
    if (data === undefined) return null;
    const onTrue = isMasking(constants.get(yes.id));
    if (!onTrue && !isMasking(constants.get(no.id))) return null;
    const effect: Effect = (value) => ((value !== 0) === onTrue ? 'masked' : 'kept');
    return isCausal(condition, data, tokens, effect) ? (onTrue ? no : yes) : null;
  }
  if (node?.op !== 'Add') return null;
  const [a, b] = node.inputs as [Value, Value];
  const [scores, mask] = constants.has(a.id) ? [b, a] : [a, b];
  const data = constants.get(mask.id);
  const effect: Effect = (value) => (value <= MASKED ? 'masked' : value === 0 ? 'kept' : 'other');
  return data !== undefined && isCausal(mask, data, tokens, effect) ? scores : null;
}

/** Collects what changes of a graph's nodes. */
class Halving {
  readonly replaced = new Map<Node, Node>();
  /** Values with zeros above the diagonal of their last two axes. */
  readonly lower = new Set<number>();

  constructor(readonly near: Neighbours) {}

  /** The node as it is now. */
  now(node: Node): Node {
    return this.replaced.get(node) ?? node;
  }

  mark(node: Node, attributes: Node['attributes'], inputs = this.now(node).inputs): void {
    const known = this.now(node);
    this.replaced.set(node, { ...known, inputs, attributes: { ...known.attributes, ...attributes } });
  }

  #isAlone(value: Value): boolean {
    return this.near.consumers.get(value.id)?.length === 1;
  }

  /** The product, scaled or not, that only makes a value; what it computes above the diagonal nobody reads. */
  skipProduct(value: Value): void {
    if (!this.#isAlone(value)) return;
    const producer = this.near.producers.get(value.id);
    if (producer?.op === 'MatMul') this.mark(producer, { triangle: 'output' });
    else if (producer && this.#isScaling(producer)) this.skipProduct(producer.inputs[0]!);
  }

  /** Whether all a node does is to multiply by a number. */
  #isScaling({ op, inputs }: Node): boolean {
    const factor = inputs[1] ? this.near.constants.get(inputs[1].id) : undefined;
    return ['Mul', 'Div'].includes(op) && factor?.length === 1;
  }

  /** A softmax without its mask. */
  softmax(node: Node): void {
    const input = node.inputs[0]!;
    const tokens = input.shape.at(-1)!;
    const axis = node.attributes['axis'];
    if (input.shape.at(-2) !== tokens || !(axis === -1 || axis === input.shape.length - 1)) return;
    const scores = maskedBy(this.near.producers.get(input.id), tokens, this.near);
    if (scores === null || sizeOf(scores.shape) !== sizeOf(input.shape)) return;
    this.mark(node, { causal: 1 }, [scores]);
    this.lower.add(node.outputs[0]!.id);
    if (this.#isAlone(input)) this.skipProduct(scores);
  }

  gradient(node: Node): void {
    const [dy, y] = node.inputs as [Value, Value];
    if (!this.lower.has(y.id)) return;
    this.mark(node, { causal: 1 });
    this.lower.add(node.outputs[0]!.id);
    this.skipProduct(dy);
  }

  /** Zeros stay zeros; one that a mask puts there is there already. */
  elementwise(node: Node): void {
    const [first, second, third] = node.inputs;
    if (this.#isScaling(node) && this.lower.has(first!.id)) this.lower.add(node.outputs[0]!.id);
    if (node.op !== 'Where') return;
    for (const [value, other] of [[second, third] as const, [third, second] as const]) {
      const data = this.near.constants.get(other!.id);
      if (this.lower.has(value!.id) && data?.length === 1 && Number(data[0]) === 0)
        this.lower.add(node.outputs[0]!.id);
    }
  }

  product(node: Node): void {
    const [left, right] = node.inputs as [Value, Value];
    const producer = this.near.producers.get(left.id);
    if (this.lower.has(left.id)) this.mark(node, { triangle: 'left' });
    else if (producer?.op === 'Transpose' && this.lower.has(producer.inputs[0]!.id) && swapsLast(producer)) {
      this.mark(node, { triangle: 'leftTransposed' });
    } else if (this.lower.has(right.id)) this.mark(node, { triangle: 'right' });
  }
}

/** True where a transpose swaps the last two axes and no others. */
function swapsLast({ attributes, inputs }: Node): boolean {
  const rank = inputs[0]!.shape.length;
  const perm = attributes['perm'] as readonly number[] | undefined;
  return perm?.every((from, axis) => from === (axis < rank - 2 ? axis : 2 * rank - 3 - axis)) ?? false;
}

/** The graph with causal softmaxes marked (`causal`), and products that need half of their terms (`triangle`). */
export function skipMaskedHalves(graph: Graph): Graph {
  if (!graph.nodes.some(({ op }) => op === 'Softmax')) return graph;
  const halving = new Halving(neighboursOf(graph));
  for (const node of graph.nodes) {
    if (node.op === 'Softmax') halving.softmax(node);
    else if (node.op === 'SoftmaxGrad') halving.gradient(node);
    else if (node.op === 'MatMul') halving.product(node);
    else halving.elementwise(node);
  }
  return { ...graph, nodes: graph.nodes.map((node) => halving.now(node)) };
}
