import type { EngineError } from '../../../../errors.js';
import type { Attributes, Constant, Graph, Node, Shape, TensorData, Value } from '../../../../graph/types.js';
import { sizeOf } from '../../../../graph/types.js';
import { sameShape } from '../../../../graph/shapes.js';
import { unsupported } from '../unsupported.js';
import type { Place } from './place.js';
import { aligned, canonicalShape, isFirst, separated } from './place.js';

/** The state of giving a graph's values the examples on axis 0. */
export class Rewriting {
  readonly nodes: Node[] = [];
  readonly constants: Constant[] = [];
  /** N: examples of the chunk. */
  readonly examples: number;
  readonly #places = new Map<number, Place>();
  readonly #canonical = new Map<number, Value>();
  readonly #postponed = new Map<number, EngineError>();
  readonly #producers: ReadonlyMap<number, Node>;
  readonly #data: ReadonlyMap<number, TensorData>;
  #nextId: number;

  constructor(readonly graph: Graph) {
    this.examples = graph.inputs[0]!.shape[0]!;
    this.#producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((value) => [value.id, node])));
    this.#data = new Map(graph.constants.map(({ value, data }) => [value.id, data]));
    const values = [...graph.inputs, ...graph.parameters.map(({ value }) => value)];
    for (const { value } of graph.constants) values.push(value);
    for (const node of graph.nodes) values.push(...node.outputs);
    this.#nextId = values.reduce((most, { id }) => Math.max(most, id), 0) + 1;
  }

  /** Null for what does not vary by example. */
  place(value: Value): Place | null {
    return this.#places.get(value.id) ?? null;
  }

  /** The node that makes a value; null for inputs, parameters and constants. */
  producer(value: Value): Node | null {
    return this.#producers.get(value.id) ?? null;
  }

  /** The numbers [elements] of a constant; null for other values. */
  data(value: Value): TensorData | null {
    return this.#data.get(value.id) ?? null;
  }

  /** The value as it is worked on. Throws what was found wrong with it, if it was postponed. */
  canonical(value: Value): Value {
    const error = this.#postponed.get(value.id);
    if (error !== undefined) throw error;
    return this.#canonical.get(value.id) ?? value;
  }

  /** A value that nothing may work on, with the reason; its place is known. */
  postpone(value: Value, place: Place, error: EngineError): void {
    this.#places.set(value.id, place);
    this.#postponed.set(value.id, error);
  }

