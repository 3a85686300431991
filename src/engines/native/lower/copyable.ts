import type { Node, Value } from '../../../graph/types.js';
import type { Expression } from '../plan/expression.js';
import { unfinishedIn } from '../plan/expression.js';
import type { Lowering } from './lowering.js';

/** An operand as an expression that a kernel can evaluate while it loads it: one that waits for no other kernel. */
export function copyable(value: Value, lowering: Lowering, node: Node): Expression {
  const { expression } = lowering.perExample(node, value);
  if (unfinishedIn(expression).length === 0) return expression;
  return { kind: 'tensor', tensor: lowering.tensor(value) };
}
