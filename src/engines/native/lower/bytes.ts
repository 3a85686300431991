import { intAttribute, numberAttribute } from '../../../graph/attributes.js';
import { prune } from '../../../graph/prune.js';
import type { Attributes, Constant, Graph, Node, Shape, Value } from '../../../graph/types.js';
import { consumersOf } from './uses.js';

/*
 * Bytes on a matrix unit: the images of a network are multiplied as the caller has them, and scaled afterwards.
 */

/** A value that is `factor` times `of`, plus `offset`. */
interface Scaled {
  readonly of: Value;
  readonly factor: number;
  readonly offset: number;
}

const shapeOnly = new Set(['Flatten', 'Reshape']);

/**
 * Products of scaled or standardised whole numbers, such as the pixels of images, become products of the whole numbers, scaled afterwards: those
 * are exact in few bits, and 1/255 of them is not. What was added to each becomes a multiple of the sums of what it was multiplied with.
 */
export function withScalesBehind(graph: Graph): Graph {
  const rewriting = new Rewriting(graph);
  const nodes = graph.nodes.flatMap((node) => rewriting.rewrite(node));
  const constants = [...graph.constants, ...rewriting.constants];
  return prune({ ...graph, constants, nodes });
}

class Rewriting {
  readonly constants: Constant[] = [];
  readonly #numbers: ReadonlyMap<number, number>;
  readonly #wholes: Set<number>;
  readonly #scaled = new Map<number, Scaled>();
  #nextId: number;

  constructor({ nodes, inputs, constants }: Graph) {
    this.#numbers = new Map(constants.flatMap(({ value, data }) => (data.length === 1 ? [[value.id, Number(data[0])] as const] : []))); // prettier-ignore
    this.#wholes = new Set(inputs.filter(({ dtype }) => dtype === 'uint8').map(({ id }) => id));
    const ids = [...inputs, ...constants.map(({ value }) => value), ...nodes.flatMap(({ outputs }) => outputs)].map(({ id }) => id); // prettier-ignore
    this.#nextId = 1 + ids.reduce((most, id) => Math.max(most, id), 0);
  }

  /** The node, and what stands for it or goes along with it. */
  rewrite(node: Node): Node[] {
    const [x] = node.inputs;
    const [y] = node.outputs as [Value];
    if (x && this.#wholes.has(x.id) && (node.op === 'Cast' || shapeOnly.has(node.op))) {
      this.#wholes.add(y.id);
      return [node];
    }
    const own = this.#scaledBy(node);
    if (own !== null) {
      if (own.of.shape.join() === y.shape.join()) this.#scaled.set(y.id, own);
      return [node];
    }
    const before = x ? this.#scaled.get(x.id) : undefined;
    if (before !== undefined && shapeOnly.has(node.op)) {
      const unscaled = this.#value(`${y.name}/unscaled`, y.shape);
      this.#scaled.set(y.id, { ...before, of: unscaled });
      return [node, { ...node, inputs: [before.of, ...node.inputs.slice(1)], outputs: [unscaled] }];
    }
    return node.op === 'Gemm' ? this.#unscaled(node) : [node];
  }

  #value(name: string, shape: Shape): Value {
    return { id: this.#nextId++, name, dtype: 'float32', shape };
  }

