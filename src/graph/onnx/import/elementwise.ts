import type { Value } from '../../types.js';
import { staticTensor } from '../static-tensor.js';
import { isStatic, type NodeContext, type Translation, type TranslationTable } from './context.js';
import { dtypeAttribute } from './constants.js';
import { convert, zip } from './fold-elementwise.js';

const unary: Translation = (c) => c.add(c.node.opType, [c.value(0)]);
const binary: Translation = (c) => c.add(c.node.opType, [c.value(0), c.value(1)]);

function tableOf(names: string, translation: Translation): TranslationTable {
  return Object.fromEntries(names.split(' ').map((name) => [name, translation]));
}

/** Operators of any number of inputs, as applications of one of two. */
function variadic(op: string): Translation {
  return (c) => c.inputs.map((_, k) => c.value(k)).reduce((a, b) => c.add(op, [a, b]));
}

/** The opposite of a strict comparison. */
function negated(op: string): Translation {
  return (c) => c.add('Not', [c.add(op, [c.value(0), c.value(1)])]);
}

function sum(c: NodeContext): Value {
  return variadic('Add')(c) as Value;
}

function cast(c: NodeContext): ReturnType<Translation> {
  const to = c.node.opType === 'CastLike' ? c.operand(1).dtype : dtypeAttribute(c, 'to', 1);
  const x = c.operand(0);
  if (!isStatic(x)) return c.cast(x, to);
  return x.dtype === to ? x : { ...zip(to, [x], (number) => convert(to)(number))!, dtype: to };
}

/** ONNX lets the exponent be of another type. */
function power(c: NodeContext): Value {
  const exponent = c.operand(1);
  const same = isStatic(exponent)
    ? c.asValue(staticTensor(c.operand(0).dtype, exponent.shape, exponent.data))
    : null;
  return c.add('Pow', [c.value(0), same ?? c.cast(c.value(1), c.operand(0).dtype)]);
}

/** Operators that treat each element by itself. */
export const elementwise: TranslationTable = {
  ...tableOf('Neg Abs Sign Exp Log Sqrt Erf Tanh Sigmoid Softplus Identity Reciprocal Not', unary),
  ...tableOf('Add Sub Mul Div Equal Greater Less And Or', binary),
  Max: variadic('Max'),
  Min: variadic('Min'),
  Sum: sum,
  Mean: (c) => c.add('Div', [sum(c), c.scalar(c.inputs.length)]),
  GreaterOrEqual: negated('Less'),
  LessOrEqual: negated('Greater'),
  Pow: power,
  Where: (c) => c.add('Where', [c.value(0), c.value(1), c.value(2)]),
  Cast: cast,
  CastLike: cast,
  Dropout: (c) => c.operand(0),
};
