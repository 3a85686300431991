import type { OnnxDType } from '../protobuf/dtypes.js';
import type { AttributeSpec, InitializerSpec, NodeSpec } from '../protobuf/encode.js';
import { tensorBytes } from '../protobuf/dtypes.js';
import type { Node, Shape, TensorData } from '../../graph/types.js';

/** Attributes of a standard node by name. */
export type EmittedAttributes = Readonly<Record<string, AttributeSpec>>;

/** ONNX operator set that lowerings are written for. */
export const opset = 21;

/**
 * Collects standard ONNX nodes. A node that was emitted before with the same inputs and attributes is not emitted again,
 * so that a gradient may recompute what its forward operator computed at no cost.
 */
export class Emitter {
  readonly nodes: NodeSpec[] = [];
  readonly initializers: InitializerSpec[] = [];
  readonly #known = new Map<string, readonly string[]>();
  #prefix = '';
  #count = 0;

  /** Names of the following nodes start with this: the graph's node that they belong to. */
  under(node: Node): void {
    this.#prefix = node.name;
  }

  /** Emits one node with one output; an omitted optional input is the empty string. */
  add(op: string, inputs: readonly string[], attributes: EmittedAttributes = {}): string {
    return this.addMany(op, inputs, attributes, 1)[0]!;
  }

  /** Emits one node with several outputs. */
  addMany(
    op: string,
    inputs: readonly string[],
    attributes: EmittedAttributes,
    outputs: number,
  ): readonly string[] {
    const key = JSON.stringify([op, inputs, attributes, outputs]);
    const known = this.#known.get(key);
    if (known) return known;
    // One count for all nodes: a prefix may come again, and a model's own names may look like ours.
    const name = `${this.#prefix}/${this.#count++}`;
    const names = Array.from({ length: outputs }, (_, k) => `${name}:${k}`);
    this.nodes.push({ op, name, inputs, outputs: names, attributes });
    this.#known.set(key, names);
    return names;
  }

  /** A constant tensor of numbers [...shape], row-major; the same numbers are stored once. */
  constant(dtype: OnnxDType, shape: Shape, data: TensorData): string {
    const bytes = tensorBytes(dtype, data);
    const key = data.length > 1024 ? null : `constant ${dtype} ${shape.join('x')} ${bytes.join(' ')}`;
    const known = key === null ? undefined : this.#known.get(key);
    if (known) return known[0]!;
    const name = `constant/${this.initializers.length}`;
    this.initializers.push({ name, dtype, shape, bytes });
    if (key !== null) this.#known.set(key, [name]);
    return name;
  }

  /** A scalar float32 number. */
  scalar(number: number): string {
    return this.constant('float32', [], [number]);
  }

  /** A vector of int64 numbers, as ONNX passes shapes and axes. */
  ints(numbers: readonly number[]): string {
    return this.constant('int64', [numbers.length], numbers);
  }
}
