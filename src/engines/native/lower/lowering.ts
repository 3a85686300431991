import type { Application } from '../../../graph/application.js';
import type { Graph, Node, Shape, Value } from '../../../graph/types.js';
import { sizeOf } from '../../../graph/types.js';
import { importFeed } from '../kernels/elementwise.js';
import type { FeedType } from '../kernels/elementwise.js';
import { map } from '../kernels/elementwise.js';
import { arrange } from '../kernels/move.js';
import { arrangeSums, fillTable } from '../kernels/table.js';
import type { Expression } from '../plan/expression.js';
import { apply, number, unfinishedIn } from '../plan/expression.js';
import type { Geometry } from '../plan/geometry.js';
import { geometryOf } from '../plan/geometry.js';
import type { Feed, Numbers, Sums, Table, Tensor } from '../plan/objects.js';
import { Objects } from '../plan/objects.js';
import type { Step } from '../plan/step.js';
import type { Target } from '../toolchain/target.js';
import type { Held, PerExample, Reduced, StaticView, Statistic } from './held.js';
import { broadcastStrides, isRowMajor } from './held.js';
import { isCheap, isLong, isSameForAll, variation } from './judgements.js';
import { unsupported } from './unsupported.js';
import { consumersOf, usesOf } from './uses.js';
import type { View } from './views.js';
import { isWhole, wholeView } from './views.js';

const feedTypes: Partial<Record<Value['dtype'], FeedType>> = {
  uint8: 'uint8_t',
  bool: 'uint8_t',
  int32: 'int32_t',
  float32: 'float',
  int64: 'int64_t',
};

/**
 * The state of turning a graph into steps. Element-wise results stay expressions until something needs them in memory:
 * they are computed while a kernel loads its operand, or stores its result.
 */
export class Lowering {
  readonly objects = new Objects();
  /** Run when θ is set. */
  readonly loadSteps: Step[] = [];
  /** Run for each chunk. */
  readonly steps: Step[] = [];
  /** N: examples of the chunk. */
  readonly examples: number;
  readonly #held = new Map<number, Held>();
  readonly #uses: ReadonlyMap<number, number>;
  readonly #consumers: ReadonlyMap<number, readonly Node[]>;
  /** Of values that are not in memory in their own order yet. */
  readonly #views = new Map<number, View>();
  #derived = 0;
  readonly #tables = new Map<string, Table>();

  constructor(
    readonly graph: Graph,
    readonly target: Target,
  ) {
    this.examples = graph.inputs[0]!.shape[0]!;
    this.#uses = usesOf(graph);
    this.#consumers = consumersOf(graph);
  }

  held(value: Value): Held {
    return this.#held.get(value.id)!;
  }

  /** Null for an output that nothing stands for, because nothing uses it. */
  heldOrNull(value: Value): Held | null {
    return this.#held.get(value.id) ?? null;
  }

  hold(value: Value, held: Held): void {
    this.#held.set(value.id, held);
  }

