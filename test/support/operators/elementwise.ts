import fc from 'fast-check';
import type { InputSpec, Specs, Table } from './spec.js';
import { application, binary, broadcastable, flag, parameter, shapes, unary } from './spec.js';

/** Whole numbers, the second ones positive. */
function integers(): Specs {
  return broadcastable(2).map(([a, b]) =>
    application([
      { shape: a!, dtype: 'int32', from: -20, below: 20 },
      { shape: b!, dtype: 'int32', from: 1, below: 5 },
    ]),
  );
}

/** A fixed exponent, as exporters write squares and roots. */
const fixedPower: Specs = fc
  .tuple(shapes(), fc.constantFrom(2, 3, 0.5, -1))
  .map(([shape, exponent]) =>
    application([parameter(shape, 'positive'), { shape: [], domain: { oneOf: [exponent] }, constant: true }]),
  );

const whole = [-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5];

/** Numbers whose remainders are not close to 0, and whole numbers, of which divisors below 0 are odd. */
const modulo: Specs[] = [
  broadcastable(2).map(([a, b]) =>
    application(
      [
        parameter(a!, { oneOf: [-1.6875, -0.8125, -0.3125, 0.3125, 0.8125, 1.6875] }),
        parameter(b!, { oneOf: [-0.625, 0.5, 0.75] }),
      ],
      { fmod: 1 },
    ),
  ),
  fc.tuple(broadcastable(2), fc.constantFrom(1, -5), flag).map(([[a, b], from, fmod]) =>
    application(
      [
        { shape: a!, dtype: 'int32', from: -20, below: 20 },
        { shape: b!, dtype: 'int32', from, below: from + 4 },
      ],
      { fmod },
    ),
  ),
];

function logical(inputs: 1 | 2): Specs[] {
  return [
    broadcastable(inputs).map((all) =>
      application(all.map((shape): InputSpec => ({ shape, dtype: 'bool', below: 2 }))),
    ),
  ];
}

const where: Specs = broadcastable(3).map(([c, a, b]) =>
  application([{ shape: c!, dtype: 'bool', below: 2 }, parameter(a!), parameter(b!)]),
);

const cast: Specs[] = [
  shapes().map((shape) => application([parameter(shape)], { to: 'float32' })),
  shapes().map((shape) => application([{ shape, dtype: 'int64', below: 9 }], { to: 'float32' })),
  fc
    .tuple(shapes(), fc.constantFrom('int32', 'int64', 'bool'))
    .map(([shape, to]) =>
      application([parameter(shape, { awayFrom: [-4, -3, -2, -1, 0, 1, 2, 3, 4] })], { to }),
    ),
];

const threshold = fc.record({ min: fc.constantFrom(-1, -0.5), max: fc.constantFrom(0.75, 2) });

export const elementwise: Table = {
  Add: [...binary(), integers()],
  Sub: binary(),
  Mul: [...binary(), integers()],
  Div: [...binary('any', 'positive'), integers()],
  Pow: [...binary('positive', 'any'), fixedPower],
  Mod: modulo,
  Max: binary('distinct'),
  Min: binary('distinct'),
  Neg: unary(),
  Abs: unary('distinct'),
  Sign: unary('distinct'),
  Exp: unary(),
  Log: unary('positive'),
  Sqrt: unary('positive'),
  Sin: unary({ awayFrom: [] }),
  Cos: unary({ awayFrom: [] }),
  Atan: unary({ awayFrom: [] }),
  Erf: unary({ awayFrom: [] }),
  Floor: unary({ awayFrom: whole }),
  Ceil: unary({ awayFrom: whole }),
  Round: unary({ awayFrom: whole.map((k) => k - 0.5) }),
  Tanh: unary(),
  Sigmoid: unary({ awayFrom: [] }),
  Softplus: unary({ awayFrom: [] }),
  Identity: unary(),
  Reciprocal: unary('positive'),
  Relu: unary('distinct'),
  LeakyRelu: unary('distinct', fc.constantFrom({}, { alpha: 0.25 })),
  ThresholdedRelu: unary({ awayFrom: [1, 0.25] }, fc.constantFrom({}, { alpha: 0.25 })),
  Elu: unary('distinct', fc.constantFrom({}, { alpha: 0.5 })),
  Selu: unary('distinct', fc.constantFrom({}, { alpha: 1.5, gamma: 0.5 })),
  HardSwish: unary({ awayFrom: [-3, 3] }),
  HardSigmoid: unary({ awayFrom: [-2.5, 2.5, -2, 2] }, fc.constantFrom({}, { alpha: 0.25 })),
  Gelu: unary({ awayFrom: [] }, fc.constantFrom({}, { approximate: 'tanh' })),
  Clip: unary({ awayFrom: [-1, -0.5, 0.75, 2] }, threshold),
  Equal: [...binary('distinct'), integers()],
  Greater: [...binary('distinct'), integers()],
  Less: [...binary('distinct'), integers()],
  Not: logical(1),
  And: logical(2),
  Or: logical(2),
  Where: [where],
  Cast: cast,
};
