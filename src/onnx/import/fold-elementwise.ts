import { broadcastShapes } from '../../graph/shapes.js';
import type { DType } from '../../graph/types.js';
import type { StaticTensor } from './static-tensor.js';
import { broadcastStrides, offsetOf, tabulate } from './static-tensor.js';
import type { NodeContext } from './context.js';

/** Evaluates an operator on numbers; null where it cannot, so that it becomes a node of the graph. */
export type ConstantFold = (context: NodeContext, inputs: readonly StaticTensor[]) => StaticTensor | null;

/** Evaluations by operator of ONNX. */
export type ConstantFoldTable = Readonly<Record<string, ConstantFold>>;

/** The operator with `count` inputs; with fewer it is left to its translation, which says what is missing. */
export function withInputs(count: number, fold: ConstantFold): ConstantFold {
  return (context, inputs) => (inputs.length < count ? null : fold(context, inputs));
}

type Unary = (x: number) => number;
type Binary = (a: number, b: number) => number;

/** Evaluates `f` on broadcast inputs; null where they do not broadcast. */
export function zip(
  dtype: DType,
  inputs: readonly StaticTensor[],
  f: (...x: number[]) => number,
): StaticTensor | null {
  const shape = broadcastShapes(...inputs.map((input) => input.shape));
  if (shape === null) return null;
  const strides = inputs.map((input) => broadcastStrides(input.shape, shape.length));
  return tabulate(dtype, shape, (index) =>
    f(...inputs.map(({ data }, k) => data[offsetOf(index, strides[k]!)]!)),
  );
}

function unary(f: Unary): ConstantFold {
  return (_, [x]) => zip(x!.dtype, [x!], f);
}

function binary(f: Binary): ConstantFold {
  return withInputs(2, (_, [a, b]) => zip(a!.dtype, [a!, b!], f));
}

function comparison(f: (a: number, b: number) => boolean): ConstantFold {
  return withInputs(2, (_, [a, b]) => zip('bool', [a!, b!], (x, y) => (f(x, y) ? 1 : 0)));
}

/** Integers divide towards zero. */
const divide: ConstantFold = withInputs(2, (_, [a, b]) =>
  zip(a!.dtype, [a!, b!], a!.dtype === 'float32' ? (x, y) => x / y : (x, y) => Math.trunc(x / y)),
);

/** ONNX's Mod: the divisor's sign, or with `fmod` the dividend's. */
function modulo({ attributes }: NodeContext, [a, b]: readonly StaticTensor[]): StaticTensor | null {
  const remainder: Binary =
    attributes.int('fmod', 0) === 1 ? (x, y) => x % y : (x, y) => x - y * Math.floor(x / y);
  return zip(a!.dtype, [a!, b!], remainder);
}

/** Half to even, as ONNX's Round. */
function roundEven(x: number): number {
  const floor = Math.floor(x);
  if (x - floor !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** A number as another element type holds it. */
export function convert(to: DType): Unary {
  if (to === 'float32') return (x) => x;
  return to === 'bool' ? (x) => (x === 0 ? 0 : 1) : Math.trunc;
}

/** Arithmetic on numbers that are known when a model is read. */
export const elementwiseFolds: ConstantFoldTable = {
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b) => a * b),
  Div: divide,
  Pow: binary((a, b) => a ** b),
  Mod: withInputs(2, modulo),
  Neg: unary((x) => -x),
  Abs: unary(Math.abs),
  Sign: unary(Math.sign),
  Sqrt: unary(Math.sqrt),
  Exp: unary(Math.exp),
  Log: unary(Math.log),
  Reciprocal: unary((x) => 1 / x),
  Floor: unary(Math.floor),
  Ceil: unary(Math.ceil),
  Round: unary(roundEven),
  Sin: unary(Math.sin),
  Cos: unary(Math.cos),
  Atan: unary(Math.atan),
  Not: unary((x) => (x === 0 ? 1 : 0)),
  And: comparison((a, b) => a !== 0 && b !== 0),
  Or: comparison((a, b) => a !== 0 || b !== 0),
  Equal: comparison((a, b) => a === b),
  Greater: comparison((a, b) => a > b),
  GreaterOrEqual: comparison((a, b) => a >= b),
  Less: comparison((a, b) => a < b),
  LessOrEqual: comparison((a, b) => a <= b),
  Where: withInputs(3, (_, [condition, a, b]) =>
    zip(a!.dtype, [condition!, a!, b!], (c, x, y) => (c !== 0 ? x : y)),
  ),
  Max: (_, inputs) => zip(inputs[0]!.dtype, inputs, Math.max),
  Min: (_, inputs) => zip(inputs[0]!.dtype, inputs, Math.min),
};
