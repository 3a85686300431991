import type { Mask, Table, Tensor } from './objects.js';

/** Functions of an expression. `bell(a)` is e^(-a²/2); `maximum(a, b)` passes on a NaN of b, `largest` of both; `ifGreater(a, b, yes, no)`; `round` half to even; `remainder(a, b)` has the sign of a. */
export type ExpressionFunction =
  | 'add'
  | 'subtract'
  | 'multiply'
  | 'divide'
  | 'negate'
  | 'maximum'
  | 'squareRoot'
  | 'exponential'
  | 'exponentialLessOne'
  | 'logarithm'
  | 'logarithmOfOneMore'
  | 'tanh'
  | 'errorFunction'
  | 'bell'
  | 'normalCumulative'
  | 'sine'
  | 'cosine'
  | 'arctangent'
  | 'sigmoid'
  | 'power'
  | 'largest'
  | 'equal'
  | 'truncate'
  | 'floor'
  | 'ceiling'
  | 'round'
  | 'remainder'
  | 'ifGreater';

/** How the numbers of a table belong to elements. */
export type TablePer = 'all' | 'channel' | 'element';

/**
 * An element-wise computation. It is evaluated where its result is needed: while a kernel loads its operand, on what it
 * stores, or by a loop of its own.
 */
export type Expression =
  | { readonly kind: 'tensor'; readonly tensor: Tensor }
  /** One number per example, or one per channel of each example, the same for all its elements or pixels. */
  | { readonly kind: 'coarse'; readonly tensor: Tensor | Mask; readonly per: 'all' | 'channel' }
  | { readonly kind: 'table'; readonly table: Table; readonly per: TablePer }
  | { readonly kind: 'number'; readonly value: number }
  /** What the kernel that will store this expression computes. */
  | { readonly kind: 'computed'; readonly by: Unfinished }
  | { readonly kind: 'apply'; readonly fn: ExpressionFunction; readonly args: readonly Expression[] };

/** A kernel whose stored expression is still open, so that element-wise consumers can join it. */
export interface Unfinished {
  /** Adds the kernel's step, which stores `result`, and returns where. */
  readonly finish: (result: Expression) => Tensor;
  /** The same for several results at once; only of kernels that can store more than one. */
  readonly finishAll?: (results: readonly Expression[]) => Tensor[];
}

/** What a kernel stores, and where. */
export interface Stored {
  readonly output: Tensor;
  readonly result: Expression;
}

export function apply(fn: ExpressionFunction, ...args: Expression[]): Expression {
  return { kind: 'apply', fn, args };
}

export function number(value: number): Expression {
  return { kind: 'number', value };
}

/** The leaves of an expression, left to right, each as often as it occurs. */
export function* leavesOf(expression: Expression): Generator<Exclude<Expression, { kind: 'apply' }>> {
  if (expression.kind !== 'apply') yield expression;
  else for (const argument of expression.args) yield* leavesOf(argument);
}

/** Distinct tensors that an evaluation loads element by element. */
export function tensorsOf(expression: Expression): Tensor[] {
  const tensors = new Set<Tensor>();
  for (const leaf of leavesOf(expression)) if (leaf.kind === 'tensor') tensors.add(leaf.tensor);
  return [...tensors];
}

/** Tensors that every element reads, with one number for each example. */
export function wholeTensorsOf(expressions: readonly Expression[]): Set<Tensor | Mask> {
  const whole = new Set<Tensor | Mask>();
  for (const expression of expressions) {
    for (const leaf of leavesOf(expression))
      if (leaf.kind === 'coarse' && leaf.per === 'all') whole.add(leaf.tensor);
  }
  return whole;
}

/** The kernels that must be finished before, or with, this expression. */
export function unfinishedIn(expression: Expression): Unfinished[] {
  const found = new Set<Unfinished>();
  for (const leaf of leavesOf(expression)) if (leaf.kind === 'computed') found.add(leaf.by);
  return [...found];
}

/** True where elements of different channels are treated differently, so that the split into channels matters. */
export function dependsOnChannel(expression: Expression): boolean {
  return [...leavesOf(expression)].some((leaf) => 'per' in leaf && leaf.per === 'channel');
}
