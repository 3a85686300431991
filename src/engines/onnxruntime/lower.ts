import { EngineError } from '../../errors.js';
import { describeApplication } from '../../graph/application.js';
import type { ModelSpec, TensorSpec } from '../../onnx/protobuf/encode.js';
import { prune } from '../../graph/prune.js';
import type { Graph, Node, Value } from '../../graph/types.js';
import { Emitter, opset } from '../../onnx/standard/emitter.js';
import { lowerings } from './lowering/index.js';
import { float32Nodes, TailEmitter, tailOf } from './tail.js';

/** A graph in standard ONNX. Its outputs are the graph's, in order; the first, the loss, is float64. */
export interface LoweredModel {
  readonly model: ModelSpec;
  /** Inputs and parameters that the model reads, by the name of its tensor. */
  readonly inputs: ReadonlyMap<string, Value>;
  readonly outputs: readonly TensorSpec[];
}

/** Lowers all that the graph's outputs need. Throws EngineError with operator and node where there is no lowering. */
export function lowerToOnnx(whole: Graph): LoweredModel {
  const graph = prune(whole);
  const lowering = new GraphLowering(graph);
  const [loss, ...gradients] = graph.outputs as readonly [Value, ...Value[]];
  const tail = tailOf(graph, loss);
  const narrow = float32Nodes(graph, tail);
  const tailEmitter = new TailEmitter(lowering.emit, lowering.nameOf, graph);
  for (const node of graph.nodes) {
    lowering.emit.under(node);
    if (narrow.has(node)) lowering.lower(node);
    if (tail.has(node)) tailEmitter.lower(node);
  }
  return assemble(graph, lowering, [tailEmitter.wide(loss), ...gradients.map(lowering.nameOf)]);
}

class GraphLowering {
  readonly emit = new Emitter();
  readonly inputs: ReadonlyMap<string, Value>;
  readonly #names = new Map<number, string>();

  constructor(graph: Graph) {
    const inputs = [...graph.inputs, ...graph.parameters.map((parameter) => parameter.value)];
    this.inputs = new Map(inputs.map((value) => [inputName(value), value]));
    for (const value of inputs) this.#names.set(value.id, inputName(value));
    for (const { value, data } of graph.constants) {
      this.#names.set(value.id, this.emit.constant(value.dtype, value.shape, data));
    }
  }

  /** Name of the tensor of a value that has been lowered. */
  readonly nameOf = (value: Value): string => this.#names.get(value.id)!;

  lower(node: Node): void {
    const lowering = lowerings.get(node.op);
    if (lowering === undefined) throw notLowered(node);
    const inputs = node.inputs.map((value) => (value === null ? '' : this.nameOf(value)));
    const names = lowering(this.emit, node, inputs);
    node.outputs.forEach((value, k) => {
      this.#names.set(value.id, typeof names === 'string' ? names : names[k]!);
    });
  }
}

/** Name of an input's tensor; no emitted tensor's name ends like this. */
function inputName(value: Value): string {
  return `${value.name}/input`;
}

/** Name of the model's k-th output: the loss, then the gradients; no emitted node or tensor is named like this. */
export function outputName(k: number): string {
  return `${k}/output`;
}

function notLowered(node: Node): EngineError {
  return new EngineError({
    given: `${describeApplication(node)} on engine onnxruntime`,
    expected: 'an operator that this engine can run',
    remedy: 'use the reference engine, or rewrite this part of the model',
  });
}

/** The model whose outputs are copies of `tensors`: two of them may be the same tensor, or an input, or a constant. */
function assemble(graph: Graph, { emit, inputs }: GraphLowering, tensors: readonly string[]): LoweredModel {
  const copies = tensors.map((tensor, k) => ({
    op: 'Identity',
    name: outputName(k),
    inputs: [tensor],
    outputs: [outputName(k)],
    attributes: {},
  }));
  const nodes = [...emit.nodes, ...copies];
  const read = new Set(nodes.flatMap((node) => node.inputs));
  const used = [...inputs].filter(([name]) => read.has(name));
  const outputs: TensorSpec[] = graph.outputs.map(({ dtype, shape }, k) => ({
    name: outputName(k),
    dtype: k === 0 ? 'float64' : dtype,
    shape,
  }));
  const model: ModelSpec = {
    name: graph.name,
    opset,
    inputs: used.map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
    outputs,
    initializers: emit.initializers.filter(({ name }) => read.has(name)),
    nodes,
  };
  return { model, inputs: new Map(used), outputs };
}
