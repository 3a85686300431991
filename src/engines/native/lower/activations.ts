import type { Activation, ActivationFormulas } from '../../../graph/activations/define.js';
import { gradientOperatorOf } from '../../../graph/activations/define.js';
import type { Formula, Language } from '../../../graph/activations/formula.js';
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

/** The gradient's factor of dy; null where it is no product. */
function slopeOf({ gradient }: ActivationFormulas): Formula | null {
  if (gradient.kind !== 'apply' || gradient.fn !== 'multiply') return null;
  const [first, second] = gradient.args as [Formula, Formula];
  return first.kind === 'variable' && first.name === 'dy' ? second : null;
}

/** Activations, by their gradients' operators, whose slope costs more than a product and depends on x. */
const withSlope: ReadonlyMap<string, Activation> = new Map(
  ['Gelu'].map((name) => [gradientOperatorOf(name), table.get(name)!]),
);

/** True for a gradient that is dy times a slope, a function of x. */
export function hasSlope(node: Node): boolean {
  const known = withSlope.get(node.op);
  return known !== undefined && slopeOf(known.formulas(node)) !== null;
}

/** x Φ(x) and its slope Φ(x) + x φ(x): Φ is made from φ, where the general formulas would take an error function and an exponential. */
function exactGelu(x: Expression): readonly [Expression, Expression] {
  const cumulative = apply('normalCumulative', x);
  const density = apply('multiply', apply('bell', x), number(1 / Math.sqrt(2 * Math.PI)));
  return [apply('multiply', x, cumulative), apply('add', cumulative, apply('multiply', x, density))];
}

/** x σ(x) and its slope σ(x) + x σ(x) (1 - σ(x)). */
function silu(x: Expression): readonly [Expression, Expression] {
  const share = apply('sigmoid', x);
  const value = apply('multiply', x, share);
  return [value, apply('add', share, apply('multiply', value, apply('subtract', number(1), share)))];
}

/** An activation's value and its slope at x. */
export function valueAndSlope(node: Node, x: Expression): readonly [Expression, Expression] {
  if (node.op === 'Silu') return silu(x);
  const formulas = table.get(node.op)!.formulas(node);
  if (formulas === table.get('Gelu')!.formulas({ ...node, attributes: {} })) return exactGelu(x);
  return [formulas.value, slopeOf(formulas)!].map((part) => writeFormula(part, { x }, language)) as [
    Expression,
    Expression,
  ];
}

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
