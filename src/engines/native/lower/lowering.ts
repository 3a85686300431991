import type { Application } from '../../../graph/application.js';
import type { Graph, Node, Shape, Value } from '../../../graph/types.js';
import { sizeOf } from '../../../graph/types.js';
import { importFeed } from '../kernels/elementwise.js';
import type { FeedType } from '../kernels/elementwise.js';
import { map } from '../kernels/elementwise.js';
import { fillTable } from '../kernels/table.js';
import type { Expression, TablePer } from '../plan/expression.js';
import { apply, leavesOf, number, tensorsOf, unfinishedIn } from '../plan/expression.js';
import type { Geometry } from '../plan/geometry.js';
import { geometryOf } from '../plan/geometry.js';
import type { Feed, Table, Tensor } from '../plan/objects.js';
import { Objects } from '../plan/objects.js';
import type { Step } from '../plan/step.js';
import type { Target } from '../toolchain/target.js';
import type { Held, PerExample, StaticView } from './held.js';
import { broadcastStrides } from './held.js';
import { unsupported } from './unsupported.js';

const feedTypes: Partial<Record<Value['dtype'], FeedType>> = {
  uint8: 'uint8_t',
  bool: 'uint8_t',
  int32: 'int32_t',
  float32: 'float',
};

function usesOf(graph: Graph): Map<number, number> {
  const uses = new Map<number, number>();
  for (const value of [...graph.nodes.flatMap((node) => node.inputs), ...graph.outputs]) {
    if (value !== null) uses.set(value.id, (uses.get(value.id) ?? 0) + 1);
  }
  return uses;
}

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
  readonly #tables = new Map<string, Table>();

  constructor(
    readonly graph: Graph,
    readonly target: Target,
  ) {
    this.examples = graph.inputs[0]!.shape[0]!;
    this.#uses = usesOf(graph);
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

  /** A value [N, …] as numbers in lanes. Throws EngineError, naming the node that wants it, where it is none. */
  perExample(node: Application, value: Value): PerExample {
    const held = this.held(value);
    if (held.kind === 'examples') return held;
    if (held.kind === 'fed') return this.#import(node, value, held.feed);
    throw unsupported(node, `numbers of each example for ${value.name}`);
  }

  /** Brings a fed array into lanes; element-wise consumers join in. */
  #import(node: Application, value: Value, feed: Feed): PerExample {
    const type = feedTypes[value.dtype];
    if (type === undefined || value.shape[0] !== this.examples) {
      throw unsupported(node, `inputs of ${Object.keys(feedTypes).join(', ')} with the examples on axis 0`);
    }
    const geometry = geometryOf(value.shape);
    const finish = (result: Expression): Tensor => {
      const output = this.objects.tensor(geometry.channels * geometry.pixels);
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
    if (kernel) return kernel.finish(expression);
    const tensor = this.objects.tensor(geometry.channels * geometry.pixels);
    this.steps.push(map(expression, geometry, tensor));
    return tensor;
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

  /** Starts a kernel for `value` whose stored expression is still open; `add` makes its step. */
  open(
    value: Value,
    hasZeroTail: boolean,
    add: (output: Tensor, result: Expression) => Step,
    wrap: (computed: Expression) => Expression = (computed) => computed,
  ): void {
    const { channels, pixels } = geometryOf(value.shape);
    const finish = (result: Expression): Tensor => {
      const output = this.objects.tensor(channels * pixels);
      this.steps.push(add(output, result));
      return output;
    };
    this.holdExpression(value, wrap({ kind: 'computed', by: { finish } }), hasZeroTail);
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

/** How numbers with these strides vary over the elements of an example of `shape` [N, C, …]. */
function variation(strides: readonly number[], shape: Shape): TablePer {
  const varying = shape.flatMap((extent, axis) => (extent > 1 && strides[axis] !== 0 ? [axis] : []));
  if (varying.length === 0) return 'all';
  return varying.length === 1 && varying[0] === 1 ? 'channel' : 'element';
}

/** Leaves of an expression beyond which it is stored: operators that use their operand often would multiply its length. */
const MOST_LEAVES = 64;

const isLong = (expression: Expression): boolean => [...leavesOf(expression)].length > MOST_LEAVES;

/** True where evaluating twice costs less than a way through memory. */
function isCheap(expression: Expression): boolean {
  if (unfinishedIn(expression).length > 0 || tensorsOf(expression).length > 1) return false;
  return !usesFunctions(expression);
}

function usesFunctions(expression: Expression): boolean {
  if (expression.kind !== 'apply') return false;
  const simple = ['add', 'subtract', 'multiply', 'negate', 'maximum', 'ifGreater'];
  return !simple.includes(expression.fn) || expression.args.some(usesFunctions);
}

/** Lowers one node: adds its steps, and takes note of what stands for its outputs. Throws EngineError for what is not supported. */
export type LowerOperator = (node: Node, lowering: Lowering) => void;

/** Operators by name, with how each is lowered. */
export type OperatorTable = readonly (readonly [op: string, lower: LowerOperator])[];
