import type { Expression, ExpressionFunction, Unfinished } from '../plan/expression.js';
import { doubleLiteral } from './text.js';

const infix: Partial<Record<ExpressionFunction, string>> = {
  add: '+',
  subtract: '-',
  multiply: '*',
  divide: '/',
  equal: '==',
};

const calls: Partial<Record<ExpressionFunction, string>> = {
  maximum: 'd_max',
  squareRoot: 'sqrt',
  exponential: 'exp',
  exponentialLessOne: 'expm1',
  logarithm: 'log',
  logarithmOfOneMore: 'log1p',
  tanh: 'tanh',
  errorFunction: 'erf',
  bell: 'd_bell',
  normalCumulative: 'd_normal',
  sine: 'sin',
  cosine: 'cos',
  arctangent: 'atan',
  sigmoid: 'd_sigmoid',
  power: 'pow',
  largest: 'd_largest',
  truncate: 'trunc',
  floor: 'floor',
  ceiling: 'ceil',
  round: 'rint',
  remainder: 'fmod',
};

/** C code of an expression in double, of one element: its leaves `computed` are what `nameOf` calls them, there are no others but numbers. Throws TypeError for another leaf. */
export function doubleCode(expression: Expression, nameOf: (by: Unfinished) => string): string {
  if (expression.kind === 'number') return doubleLiteral(expression.value);
  if (expression.kind === 'computed') return nameOf(expression.by);
  if (expression.kind !== 'apply') throw new TypeError(`a leaf ${expression.kind} in double`);
  const args = expression.args.map((argument) => doubleCode(argument, nameOf));
  const { fn } = expression;
  if (infix[fn] !== undefined) return `(double)(${args.join(` ${infix[fn]} `)})`;
  if (fn === 'negate') return `(-${args[0]!})`;
  if (fn === 'ifGreater') return `(${args[0]!} > ${args[1]!} ? ${args[2]!} : ${args[3]!})`;
  return `${calls[fn]!}(${args.join(', ')})`;
}
