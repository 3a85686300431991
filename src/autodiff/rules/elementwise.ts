import { gradientOperatorOf } from '../../graph/activations/define.js';
import { activations as table } from '../../graph/activations/table.js';
import type { Value } from '../../graph/types.js';
import type { Backward, GradientRule, GradientRules } from '../backward.js';

/** A rule of one input: the gradient from dy, x and y. */
function unary(rule: (step: Backward, dy: Value, x: Value, y: Value) => Value): GradientRule {
  return (step) => [rule(step, step.dy, step.input(0), step.output(0))];
}

/** A rule of two inputs that may have been broadcast. */
function binary(
  rule: (step: Backward, dy: Value, a: Value, b: Value, y: Value) => [Value, Value],
): GradientRule {
  return (step) => {
    const [a, b] = [step.input(0), step.input(1)];
    const [da, db] = rule(step, step.dy, a, b, step.output(0));
    return [step.unbroadcast(da, a.shape), step.unbroadcast(db, b.shape)];
  };
}

const divide = binary((step, dy, _a, b, y) => {
  const da = step.apply('Div', [dy, b]);
  return [da, step.apply('Neg', [step.apply('Mul', [da, y])])];
});

/** d(a^b)/da = b · a^(b-1), and 0 where b is 0. */
function powerSlope(step: Backward, a: Value, b: Value): Value {
  const constant = step.constants.get(b.id);
  if (constant?.length === 1 && Number(constant[0]) !== 0) {
    const exponent = Number(constant[0]);
    const power = exponent === 2 ? a : step.apply('Pow', [a, step.scalar(exponent - 1)]);
    return step.apply('Mul', [power, step.scalar(exponent)]);
  }
  const slope = step.apply('Mul', [b, step.apply('Pow', [a, step.apply('Sub', [b, step.scalar(1)])])]);
  return step.apply('Where', [step.apply('Equal', [b, step.scalar(0)]), step.scalar(0), slope]);
}

/** d(a^b)/db = a^b · log a, and 0 where a is 0. */
const power = binary((step, dy, a, b, y) => {
  const logarithm = step.apply('Mul', [y, step.apply('Log', [a])]);
  const isZero = step.apply('Equal', [a, step.scalar(0)]);
  const slope = step.apply('Where', [isZero, step.scalar(0), logarithm]);
  return [step.apply('Mul', [dy, powerSlope(step, a, b)]), step.apply('Mul', [dy, slope])];
});

/** The chosen input takes the gradient; equal ones share it. `better` compares a with b. */
function choice(better: 'Greater' | 'Less'): GradientRule {
  return binary((step, dy, a, b) => {
    const wins = step.apply('Cast', [step.apply(better, [a, b])], { to: 'float32' });
    const ties = step.apply('Cast', [step.apply('Equal', [a, b])], { to: 'float32' });
    const share = step.apply('Add', [wins, step.apply('Mul', [ties, step.scalar(0.5)])]);
    const da = step.apply('Mul', [dy, share]);
    return [da, step.apply('Sub', [dy, da])];
  });
}

function where(step: Backward): (Value | null)[] {
  const [condition, a, b] = [step.input(0), step.input(1), step.input(2)];
  const zero = step.scalar(0);
  const da = step.apply('Where', [condition, step.dy, zero]);
  const db = step.apply('Where', [condition, zero, step.dy]);
  return [null, step.unbroadcast(da, a.shape), step.unbroadcast(db, b.shape)];
}

/** 2/√π · e^(-x²) */
const errorFunction = unary((step, dy, x) => {
  const bell = step.apply('Exp', [step.apply('Neg', [step.apply('Mul', [x, x])])]);
  return step.apply('Mul', [dy, step.apply('Mul', [bell, step.scalar(2 / Math.sqrt(Math.PI))])]);
});

/** 1 / (1 + x²) */
const arctangent = unary((step, dy, x) =>
  step.apply('Div', [dy, step.apply('Add', [step.apply('Mul', [x, x]), step.scalar(1)])]),
);

/** The remainder is a less a whole number of b, which is constant wherever there is a derivative. */
const modulo = binary((step, dy, a, b, y) => {
  const times = step.apply('Round', [step.apply('Div', [step.apply('Sub', [a, y]), b])]);
  return [dy, step.apply('Neg', [step.apply('Mul', [dy, times])])];
});

const reciprocal = unary((step, dy, _x, y) =>
  step.apply('Neg', [step.apply('Mul', [dy, step.apply('Mul', [y, y])])]),
);

const squareRoot = unary((step, dy, _x, y) =>
  step.apply('Div', [step.apply('Mul', [dy, step.scalar(0.5)]), y]),
);

/** Each activation has a whole gradient operator of dy and of x or y, with the same attributes. */
const activations: GradientRules = Object.fromEntries(
  [...table].map(([name, { gradientOf }]) => [
    name,
    (step) => {
      const at = gradientOf === 'x' ? step.input(0) : step.output(0);
      return [step.apply(gradientOperatorOf(name), [step.dy, at], step.node.attributes)];
    },
  ]),
);

/** Operators that treat each element by itself. */
export const elementwise: GradientRules = {
  ...activations,
  Add: binary((_, dy) => [dy, dy]),
  Sub: binary((step, dy) => [dy, step.apply('Neg', [dy])]),
  Mul: binary((step, dy, a, b) => [step.apply('Mul', [dy, b]), step.apply('Mul', [dy, a])]),
  Div: divide,
  Pow: power,
  Mod: modulo,
  Max: choice('Greater'),
  Min: choice('Less'),
  Where: where,
  Neg: unary((step, dy) => step.apply('Neg', [dy])),
  Abs: unary((step, dy, x) => step.apply('Mul', [dy, step.apply('Sign', [x])])),
  Exp: unary((step, dy, _, y) => step.apply('Mul', [dy, y])),
  Log: unary((step, dy, x) => step.apply('Div', [dy, x])),
  Sqrt: squareRoot,
  Sin: unary((step, dy, x) => step.apply('Mul', [dy, step.apply('Cos', [x])])),
  Cos: unary((step, dy, x) => step.apply('Neg', [step.apply('Mul', [dy, step.apply('Sin', [x])])])),
  Atan: arctangent,
  Erf: errorFunction,
  Reciprocal: reciprocal,
  Identity: unary((_, dy) => dy),
  // Only float32 to float32 carries a gradient: neither side of any other Cast can need one.
  Cast: unary((_, dy) => dy),
};