  /** Takes note of an element-wise result, or of a kernel's unfinished one. */
  holdExpression(value: Value, expression: Expression, hasZeroTail: boolean): void {
    const held: PerExample = {
      kind: 'examples',
      expression,
      shape: value.shape,
      hasZeroTail: hasZeroTail || this.examples % this.target.lanes === 0,
    };
    this.hold(value, held);
    const isRepeated = (this.#uses.get(value.id) ?? 0) > 1 && !isCheap(expression);
    if (isRepeated || isLong(expression)) this.tensor(value);
  }

  holdTensor(value: Value, tensor: Tensor, hasZeroTail: boolean): void {
    this.holdExpression(value, { kind: 'tensor', tensor }, hasZeroTail);
  }

  /** The node that alone uses a value; null where there are several uses, or none. */
  onlyConsumer(value: Value): Node | null {
    return this.#uses.get(value.id) === 1 ? (this.#consumers.get(value.id)?.[0] ?? null) : null;
  }

  /** The nodes that read a value. */
  consumers(value: Value): readonly Node[] {
    return this.#consumers.get(value.id) ?? [];
  }

  /** Takes note of numbers that lie in a tensor already, in whatever order; they are brought into their own when something needs that. */
  holdView(value: Value, view: View, hasZeroTail: boolean): void {
    const { shape } = value;
    if (isWhole(view, shape)) {
      this.holdTensor(value, view.tensor, hasZeroTail);
      return;
    }
    const finish = (result: Expression): Tensor => {
      const output = this.objects.tensor(sizeOf(shape.slice(1)));
      this.steps.push(arrange(view.tensor, view, shape.slice(1), output, result));
      return output;
    };
    const expression = { kind: 'computed', by: { finish } } as const;
    this.hold(value, { kind: 'examples', expression, shape, hasZeroTail });
    this.#views.set(value.id, view);
  }

  /** Where the numbers of a value [N, …] lie, in whatever order. */
  view(node: Application, value: Value): View {
    const known = this.#views.get(value.id);
    if (known !== undefined) return known;
    this.perExample(node, value);
    return wholeView(this.tensor(value), value.shape);
  }

  /** True for what lies in memory in another order than its own. */
  isView(value: Value): boolean {
    return this.#views.has(value.id);
  }

  /** A value [N, …] as numbers in lanes. Throws EngineError, naming the node that wants it, where it is none. */
  perExample(node: Application, value: Value): PerExample {
    const held = this.held(value);
    if (held.kind === 'examples') {
      if (this.#views.has(value.id) && (this.#uses.get(value.id) ?? 0) > 1) this.tensor(value);
      return this.held(value) as PerExample;
    }
    if (held.kind === 'fed') return this.#import(node, value, held.feed);
    const isRepeatable =
      (held.kind === 'static' || held.kind === 'uniform') && value.shape[0] === this.examples;
    if (!isRepeatable) throw unsupported(node, `numbers of each example for ${value.name}`);
    if (held.kind === 'static' && isSameForAll(value, this.graph)) {
      this.hold(value, { ...held, strides: [0, ...held.strides.slice(1)] });
    }
    this.holdExpression(value, this.operand(node, value, value.shape), false);
    return this.held(value) as PerExample;
  }

  /** Brings a fed array into lanes; element-wise consumers join in. */
  #import(node: Application, value: Value, feed: Feed): PerExample {
    const type = feedTypes[value.dtype];
    if (type === undefined || value.shape[0] !== this.examples) {
      throw unsupported(node, `inputs of ${Object.keys(feedTypes).join(', ')} with the examples on axis 0`);
    }
    const geometry = geometryOf(value.shape);
    const finish = (result: Expression): Tensor => {
      const output = this.objects.tensor(geometry.channels * geometry.pixels, 'fed');
      const { examples, target } = this;
      this.steps.push(importFeed({ feed, type, examples, geometry, output, result, target }));
      return output;
    };
    this.holdExpression(value, { kind: 'computed', by: { finish } }, false);
    return this.held(value) as PerExample;
  }

  /** A value [N, …] in memory. */
  tensor(value: Value): Tensor {
    const held = this.held(value) as PerExample;
    if (held.expression.kind === 'tensor') return held.expression.tensor;
    const tensor = this.store(held.expression, geometryOf(value.shape));
    this.#views.delete(value.id);
    this.hold(value, { ...held, expression: { kind: 'tensor', tensor } });
    return tensor;
  }

  /** A value [N, …] as an expression that a kernel can evaluate while it loads it: one that waits for no other kernel. */
  copyable(node: Application, value: Value): Expression {
    const { expression } = this.perExample(node, value);
    if (unfinishedIn(expression).length === 0) return expression;
    return { kind: 'tensor', tensor: this.tensor(value) };
  }

  /** Evaluates an expression into memory, by the kernel that it waits for or by a loop of its own. */
  store(expression: Expression, geometry: Geometry): Tensor {
    const [kernel] = unfinishedIn(expression);
    return kernel ? kernel.finish(expression) : this.storeAll([expression], geometry)[0]!;
  }

  /** Evaluates several expressions of the same operands into memory at once. They wait for no kernel, or for one that can store all. */
  storeAll(expressions: readonly Expression[], geometry: Geometry): Tensor[] {
    const [kernel] = unfinishedIn(expressions[0]!);
    if (kernel) return kernel.finishAll!(expressions);
    const elements = geometry.channels * geometry.pixels;
    const stored = expressions.map((result) => ({ output: this.objects.tensor(elements), result }));
    this.steps.push(map(stored, geometry));
    return stored.map(({ output }) => output);
  }

  /** An expression with zeros in lanes without an example. */
  masked({ expression, hasZeroTail }: PerExample): Expression {
    if (hasZeroTail) return expression;
    return apply('multiply', expression, { kind: 'coarse', tensor: { kind: 'mask' }, per: 'all' });
  }

  /** A value as operand of an element-wise node whose result has `shape` [N, …]. Throws EngineError where it cannot be one. */
  operand(node: Application, value: Value, shape: Shape): Expression {
    const held = this.held(value);
    if (held.kind === 'uniform') return number(held.value);
    if (held.kind === 'static') return this.#staticOperand(node, held, shape);
    if (held.kind === 'statistic') return channelOperand(node, held, value.shape);
    const { expression } = this.perExample(node, value);
    if (sizeOf(value.shape) === sizeOf(shape)) return expression;
    if (!this.isCoarse(value, shape)) {
      throw unsupported(node, 'operands of the same shape, or one number per example, channel or element');
    }
    const isSingle = sizeOf(value.shape.slice(1)) === 1;
    return { kind: 'coarse', tensor: this.tensor(value), per: isSingle ? 'all' : 'channel' };
  }

  /** True where a value [N, …] has all numbers of `shape`, or one for each example or channel of it. */
  isCoarse(value: Value, shape: Shape): boolean {
    if (sizeOf(value.shape) === sizeOf(shape)) return true;
    const isAligned = value.shape.length === shape.length && value.shape[0] === this.examples;
    return isAligned && value.shape.every((extent, axis) => axis < 2 || extent === 1);
  }

  #staticOperand(node: Application, view: StaticView, shape: Shape): Expression {
    const strides = broadcastStrides(view, shape);
    if (strides === null || strides[0] !== 0)
      throw unsupported(node, 'constants that do not vary by example');
    const per = variation(strides, shape);
    const rank = { all: 1, channel: 2, element: shape.length }[per];
    const table = this.table(view, { shape: [1, ...shape.slice(1, rank)], strides: strides.slice(0, rank) });
    return { kind: 'table', table, per };
  }

