import { GraphError } from '../errors.js';
import { describeApplication } from '../graph/application.js';
import type { Graph, Node, Parameter, Value } from '../graph/types.js';
import { parameterCount, sizeOf } from '../graph/types.js';
import { encodeModel, type InitializerSpec, type NodeSpec, type PortSpec } from './protobuf/encode.js';
import { Emitter, opset } from './standard/emitter.js';
import { standardOperators } from './standard/index.js';
import { tensorBytes } from './protobuf/dtypes.js';

/**
 * A network as an ONNX file that any runtime can load: weights from θ [K] under the parameters' names, the first axis of
 * input and output symbolic (`batch`). Throws GraphError where the graph is no model: it has a loss or gradients.
 */
export function writeOnnx(graph: Graph, theta: Float64Array | Float32Array): Uint8Array {
  const emit = new Emitter();
  const names = namesOf(graph, emit);
  for (const node of graph.nodes) emitNode(emit, names, node);
  const outputs = graph.outputs.map((value, k) => ({ value, name: k === 0 ? 'output' : `output_${k}` }));
  const copies = outputs.map(({ value, name }) => copy(names.get(value.id)!, name));
  return encodeModel({
    name: graph.name,
    opset,
    inputs: graph.inputs.map((value) => portOf(value, value.name)),
    outputs: outputs.map(({ value, name }) => portOf(value, name)),
    initializers: [...weightsOf(graph.parameters, theta), ...emit.initializers],
    nodes: [...emit.nodes, ...copies],
  });
}

function namesOf(graph: Graph, emit: Emitter): Map<number, string> {
  const given = [...graph.inputs, ...graph.parameters.map((parameter) => parameter.value)];
  const names = new Map(given.map((value) => [value.id, value.name]));
  for (const { value, data } of graph.constants) {
    names.set(value.id, emit.constant(value.dtype, value.shape, data));
  }
  return names;
}

function emitNode(emit: Emitter, names: Map<number, string>, node: Node): void {
  const lowering = standardOperators.get(node.op);
  if (lowering === undefined) {
    throw new GraphError({
      given: describeApplication(node),
      expected: 'a network: the operators of a model, without loss and gradients',
      remedy: 'write the forward graph',
    });
  }
  emit.under(node);
  const inputs = node.inputs.map((value) => (value === null ? '' : names.get(value.id)!));
  const tensors = lowering(emit, node, inputs);
  node.outputs.forEach((value, k) => {
    const tensor = typeof tensors === 'string' ? (k === 0 ? tensors : undefined) : tensors[k];
    if (tensor !== undefined) names.set(value.id, tensor);
  });
}

function weightsOf(parameters: readonly Parameter[], theta: Float64Array | Float32Array): InitializerSpec[] {
  if (theta.length !== parameterCount(parameters)) {
    throw new GraphError({
      given: `a parameter vector of ${theta.length} numbers`,
      expected: `${parameterCount(parameters)} numbers`,
      remedy: 'give the parameters of this network',
    });
  }
  let start = 0;
  return parameters.map(({ value }) => {
    const end = start + sizeOf(value.shape);
    const bytes = tensorBytes('float32', theta.subarray(start, end));
    start = end;
    return { name: value.name, dtype: 'float32', shape: value.shape, bytes };
  });
}

function portOf({ dtype, shape }: Value, name: string): PortSpec {
  return { name, dtype, shape: ['batch', ...shape.slice(1)] };
}

function copy(from: string, to: string): NodeSpec {
  return { op: 'Identity', name: to, inputs: [from], outputs: [to], attributes: {} };
}
