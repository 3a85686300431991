import { GraphError } from '../../errors.js';
import type { GraphBuilder } from '../../graph/builder.js';
import type { Attributes, DType, Shape, Value } from '../../graph/types.js';
import { sizeOf } from '../../graph/types.js';
import type { Node } from '../protobuf/onnx_pb.js';
import { isStatic, mostAxes, type Operand, type StaticTensor } from './static-tensor.js';
import type { ExternalData } from '../protobuf/tensor.js';
import type { FixedBatch } from './batch.js';
import { NodeAttributes } from './attributes.js';
import { describeNode, nodeName } from './unsupported.js';

/** What is the same for all nodes of one translation. */
export interface ImportState {
  readonly builder: GraphBuilder;
  readonly opset: number;
  /** Examples of a chunk: the extent of axis 0 of the input. */
  readonly examples: number;
  /** Extent of axis 0 in the file where it was exported with a fixed one, else null. */
  readonly exportedExamples: number | null;
  /** Where that differs from the examples of a chunk: how to tell the batch in shapes that are constants. */
  readonly batch: FixedBatch | null;
  readonly externalData: ExternalData | undefined;
  /** The node of the file that makes each tensor. */
  readonly producers: ReadonlyMap<string, Node>;
  /** How to compute the numbers of values that follow from constants and shapes, and were left to the engines: by the value's id. */
  readonly known: Map<number, () => StaticTensor | null>;
  /** How many numbers have been computed from constants so far. */
  computed: number;
  /** How many nodes of branches and of rounds of loops have been translated so far. */
  unrolled: number;
}

/** All constants of a model together may take this many computed numbers: less than a second. */
const mostComputed = 2 ** 23;

/** Values of more elements than this are refused: no machine that this is for could hold one. */
const mostElements = 2 ** 31;

/** One node of the model while it is translated. */
export class NodeContext {
  readonly attributes: NodeAttributes;

  constructor(
    readonly node: Node,
    readonly inputs: readonly (Operand | null)[],
    readonly state: ImportState,
  ) {
    this.attributes = new NodeAttributes(node);
  }

  get opset(): number {
    return this.state.opset;
  }

  /** Whether input `index` is connected. */
  has(index: number): boolean {
    return (this.inputs[index] ?? null) !== null;
  }

  /** Input `index`, which must be there. */
  operand(index: number): Operand {
    return this.inputs[index] ?? this.fail(`no input ${index}`, 'it connected');
  }

  /** Input `index` as a value of the graph; numbers become a constant. */
  value(index: number): Value {
    return this.asValue(this.operand(index));
  }

  /** Input `index` as a value of the graph; null where it is left out. */
  optionalValue(index: number): Value | null {
    return this.has(index) ? this.value(index) : null;
  }

  /** An operand as a value of the graph; numbers become a constant. */
  asValue(operand: Operand): Value {
    if (!isStatic(operand)) return operand;
    const { data, shape, dtype } = operand;
    return this.state.builder.constant(data, shape, dtype, nodeName(this.node));
  }

  /** Shape of input `index`. Throws GraphError where it is left out. */
  shape(index: number): Shape {
    return this.operand(index).shape;
  }

  /** Number of axes of input `index`. Throws GraphError where it is left out. */
  rank(index: number): number {
    return this.shape(index).length;
  }

  /** Numbers of input `index`, which must be known when the model is read; undefined where it is left out. */
  numbers(index: number): number[] | undefined {
    if (!this.has(index)) return undefined;
    const operand = this.operand(index);
    if (isStatic(operand)) return [...operand.data];
    return this.fail(`input ${index} that depends on the data`, 'a constant there');
  }

  /** Input `index` as numbers, also where they were left to the engines; null where they depend on the data. */
  known(index: number): StaticTensor | null {
    const operand = this.operand(index);
    return isStatic(operand) ? operand : (this.state.known.get(operand.id)?.() ?? null);
  }

  /** One number of input `index`, or `otherwise`. */
  number(index: number, otherwise: number): number {
    return this.numbers(index)?.[0] ?? otherwise;
  }

  /** Attribute `name` in older operator sets, input `index` in newer ones. */
  intsOf(name: string, index: number): number[] | undefined {
    return this.attributes.ints(name) ?? this.numbers(index);
  }

  /** A constant of shape []. */
  scalar(number: number, dtype: DType = 'float32'): Value {
    return this.state.builder.scalar(number, dtype);
  }

  /** Adds a node to the graph, and returns its first output. */
  add(op: string, inputs: readonly (Value | null)[], attributes: Attributes = {}): Value {
    return this.addMany(op, inputs, attributes)[0]!;
  }

  /**
   * Adds a node to the graph, and returns all its outputs. Throws GraphError where one is larger than any
   * machine could hold.
   */
  addMany(op: string, inputs: readonly (Value | null)[], attributes: Attributes = {}): readonly Value[] {
    const outputs = this.state.builder.add(op, inputs, attributes, nodeName(this.node));
    const large = outputs.find(({ shape }) => shape.length > mostAxes || !(sizeOf(shape) <= mostElements));
    if (large) {
      const shape = large.shape.slice(0, mostAxes).join(', ');
      this.fail(`a result of shape [${shape}]`, `at most ${mostElements} elements on ${mostAxes} axes`);
    }
    return outputs;
  }

  /** Counts numbers that are computed while the model is read, so that no file can keep it busy. */
  spend(count: number): void {
    this.state.computed += count;
    if (this.state.computed > mostComputed) {
      this.fail('too many numbers computed from constants', `at most ${mostComputed} in a model`);
    }
  }

  /** The value in another element type. */
  cast(value: Value, to: DType): Value {
    return value.dtype === to ? value : this.add('Cast', [value], { to });
  }

  /** Throws GraphError, which names the node. */
  fail(
    given: string,
    expected: string,
    remedy = 'rewrite this part of the model, and export it again',
  ): never {
    throw new GraphError({
      given: `${describeNode(this.node, this.opset)}: ${given}`,
      expected,
      remedy,
    });
  }
}

/** Translates one operator: nodes are added to the graph, and its outputs returned in order. */
export type Translation = (context: NodeContext) => Operand | readonly Operand[];

/** Translations by operator of ONNX. */
export type TranslationTable = Readonly<Record<string, Translation>>;