  /** How many numbers are computed when θ is set. */
  get derived(): number {
    return this.#derived;
  }

  /** `length` numbers that the step which `compute` makes computes when θ is set. */
  derive(length: number, compute: (to: Numbers) => Step): Numbers {
    const numbers = { kind: 'numbers', source: 'derived', offset: this.#derived } as const;
    this.#derived += length;
    this.loadSteps.push(compute(numbers));
    return numbers;
  }

  /** The sums in row-major order, without their factor. */
  rowMajorSums(held: Reduced): Sums {
    if (isRowMajor(held)) return held.sums;
    const sums = this.objects.sums(sizeOf(held.shape));
    this.steps.push(arrangeSums(held.sums, held, sums));
    return sums;
  }

  /** A table of numbers of θ or the constants, made once however often it is asked for. */
  table(view: StaticView, as: { shape: Shape; strides: readonly number[] } = view): Table {
    const key = JSON.stringify([view.numbers, as.shape, as.strides]);
    return this.loaded(key, sizeOf(as.shape), (table) => fillTable(view.numbers, as, table));
  }

  /** A table that a step fills whenever θ is set; equal keys share one. */
  loaded(key: string, length: number, fill: (table: Table) => Step): Table {
    const known = this.#tables.get(key);
    if (known) return known;
    const table = this.objects.table(length);
    this.loadSteps.push(fill(table));
    this.#tables.set(key, table);
    return table;
  }

  /** Stores all operands but the last that wait for a kernel, so that at most one kernel waits for the result. */
  settle(node: Node): void {
    for (const value of node.inputs) {
      if (value !== null && this.held(value).kind === 'fed') this.perExample(node, value);
    }
    const waiting = node.inputs.filter((value) => {
      const held = value === null ? undefined : this.#held.get(value.id);
      return held?.kind === 'examples' && unfinishedIn(held.expression).length > 0;
    });
    for (const value of new Set(waiting.slice(0, -1))) this.tensor(value!);
  }
}

/** A statistic as operand, where it has the shape [1, C, 1, …] of one number a channel. Throws EngineError where it has not. */
function channelOperand(node: Application, { table }: Statistic, shape: Shape): Expression {
  const isPerChannel = shape.length > 1 && shape.every((extent, axis) => axis === 1 || extent === 1);
  if (!isPerChannel) throw unsupported(node, 'statistics of the chunk as one number a channel');
  return { kind: 'table', table, per: 'channel' };
}

/** Lowers one node: adds its steps, and takes note of what stands for its outputs. Throws EngineError for what is not supported. */
export type LowerOperator = (node: Node, lowering: Lowering) => void;

/** Operators by name, with how each is lowered. */
export type OperatorTable = readonly (readonly [op: string, lower: LowerOperator])[];
