import { erf, sigmoid } from '../../num/special.js';
import type { Formula, FormulaFunction, Language } from './formula.js';
import { writeFormula } from './formula.js';

/** A formula's value from x or y (`at`) and dy. */
type NumericFunction = (at: number, dy: number) => number;

const functions: Readonly<Record<FormulaFunction, (a: number, b: number, c: number, d: number) => number>> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  negate: (a) => -a,
  maximum: (a, b) => Math.max(a, b),
  exponential: (a) => Math.exp(a),
  exponentialLessOne: (a) => Math.expm1(a),
  logarithmOfOneMore: (a) => Math.log1p(a),
  tanh: (a) => Math.tanh(a),
  errorFunction: erf,
  sigmoid,
  ifGreater: (a, b, yes, no) => (a > b ? yes : no),
};

const zero: NumericFunction = () => 0;

const language: Language<NumericFunction> = {
  number: (value) => () => value,
  apply(fn, [a = zero, b = zero, c = zero, d = zero]) {
    const f = functions[fn];
    return (at, dy) => f(a(at, dy), b(at, dy), c(at, dy), d(at, dy));
  },
  over: (of, divisor) => (at, dy) => of(at, dy) / divisor,
};

/** A formula as a function of numbers in float64: of x or y, whichever it depends on, and of dy. */
export function numericFunction(formula: Formula): NumericFunction {
  return writeFormula<NumericFunction>(
    formula,
    { x: (at) => at, y: (at) => at, dy: (_, dy) => dy },
    language,
  );
}
