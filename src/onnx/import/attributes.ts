import type { Attribute, Graph, Node, Tensor } from '../protobuf/onnx_pb.js';
import { Attribute_Type } from '../protobuf/onnx_pb.js';

/**
 * A float attribute as the shortest decimal that is stored as this float32: 0.00001 rather than 0.000009999999747, as the
 * author of the model wrote it.
 */
function shortestDecimal(stored: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const candidate = Number(stored.toPrecision(digits));
    if (Math.fround(candidate) === stored) return candidate;
  }
  return stored;
}

/** The attributes of one node by name, with ONNX's defaults at the place of use. */
export class NodeAttributes {
  readonly #attributes: ReadonlyMap<string, Attribute>;

  constructor(node: Node) {
    this.#attributes = new Map(node.attribute.map((attribute) => [attribute.name, attribute]));
  }

  /** Whether the attribute is given. */
  has(name: string): boolean {
    return this.#attributes.has(name);
  }

  /** An integer, or `otherwise` where the attribute is missing. */
  int(name: string, otherwise: number): number {
    const attribute = this.#attributes.get(name);
    return attribute === undefined ? otherwise : Number(attribute.i);
  }

  /** A float as its author wrote it, or `otherwise` where the attribute is missing. */
  float(name: string, otherwise: number): number {
    const attribute = this.#attributes.get(name);
    return attribute === undefined ? otherwise : shortestDecimal(attribute.f);
  }

  /** A string, or `otherwise` where the attribute is missing. */
  text(name: string, otherwise: string): string {
    return this.#attributes.get(name)?.s ?? otherwise;
  }

  /** Strings; none where the attribute is missing. */
  texts(name: string): readonly string[] {
    return this.#attributes.get(name)?.strings ?? [];
  }

  /** Undefined where the attribute is missing. */
  ints(name: string): number[] | undefined {
    return this.#attributes.get(name)?.ints.map(Number);
  }

  /** Floats as their author wrote them; undefined where the attribute is missing. */
  floats(name: string): number[] | undefined {
    return this.#attributes.get(name)?.floats.map(shortestDecimal);
  }

  /** A tensor; undefined where the attribute is missing. */
  tensor(name: string): Tensor | undefined {
    return this.#attributes.get(name)?.t;
  }

  /** A branch or body; undefined where the attribute is missing. */
  graph(name: string): Graph | undefined {
    return this.#attributes.get(name)?.g;
  }

  /** Whether any attribute holds a graph: control flow. */
  get hasGraph(): boolean {
    const graphs: readonly Attribute_Type[] = [Attribute_Type.GRAPH, Attribute_Type.GRAPHS];
    return [...this.#attributes.values()].some((attribute) => graphs.includes(attribute.type));
  }
}