  /** What puts everything back as it is now that a node's rule may change: what it writes, and how its inputs are seen. */
  bookmark(node: Node): () => void {
    const [nodes, constants] = [this.nodes.length, this.constants.length];
    const maps: readonly Map<number, unknown>[] = [this.#places, this.#canonical, this.#postponed];
    const values = [...node.inputs, ...node.outputs].flatMap((value) => (value ? [value.id] : []));
    const known = maps.map((map) => values.map((id) => [id, map.get(id)] as const));
    return () => {
      [this.nodes.length, this.constants.length] = [nodes, constants];
      for (const [k, map] of maps.entries()) {
        for (const [id, before] of known[k]!) {
          if (before === undefined) map.delete(id);
          else map.set(id, before);
        }
      }
    };
  }

  /** Sees the only example of a value on another axis; false where it cannot be there. */
  moved(node: Node, value: Value, place: Place): boolean {
    if (place.axis < 0) return false;
    const own = this.canonical(value);
    const shape = canonicalShape(value.shape, place, this.examples);
    if (!sameShape(own.shape, shape)) {
      if (sameShape(value.shape, shape)) return false;
      this.#canonical.set(value.id, this.reshaped(node, own, shape));
    }
    this.#places.set(value.id, place);
    return true;
  }

  isFirst(value: Value): boolean {
    const place = this.place(value);
    return place !== null && isFirst(place, value.shape, this.examples);
  }

  /** A value of the graph with its place; what stands for it from now on has the examples on axis 0. */
  settle(value: Value, place: Place): Value {
    this.#places.set(value.id, place);
    if (isFirst(place, value.shape, this.examples)) return value;
    const own = this.fresh(value, canonicalShape(value.shape, place, this.examples));
    this.#canonical.set(value.id, own);
    return own;
  }

  fresh(like: Value, shape: Shape): Value {
    return { ...like, id: this.#nextId++, shape };
  }

  /** Takes a node over as it is, with the examples of its outputs on axis 0 where `varies` says so. */
  keep(node: Node, varies: (output: Value) => boolean): void {
    this.nodes.push(node);
    for (const output of node.outputs) if (varies(output)) this.settle(output, { axis: 0, outer: 1 });
  }

  /** The value's numbers, row-major, in another shape. */
  reshaped(node: Node, value: Value, shape: Shape): Value {
    if (sameShape(value.shape, shape)) return value;
    const output = this.fresh(value, shape);
    const reshape = {
      op: 'Reshape',
      name: node.name,
      inputs: [value],
      attributes: { shape },
      outputs: [output],
    };
    this.nodes.push(reshape);
    return output;
  }

  /** A value with examples as [N, …] with all its other axes behind, seen from `rank` axes. */
  separate(node: Node, value: Value, rank = value.shape.length): Value {
    const place = this.place(value)!;
    const shape = [...new Array<number>(rank - value.shape.length).fill(1), ...value.shape];
    const seen = separated(shape, aligned(place, value.shape.length, rank), this.examples);
    return this.reshaped(node, this.canonical(value), seen);
  }

  /** Adds a node on separate values, of which output k of `node` has examples where `places[k]` says so. */
  emit(
    node: Node,
    inputs: readonly (Value | null)[],
    attributes: Attributes,
    places: readonly (Place | null)[],
    op = node.op,
  ): void {
    const ends: (() => void)[] = [];
    const outputs = node.outputs.map((output, k) => {
      const place = places[k];
      if (!place) return output;
      const own = this.settle(output, place);
      const shape = separated(output.shape, place, this.examples);
      if (sameShape(own.shape, shape)) return own;
      const wide = this.fresh(output, shape);
      const back = {
        op: 'Reshape',
        name: node.name,
        inputs: [wide],
        attributes: { shape: own.shape },
        outputs: [own],
      };
      ends.push(() => this.nodes.push(back));
      return wide;
    });
    this.nodes.push({ ...node, op, inputs, attributes, outputs });
    for (const end of ends) end();
  }

  /** A new constant of numbers [elements] in a shape. */
  constant(like: Value, data: TensorData, shape: Shape): Value {
    const value = this.fresh(like, shape);
    this.constants.push({ value, data });
    return value;
  }

  /**
   * What does not vary by example but was repeated for each along `axis`, once, with what is left of the axis. Throws EngineError
   * where a constant does vary.
   */
  withoutExamples(node: Node, value: Value, axis: number): Value {
    const producer = this.producer(value);
    if (producer?.op === 'Expand' && this.place(producer.inputs[0]!) === null) {
      const source = producer.inputs[0]!;
      const own = axis - (value.shape.length - source.shape.length);
      return own < 0 || source.shape[own] === 1 ? source : this.withoutExamples(node, source, own);
    }
    const data = this.data(value);
    if (data === null) return value;
    const once = firstOfEqual(data, value.shape, axis, this.examples);
    if (once === null) throw unsupported(node, 'constants that do not vary by example');
    const shape = value.shape.map((extent, k) => (k === axis ? extent / this.examples : extent));
    return this.constant(value, once, shape);
  }
}

/**
 * The numbers of the first example, of a constant with N · inner on an axis, if all examples have the same ones; null otherwise. An
 * outer part of the axis counts as examples too, which only refuses more.
 */
function firstOfEqual(data: TensorData, shape: Shape, axis: number, examples: number): number[] | null {
  const inner = (sizeOf(shape.slice(axis + 1)) * shape[axis]!) / examples;
  const outer = sizeOf(shape.slice(0, axis));
  const kept: number[] = [];
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < inner; k++) {
      const first = Number(data[o * examples * inner + k]);
      for (let n = 1; n < examples; n++) {
        if (Number(data[(o * examples + n) * inner + k]) !== first) return null;
      }
      kept.push(first);
    }
  }
  return kept;
}
