import { GraphError } from '../errors.js';
import { operators } from './operators/index.js';
import type {
  Attributes,
  Constant,
  DType,
  Graph,
  Initializer,
  Node,
  Parameter,
  Shape,
  TensorData,
  Value,
} from './types.js';
import { sizeOf } from './types.js';

/** What a trainable tensor is to its network, and how it starts (see Parameter). */
export interface ParameterOptions {
  readonly layer: string;
  readonly neuronAxis: number | null;
  readonly initializer: Initializer;
}

/** Builds a graph node by node; each node's output types are inferred and checked when it is added. */
export class GraphBuilder {
  readonly #inputs: Value[] = [];
  readonly #parameters: Parameter[] = [];
  readonly #constants: Constant[] = [];
  readonly #nodes: Node[] = [];
  readonly #names = new Set<string>();
  /** Where to look for the next free suffix of a name. */
  readonly #suffixes = new Map<string, number>();
  #nextId = 0;

  constructor(readonly name: string) {}

  /** A builder that starts from all of `graph`; its values keep their identity. */
  static from(graph: Graph, name = graph.name): GraphBuilder {
    const builder = new GraphBuilder(name);
    builder.#inputs.push(...graph.inputs);
    builder.#parameters.push(...graph.parameters);
    builder.#constants.push(...graph.constants);
    builder.#nodes.push(...graph.nodes);
    for (const node of graph.nodes) builder.#names.add(node.name);
    for (const value of valuesOf(graph)) {
      builder.#names.add(value.name);
      builder.#nextId = Math.max(builder.#nextId, value.id + 1);
    }
    return builder;
  }

  /** Adds something that is fed at each run. Throws GraphError where the name is taken. */
  input(name: string, dtype: DType, shape: Shape): Value {
    const value = this.#value(name, dtype, shape);
    this.#inputs.push(value);
    return value;
  }

  /**
   * Adds a trainable float32 tensor; θ holds them in the order in which they are added. Throws GraphError
   * where the name is taken.
   */
  parameter(name: string, shape: Shape, options: ParameterOptions): Value {
    const value = this.#value(name, 'float32', shape);
    this.#parameters.push({ value, ...options });
    return value;
  }

  /**
   * Adds a constant of row-major `data` [...shape], by default a vector [n]. Throws GraphError where data and shape do not
   * fit.
   */
  constant(
    data: TensorData,
    shape: Shape = [data.length],
    dtype: DType = 'float32',
    name = 'constant',
  ): Value {
    if (data.length !== sizeOf(shape)) {
      throw new GraphError({
        given: `constant ${name} has ${data.length} numbers for shape [${shape.join(', ')}]`,
        expected: `${sizeOf(shape)} numbers`,
        remedy: 'give as many numbers as the shape has elements',
      });
    }
    const value = this.#value(this.#unused(name), dtype, shape);
    this.#constants.push({ value, data });
    return value;
  }

  /** Adds a constant of shape []. */
  scalar(number: number, dtype: DType = 'float32'): Value {
    return this.constant([number], [], dtype, 'scalar');
  }

  /** Adds a node and returns all its outputs. Throws GraphError where the operator is unknown, or inputs do not fit it. */
  add(
    op: string,
    inputs: readonly (Value | null)[],
    attributes: Attributes = {},
    name?: string,
  ): readonly Value[] {
    const nodeName = this.#unused(name ?? op);
    const operator = operators.get(op);
    if (operator === undefined) {
      throw new GraphError({
        given: `operator ${op} of node ${nodeName}`,
        expected: 'a supported operator (docs/OPERATORS.md lists them)',
        remedy: 'rewrite this part of the model with supported operators',
      });
    }
    const [min, max] = operator.arity;
    if (inputs.length < min || inputs.length > max) {
      throw new GraphError({
        given: `${op} node ${nodeName} with ${inputs.length} inputs`,
        expected: min === max ? `${min} inputs` : `${min} to ${max} inputs`,
        remedy: 'check how this node is connected',
      });
    }
    this.#names.add(nodeName);
    const types = operator.infer(inputs, attributes, nodeName);
    const outputs = types.map(({ dtype, shape }, k) =>
      this.#value(this.#unused(`${nodeName}:${k}`), dtype, shape),
    );
    this.#nodes.push({ op, name: nodeName, inputs, attributes, outputs });
    return outputs;
  }

  /** Adds a node and returns its first output. */
  apply(op: string, inputs: readonly (Value | null)[], attributes: Attributes = {}, name?: string): Value {
    return this.add(op, inputs, attributes, name)[0]!;
  }

  /** The graph so far, with these outputs. */
  build(outputs: readonly Value[]): Graph {
    return {
      name: this.name,
      inputs: [...this.#inputs],
      parameters: [...this.#parameters],
      constants: [...this.#constants],
      nodes: [...this.#nodes],
      outputs,
    };
  }

  #value(name: string, dtype: DType, shape: Shape): Value {
    if (this.#names.has(name)) {
      throw new GraphError({
        given: `a second value named ${name}`,
        expected: 'unique names within a graph',
        remedy: 'rename one of the two',
      });
    }
    this.#names.add(name);
    return { id: this.#nextId++, name, dtype, shape };
  }

  #unused(name: string): string {
    if (!this.#names.has(name)) return name;
    let suffix = this.#suffixes.get(name) ?? 1;
    while (this.#names.has(`${name}_${suffix}`)) suffix++;
    this.#suffixes.set(name, suffix);
    return `${name}_${suffix}`;
  }
}

/** Every value of a graph: inputs, parameters, constants, then node outputs in order. */
export function* valuesOf(graph: Graph): Generator<Value> {
  yield* graph.inputs;
  for (const parameter of graph.parameters) yield parameter.value;
  for (const constant of graph.constants) yield constant.value;
  for (const node of graph.nodes) yield* node.outputs;
}
