import type { DType } from '../../../graph/types.js';
import { broadcastShapes } from '../../../graph/shapes.js';
import { intAttribute, stringAttribute } from '../../../graph/attributes.js';
import type { Kernel, Tensor } from '../tensor.js';
import { broadcastOffsets, mapped, zeros, zipped } from '../tensor.js';
import { erf } from '../../../num/special.js';

function unary(f: (x: number) => number): Kernel {
  return ([x]) => [mapped(x!, f)];
}

function binary(f: (a: number, b: number) => number): Kernel {
  return ([a, b]) => [zipped(a!, b!, f)];
}

function asBool(f: (a: number, b: number) => boolean): Kernel {
  return binary((a, b) => (f(a, b) ? 1 : 0));
}

/** Integers divide towards zero. */
const divide: Kernel = ([a, b], node) => {
  const whole = node.outputs[0]!.dtype !== 'float32';
  return [zipped(a!, b!, whole ? (x, y) => Math.trunc(x / y) : (x, y) => x / y)];
};

/** Half to even, as ONNX rounds. */
function roundEven(x: number): number {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}

/** The remainder with the divisor's sign, or with `fmod` the dividend's. */
const modulo: Kernel = ([a, b], node) => {
  const isOfDividend = intAttribute(node, 'fmod', 0) === 1;
  return [zipped(a!, b!, isOfDividend ? (x, y) => x % y : (x, y) => x - y * Math.floor(x / y))];
};

function converter(to: DType): (x: number) => number {
  switch (to) {
    case 'float32':
      return (x) => x;
    case 'bool':
      return (x) => (x === 0 ? 0 : 1);
    case 'uint8':
      return (x) => Uint8Array.of(x)[0]!;
    case 'int32':
    case 'int64':
      return Math.trunc;
  }
}

const cast: Kernel = ([x], node) => [mapped(x!, converter(stringAttribute(node, 'to') as DType))];

function where([condition, a, b]: readonly (Tensor | undefined)[]): Tensor[] {
  const result = zeros(broadcastShapes(condition!.shape, a!.shape, b!.shape)!);
  const [c, fromA, fromB] = [condition!, a!, b!].map((x) => broadcastOffsets(x.shape, result.shape));
  for (let i = 0; i < result.data.length; i++) {
    result.data[i] = condition!.data[c![i]!] !== 0 ? a!.data[fromA![i]!]! : b!.data[fromB![i]!]!;
  }
  return [result];
}

export const elementwise: Readonly<Record<string, Kernel>> = {
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b) => a * b),
  Div: divide,
  Pow: binary((a, b) => a ** b),
  Max: binary((a, b) => Math.max(a, b)),
  Min: binary((a, b) => Math.min(a, b)),
  Mod: modulo,
  Equal: asBool((a, b) => a === b),
  Greater: asBool((a, b) => a > b),
  Less: asBool((a, b) => a < b),
  And: asBool((a, b) => a !== 0 && b !== 0),
  Or: asBool((a, b) => a !== 0 || b !== 0),
  Not: unary((x) => (x === 0 ? 1 : 0)),
  Neg: unary((x) => -x),
  Abs: unary(Math.abs),
  Sign: unary(Math.sign),
  Identity: unary((x) => x),
  Exp: unary(Math.exp),
  Log: unary(Math.log),
  Sqrt: unary(Math.sqrt),
  Sin: unary(Math.sin),
  Cos: unary(Math.cos),
  Atan: unary(Math.atan),
  Erf: unary(erf),
  Reciprocal: unary((x) => 1 / x),
  Floor: unary(Math.floor),
  Ceil: unary(Math.ceil),
  Round: unary(roundEven),
  Where: where,
  Cast: cast,
};
