import type { Value } from '../../../graph/types.js';
import type { NodeContext, TranslationTable } from '../context.js';

const one = (c: NodeContext): Value => c.scalar(1);
const square = (c: NodeContext, x: Value): Value => c.add('Mul', [x, x]);
const half = (c: NodeContext, x: Value): Value => c.add('Mul', [x, c.scalar(0.5)]);

/** The root of 1 - x², as of its two factors, so that it keeps its digits near -1 and 1. */
function besides(c: NodeContext, x: Value): Value {
  const factors = [c.add('Sub', [one(c), x]), c.add('Add', [one(c), x])];
  return c.add('Sqrt', [c.add('Mul', factors)]);
}

/** The angle whose sine is x; its slope is infinite at -1 and 1. */
function arcsine(c: NodeContext): Value {
  const x = c.value(0);
  return c.add('Atan', [c.add('Div', [x, besides(c, x)])]);
}

/** e^x ± e^-x, halved. */
function hyperbolic(c: NodeContext, op: 'Add' | 'Sub'): Value {
  const x = c.value(0);
  return half(c, c.add(op, [c.add('Exp', [x]), c.add('Exp', [c.add('Neg', [x])])]));
}

/** log(|x| + √(x² + 1)) with the sign of x. The size of x is chosen, not taken by Abs, so that the slope at 0 is 1. */
function areaSine(c: NodeContext): Value {
  const x = c.value(0);
  const isBelow = c.add('Less', [x, c.scalar(0)]);
  const size = c.add('Where', [isBelow, c.add('Neg', [x]), x]);
  const root = c.add('Sqrt', [c.add('Add', [square(c, x), one(c)])]);
  const area = c.add('Log', [c.add('Add', [size, root])]);
  return c.add('Where', [isBelow, c.add('Neg', [area]), area]);
}

function areaCosine(c: NodeContext): Value {
  const x = c.value(0);
  const factors = [c.add('Sub', [x, one(c)]), c.add('Add', [x, one(c)])];
  return c.add('Log', [c.add('Add', [x, c.add('Sqrt', [c.add('Mul', factors)])])]);
}

function areaTangent(c: NodeContext): Value {
  const x = c.value(0);
  return half(c, c.add('Log', [c.add('Div', [c.add('Add', [one(c), x]), c.add('Sub', [one(c), x])])]));
}

/** Functions of angles and hyperbolas, and their inverses, that are written with others. */
export const functions: TranslationTable = {
  Tan: (c) => c.add('Div', [c.add('Sin', [c.value(0)]), c.add('Cos', [c.value(0)])]),
  Asin: arcsine,
  Acos: (c) => c.add('Sub', [c.scalar(Math.PI / 2), arcsine(c)]),
  Sinh: (c) => hyperbolic(c, 'Sub'),
  Cosh: (c) => hyperbolic(c, 'Add'),
  Asinh: areaSine,
  Acosh: areaCosine,
  Atanh: areaTangent,
};
