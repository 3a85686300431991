import type { Value } from '../../../graph/types.js';
import { isStatic, staticTensor } from '../static-tensor.js';
import { resolveAxis } from './arguments.js';
import type { NodeContext, Translation, TranslationTable } from '../context.js';
import { dtypeAttribute } from './constants.js';
import { convert, zip } from '../fold-elementwise.js';

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

/** Ones (or `values[1]`) where the new last axis counts to the index, else zeros; an index below 0 counts from the end. */
function oneHot(c: NodeContext): Value {
  const indices = c.cast(c.value(0), 'int64');
  const depth = c.number(1, 0);
  const [off = 0, on = 1] = c.numbers(2) ?? [];
  const rank = indices.shape.length + 1;
  const axis = resolveAxis(c, c.attributes.int('axis', -1), rank);
  const shape = [...indices.shape];
  shape.splice(axis, 0, 1);
  const column = c.add('Reshape', [indices], { shape });
  c.spend(depth);
  const isAt = (first: number): Value => {
    const places = Array.from({ length: depth }, (_, k) => first + k);
    const along = Array.from({ length: rank }, (_, k) => (k === axis ? depth : 1));
    return c.add('Equal', [column, c.state.builder.constant(places, along, 'int64', 'places')]);
  };
  const values = c.operand(2).dtype;
  return c.add('Where', [c.add('Or', [isAt(0), isAt(-depth)]), c.scalar(on, values), c.scalar(off, values)]);
}

/** Whether a number is infinite, of the signs that are asked for; nothing equals NaN. */
function isInfinite(c: NodeContext): Value {
  const isAt = (name: string, value: number): Value =>
    c.add('Equal', [c.value(0), c.scalar(c.attributes.int(name, 1) === 0 ? NaN : value)]);
  return c.add('Or', [isAt('detect_positive', Infinity), isAt('detect_negative', -Infinity)]);
}

/** Operators that treat each element by itself. */
export const elementwise: TranslationTable = {
  ...tableOf('Neg Abs Sign Exp Log Sin Cos Atan Erf Floor Ceil Round Identity Reciprocal Not', unary),
  ...tableOf('Add Sub Mul Div Equal Greater Less And Or', binary),
  Max: variadic('Max'),
  Min: variadic('Min'),
  Sum: sum,
  Mean: (c) => c.add('Div', [sum(c), c.scalar(c.inputs.length)]),
  GreaterOrEqual: negated('Less'),
  LessOrEqual: negated('Greater'),
  Mod: (c) => c.add('Mod', [c.value(0), c.value(1)], { fmod: c.attributes.int('fmod', 0) }),
  Xor: (c) => c.add('Not', [c.add('Equal', [c.value(0), c.value(1)])]),
  IsNaN: (c) => c.add('Not', [c.add('Equal', [c.value(0), c.value(0)])]),
  IsInf: isInfinite,
  Pow: power,
  Where: (c) => c.add('Where', [c.value(0), c.value(1), c.value(2)]),
  Cast: cast,
  CastLike: cast,
  OneHot: oneHot,
  Dropout: (c) => c.operand(0),
};