  #constant(number: number): Value {
    const value = this.#value(`number ${number}`, []);
    this.constants.push({ value, data: Float64Array.of(number) });
    return value;
  }

  /** What a node makes of whole numbers by one number, and by those that nodes before it had. */
  #scaledBy({ op, inputs }: Node): Scaled | null {
    const [a, b] = inputs as [Value, Value | undefined];
    const scaledOf = ({ id }: Value): Scaled | undefined => this.#scaled.get(id);
    const known = (value: Value): Scaled | undefined =>
      this.#wholes.has(value.id) ? { of: value, factor: 1, offset: 0 } : scaledOf(value);
    if (!b) return null;
    const isEither = op === 'Mul' || op === 'Add';
    const [of, number] = isEither && known(b) ? [known(b), this.#numbers.get(a.id)] : [known(a), this.#numbers.get(b.id)]; // prettier-ignore
    if (of === undefined || number === undefined) return null;
    if (op === 'Mul') return { of: of.of, factor: of.factor * number, offset: of.offset * number };
    if (op === 'Div') return { of: of.of, factor: of.factor / number, offset: of.offset / number };
    if (op === 'Add') return { ...of, offset: of.offset + number };
    return op === 'Sub' ? { ...of, offset: of.offset - number } : null;
  }

  /** A product of what is not scaled, with what scaling adds to it. */
  #unscaled(node: Node): Node[] {
    const [a, b] = node.inputs as [Value, Value];
    const [left, right] = [this.#scaled.get(a.id), this.#scaled.get(b.id)];
    const scaled = left ?? right;
    if (scaled === undefined || (left !== undefined && right !== undefined)) return [node];
    const alpha = numberAttribute(node, 'alpha', 1);
    const inputs = [left?.of ?? a, right?.of ?? b, ...node.inputs.slice(2)];
    const whole: Node = { ...node, inputs, attributes: { ...node.attributes, alpha: alpha * scaled.factor } };
    if (scaled.offset === 0) return [whole];
    const offset = this.#constant(alpha * scaled.offset);
    if (intAttribute(node, 'transA', 0) === 1) return this.#withSums(whole, left ? b : a, offset);
    const isOfLayer = !inputs[2] || inputs[2].shape.length < 2 || inputs[2].shape[0] === 1;
    return left === undefined || !isOfLayer ? [node] : this.#withAddend(whole, offset);
  }

  /** Adds multiples of the sums of a layer's weights. */
  #withAddend(node: Node, offset: Value): Node[] {
    const [x, weight, bias] = node.inputs as [Value, Value, Value | null | undefined];
    const rows = node.outputs[0]!.shape.slice(1);
    const axis = intAttribute(node, 'transB', 0);
    const sums = this.#sum(weight, axis, 0, rows);
    const scaled = this.#apply('Mul', [sums.outputs[0]!, offset], rows);
    const [addend] = scaled.outputs as [Value];
    if (!bias) return [sums, scaled, { ...node, inputs: [x, weight, addend] }];
    const beta = this.#constant(numberAttribute(node, 'beta', 1));
    const own = this.#apply('Mul', [bias, beta], bias.shape);
    const all = this.#apply('Add', [addend, own.outputs[0]!], bias.shape.length === 2 ? bias.shape : rows);
    const attributes = { ...node.attributes, beta: 1 };
    return [sums, scaled, own, all, { ...node, inputs: [x, weight, all.outputs[0]!], attributes }];
  }

  /** Adds multiples of the sums over the examples to a gradient of weights: the same in each of its columns, or of its rows. */
  #withSums(node: Node, others: Value, offset: Value): Node[] {
    const [y] = node.outputs as [Value];
    const width = others.shape[1]!;
    const product = { ...node, outputs: [this.#value(`${y.name}/unscaled`, y.shape)] };
    const sums = this.#sum(others, 0, 1, [1, width]);
    const scaled = this.#apply('Mul', [sums.outputs[0]!, offset], [1, width]);
    const isColumn = node.inputs[0] === others;
    const turned = this.#apply('Transpose', [scaled.outputs[0]!], [width, 1], { perm: [1, 0] });
    const [column] = (isColumn ? turned : scaled).outputs;
    const all = this.#apply('Add', [product.outputs[0]!, column!], y.shape);
    return [product, sums, scaled, ...(isColumn ? [turned] : []), { ...all, outputs: [y] }];
  }

  #sum(value: Value, axis: number, keepdims: 0 | 1, shape: Shape): Node {
    return this.#apply('ReduceSum', [value], shape, { axes: [axis], keepdims });
  }

  #apply(op: string, inputs: readonly Value[], shape: Shape, attributes: Attributes = {}): Node {
    const name = `unscaled/${this.#nextId}`;
    return { name, op, inputs, outputs: [this.#value(name, shape)], attributes };
  }
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
