import { axesAttribute, intAttribute } from '../../graph/attributes.js';
import { dataTypeCode } from '../../onnx/protobuf/dtypes.js';
import type { Graph, Node, Value } from '../../graph/types.js';
import { sizeOf } from '../../graph/types.js';
import type { Emitter } from '../../onnx/standard/emitter.js';
import { exampleLosses, exampleWeights, isMean } from './lowering/softmax.js';

/*
 * The tail of a graph is what leads to its loss through single numbers only, back to and including the sums over examples.
 * It is computed in float64, because a float32 sum over many examples would cost the digits that a residual of 1e-6 needs;
 * what is summed stays float32.
 */

const sums = new Set(['ReduceSum', 'ReduceMean', 'SoftmaxCrossEntropyLoss']);
const reshapes = new Set(['Identity', 'Reshape', 'Squeeze', 'Unsqueeze']);
const arithmetic = new Set(['Add', 'Sub', 'Mul', 'Div', 'Neg']);

/** The nodes of the tail that ends in `loss`; empty where the loss is not such a sum. */
export function tailOf(graph: Graph, loss: Value): ReadonlySet<Node> {
  const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((value) => [value.id, node])));
  const tail = new Set<Node>();
  const visit = (value: Value | null): void => {
    const node = value === null ? undefined : producers.get(value.id);
    if (value?.dtype !== 'float32' || node === undefined || sizeOf(value.shape) !== 1) return;
    if (sums.has(node.op)) tail.add(node);
    if (tail.has(node) || !(reshapes.has(node.op) || arithmetic.has(node.op))) return;
    tail.add(node);
    node.inputs.forEach(visit);
  };
  visit(loss);
  return tail;
}

/** Nodes to compute in float32: all but those of the tail that only the tail reads. */
export function float32Nodes(graph: Graph, tail: ReadonlySet<Node>): ReadonlySet<Node> {
  const wanted = new Set(graph.outputs.slice(1).map((value) => value.id));
  const nodes = graph.nodes.toReversed().filter((node) => {
    const kept = !tail.has(node) || node.outputs.some((value) => wanted.has(value.id));
    if (kept || sums.has(node.op)) for (const value of node.inputs) if (value !== null) wanted.add(value.id);
    return kept;
  });
  return new Set(nodes);
}

const float64 = { to: dataTypeCode('float64') };

/** Emits the nodes of a tail, in their order. */
export class TailEmitter {
  readonly #wide = new Map<number, string>();

  /** `nameOf` gives the float32 tensor of a value that is not of the tail. */
  constructor(
    readonly emit: Emitter,
    readonly nameOf: (value: Value) => string,
    graph: Graph,
  ) {
    for (const { value, data } of graph.constants) {
      if (value.dtype === 'float32' && data.length === 1) {
        this.#wide.set(value.id, emit.constant('float64', value.shape, data));
      }
    }
  }

  /** The value as a float64 tensor. */
  wide(value: Value): string {
    return this.#wide.get(value.id) ?? this.emit.add('Cast', [this.nameOf(value)], float64);
  }

  lower(node: Node): void {
    this.#wide.set(node.outputs[0]!.id, this.#lowered(node));
  }

  #lowered(node: Node): string {
    if (node.op === 'SoftmaxCrossEntropyLoss') return this.#crossEntropy(node);
    if (sums.has(node.op)) return this.#reduction(node);
    const inputs = node.inputs.map((value) => this.wide(value!));
    if (!reshapes.has(node.op)) return this.emit.add(node.op, inputs);
    return this.emit.add('Reshape', [inputs[0]!, this.emit.ints(node.outputs[0]!.shape)]);
  }

  #sum(x: string): string {
    return this.emit.add('ReduceSum', [this.emit.add('Cast', [x], float64)], { keepdims: 0 });
  }

  #crossEntropy(node: Node): string {
    const inputs = node.inputs.map((value) => (value === null ? '' : this.nameOf(value)));
    const total = this.#sum(exampleLosses(this.emit, node, inputs));
    if (!isMean(node)) return total;
    return this.emit.add('Div', [total, this.#sum(exampleWeights(this.emit, node, inputs))]);
  }

  #reduction(node: Node): string {
    const axes = this.emit.ints(axesAttribute(node, node.inputs[0]!.shape.length));
    const keepdims = intAttribute(node, 'keepdims', 1);
    return this.emit.add(node.op, [this.wide(node.inputs[0]!), axes], { keepdims });
  }
}
