import type { Value } from '../../../graph/types.js';
import { sizeOf } from '../../../graph/types.js';
import type { Expression, Stored } from '../plan/expression.js';
import type { Tensor } from '../plan/objects.js';
import type { Step } from '../plan/step.js';
import type { Lowering } from './lowering.js';

/** How the step of a kernel is made: for one result, and, where the kernel can store several at once, for these. */
export interface OpenKernel {
  readonly add: (stored: Stored) => Step;
  readonly addAll?: (stored: readonly Stored[]) => Step;
  /** What stands for the value, in terms of what the kernel computes; default that itself. */
  readonly wrap?: (computed: Expression) => Expression;
}

/** Starts a kernel for `value` whose stored expression is still open, so that element-wise consumers can join it. */
export function open(value: Value, hasZeroTail: boolean, kernel: OpenKernel, lowering: Lowering): void {
  const { add, addAll, wrap = (computed) => computed } = kernel;
  const place = (result: Expression): Stored => ({
    output: lowering.objects.tensor(sizeOf(value.shape.slice(1))),
    result,
  });
  const finish = (result: Expression): Tensor => {
    const stored = place(result);
    lowering.steps.push(add(stored));
    return stored.output;
  };
  const finishAll = (results: readonly Expression[]): Tensor[] => {
    const stored = results.map(place);
    lowering.steps.push(addAll!(stored));
    return stored.map(({ output }) => output);
  };
  const by = addAll ? { finish, finishAll } : { finish };
  lowering.holdExpression(value, wrap({ kind: 'computed', by }), hasZeroTail);
}
