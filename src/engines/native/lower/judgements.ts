import type { Graph, Shape, Value } from '../../../graph/types.js';
import { sizeOf } from '../../../graph/types.js';
import type { Expression, TablePer } from '../plan/expression.js';
import { leavesOf, tensorsOf, unfinishedIn } from '../plan/expression.js';

/** How numbers with these strides vary over the elements of an example of `shape` [N, C, …]. */
export function variation(strides: readonly number[], shape: Shape): TablePer {
  const varying = shape.flatMap((extent, axis) => (extent > 1 && strides[axis] !== 0 ? [axis] : []));
  if (varying.length === 0) return 'all';
  return varying.length === 1 && varying[0] === 1 ? 'channel' : 'element';
}

/** Leaves of an expression beyond which it is stored: operators that use their operand often would multiply its length. */
const MOST_LEAVES = 64;

/** True where an expression is stored however it is used. */
export const isLong = (expression: Expression): boolean => [...leavesOf(expression)].length > MOST_LEAVES;

/** True where evaluating twice costs less than a way through memory. */
export function isCheap(expression: Expression): boolean {
  if (unfinishedIn(expression).length > 0 || tensorsOf(expression).length > 1) return false;
  return !usesFunctions(expression);
}

function usesFunctions(expression: Expression): boolean {
  if (expression.kind !== 'apply') return false;
  const simple = ['add', 'subtract', 'multiply', 'negate', 'maximum', 'ifGreater'];
  return !simple.includes(expression.fn) || expression.args.some(usesFunctions);
}

/** Whether a value is a constant [N, …] with the same numbers for each example. */
export function isSameForAll(value: Value, { constants }: Graph): boolean {
  const data = constants.find((constant) => constant.value.id === value.id)?.data;
  const own = sizeOf(value.shape.slice(1));
  return data?.every((number, k) => number === data[k % own]) ?? false;
}
