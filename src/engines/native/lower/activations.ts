import type { Activation } from '../../../graph/activations/define.js';
import { gradientOperatorOf } from '../../../graph/activations/define.js';
import type { Language } from '../../../graph/activations/formula.js';
import { writeFormula } from '../../../graph/activations/formula.js';
import { numericFunction } from '../../../graph/activations/numeric.js';
import { activations as table } from '../../../graph/activations/table.js';
import type { Node } from '../../../graph/types.js';
import type { Expression } from '../plan/expression.js';
import { apply, number } from '../plan/expression.js';

const language: Language<Expression> = {
  number,
  apply: (fn, args) => apply(fn, ...args),
  over: (of, divisor) => apply('multiply', of, number(1 / divisor)),
};

/** An activation, or the gradient of one, as an expression of its operands. */
interface ActivationRule {
  readonly op: string;
  readonly rule: (node: Node, args: readonly Expression[]) => Expression;
  /** True where zeros in the first operand's unused lanes give zeros in the result's. */
  readonly keepsZero: (node: Node) => boolean;
}

function rulesOf([name, { formulas }]: [string, Activation]): ActivationRule[] {
  return [
    {
      op: name,
      rule: (node, [x]) => writeFormula(formulas(node).value, { x: x! }, language),
      keepsZero: (node) => numericFunction(formulas(node).value)(0, 0) === 0,
    },
    {
      op: gradientOperatorOf(name),
      rule: (node, [dy, at]) => writeFormula(formulas(node).gradient, { dy: dy!, x: at!, y: at! }, language),
      keepsZero: () => true,
    },
  ];
}

/** The activations and their gradient operators. */
export const activations: readonly ActivationRule[] = [...table].flatMap(rulesOf);
