import { lines } from '../../emit/text.js';

/*
 * Winograd's F(m, r): m outputs y of an r-tap correlation of d with a kernel g take fewer products than m · r,
 * y = Aᵀ [(G g) ⊙ (Bᵀ d)] (Lavin and Gray 2016). A scheme for rows and one for columns make one for a plane,
 * y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A. With one example per lane, each product is a matrix product over channels, and the transforms work
 * on whole vectors.
 */

/** Reads the k-th number of a transform. */
type Read = (k: number) => string;
/** The statement that keeps the k-th number of a transform. */
type Keep = (k: number, value: string) => string;

/** Along one axis. */
export interface AxisScheme {
  /** m */
  readonly outputs: number;
  /** Products, n. */
  readonly positions: number;
  /** Inputs that a tile reads, and from the first of a tile to that of the next. */
  readonly window: number;
  readonly step: number;
  /** r */
  readonly taps: number;
  /** G [n, r] */
  readonly kernel: readonly (readonly number[])[];
  /** C code of Bᵀ. */
  readonly input: (d: Read, to: Keep) => string;
  /** C code of Aᵀ. */
  readonly output: (s: Read, to: Keep) => string;
}

/** Of a forward convolution, and so of the gradient of its kernel. */
export interface ForwardAxis extends AxisScheme {
  /** C code of A, which spreads a gradient over the products. */
  readonly gradient: (y: Read, to: Keep) => string;
}

export interface Scheme<Axis extends AxisScheme = AxisScheme> {
  readonly rows: Axis;
  readonly columns: Axis;
}

/**
 * F(m, r) of stride 1, whose matrices follow from the points 0, ±p for each p of `points`, and ∞, at which polynomials are evaluated.
 * Opposite points share the even and the odd terms.
 */
function schemeOf(taps: number, points: readonly number[]): ForwardAxis {
  const all = [0, ...points.flatMap((p) => [p, -p])];
  const positions = all.length + 1;
  const outputs = positions - taps + 1;
  const powers = Array.from({ length: taps }, (_, k) => k);
  const rows = all.map((p) => {
    const scale = all.filter((q) => q !== p).reduce((product, q) => product * (p - q), 1);
    return powers.map((k) => p ** k / (p === 0 ? Math.abs(scale) : scale));
  });
  const last = powers.map((k) => (k === taps - 1 ? 1 : 0));
  return {
    outputs,
    positions,
    window: positions,
    step: outputs,
    taps,
    kernel: [...rows, last],
    input: (d, to) => inputTransform(points, d, to),
    output: (s, to) => outputTransform(points, outputs, s, to),
    gradient: (y, to) => gradientTransform(points, outputs, y, to),
  };
}

/** F(2, 3), with additions only. */
const two = schemeOf(3, [1]);
/** F(4, 3); with these points its rounding errors, along both axes, are about twice those of the direct sum. */
const four = schemeOf(3, [5 / 8, 3 / 2]);
/** F(2, 5), at the same points. */
const five = schemeOf(5, [5 / 8, 3 / 2]);

/**
 * Two outputs at a stride of 2: the taps at even places are F(2, 2) of the inputs at even places, with additions only, and the one
 * between them takes a product for each output; 5 in place of 6.
 */
const strided: ForwardAxis = {
  outputs: 2,
  positions: 5,
  window: 5,
  step: 4,
  taps: 3,
  kernel: [[1, 0, 0], [1, 0, 1], [0, 0, 1], [0, 1, 0], [0, 1, 0]],
  input: (d, to) =>
    [to(0, `${d(0)} - ${d(2)}`), to(1, d(2)), to(2, `${d(4)} - ${d(2)}`), to(3, d(1)), to(4, d(3))].join('\n'),
  output: (s, to) => `${to(0, `${s(0)} + ${s(1)} + ${s(3)}`)}\n${to(1, `${s(1)} + ${s(2)} + ${s(4)}`)}`,
  gradient: (y, to) => [to(0, y(0)), to(1, `${y(0)} + ${y(1)}`), to(2, y(1)), to(3, y(0)), to(4, y(1))].join('\n'),
}; // prettier-ignore

/**
 * Four inputs' gradients at a stride of 2, from three outputs': every second one, from place `first` on, has two taps, and these are
 * F(2, 2) again; those between them have one.
 */
function spread(first: 0 | 1): AxisScheme {
  return {
    outputs: 4,
    positions: 5,
    window: 3,
    step: 2,
    taps: 3,
    kernel: [[0, 0, 1], [1, 0, 1], [1, 0, 0], [0, 1, 0], [0, 1, 0]],
    input: (d, to) =>
      [to(0, `${d(0)} - ${d(1)}`), to(1, d(1)), to(2, `${d(2)} - ${d(1)}`), to(3, d(1 - first)), to(4, d(2 - first))].join('\n'),
    output: (s, to) =>
      [to(first, `${s(0)} + ${s(1)}`), to(first + 2, `${s(1)} + ${s(2)}`), to(1 - first, s(3)), to(3 - first, s(4))].join('\n'),
  };
} // prettier-ignore

/** F(2×2, 3×3) */
export const schemeOfTwo: Scheme<ForwardAxis> = { rows: two, columns: two };
/** F(4×4, 3×3) */
export const schemeOfFour: Scheme<ForwardAxis> = { rows: four, columns: four };
/** F(2×2, 5×5) */
export const schemeOfFive: Scheme<ForwardAxis> = { rows: five, columns: five };
/** 2×2 outputs of 3×3 taps at a stride of 2: 25 products in place of 36. */
export const schemeOfStride: Scheme<ForwardAxis> = { rows: strided, columns: strided };
/** 4×4 inputs' gradients of the same. */
export const schemeOfSpread = (top: 0 | 1, left: 0 | 1): Scheme => ({
  rows: spread(top),
  columns: spread(left),
});

/** Products of a tile. */
export const positionsOf = ({ rows, columns }: Scheme): number => rows.positions * columns.positions;

/** Tiles that cover so many outputs. */
export function tilesOf({ rows, columns }: Scheme, height: number, width: number): number {
  return Math.ceil(height / rows.outputs) * Math.ceil(width / columns.outputs);
}

/** Products of so many outputs, those beyond them in the last tiles counted too. */
export function productsOf(scheme: Scheme, height: number, width: number): number {
  return positionsOf(scheme) * tilesOf(scheme, height, width);
}

const float = (value: number): string => `${Number.isInteger(value) ? value.toFixed(1) : value}f`;

/** factor · term, without the product where the factor is ±1. */
function scaled(factor: number, term: string): string {
  if (factor === 1) return `+ ${term}`;
  return factor === -1 ? `- ${term}` : `+ ${float(factor)} * ${term}`;
}

const sumOf = (terms: readonly (readonly [number, string])[]): string =>
  terms
    .map(([factor, term]) => scaled(factor, term))
    .join(' ')
    .replace(/^\+ /, '');

function inputTransform(points: readonly number[], d: Read, to: Keep): string {
  const squares = points.map((p) => p * p);
  const product = squares.reduce((a, b) => a * b, 1);
  const sum = squares.reduce((a, b) => a + b, 0);
  // Π (x² - p²), times 1 or x.
  const whole = (shift: number): [number, string][] =>
    points.length === 1
      ? [
          [1, d(2 + shift)],
          [-product, d(shift)],
        ]
      : [
          [1, d(4 + shift)],
          [-sum, d(2 + shift)],
          [product, d(shift)],
        ];
  const first = whole(0).map(([factor, term]): [number, string] => [
    points.length % 2 === 0 ? factor : -factor,
    term,
  ]);
  const pairsCode = points.map((p, k) => {
    const others = squares.filter((_, other) => other !== k);
    const part = (top: number): string =>
      sumOf([[1, d(top)], ...others.map((q): [number, string] => [-q, d(top - 2)])]);
    const last = 2 * points.length;
    return `{ const v even = ${part(last)}, odd = ${part(last - 1)};
      ${to(
        2 * k + 1,
        sumOf([
          [1, 'even'],
          [p, 'odd'],
        ]),
      )}
      ${to(
        2 * k + 2,
        sumOf([
          [1, 'even'],
          [-p, 'odd'],
        ]),
      )} }`;
  });
  return `${to(0, sumOf(first))}\n${pairsCode.join('\n')}\n${to(2 * points.length + 1, sumOf(whole(1)))}`;
}

function outputTransform(points: readonly number[], outputs: number, s: Read, to: Keep): string {
  const halves = lines(
    points.length,
    (k) =>
      `const v sum${k} = ${s(2 * k + 1)} + ${s(2 * k + 2)}, difference${k} = ${s(2 * k + 1)} - ${s(2 * k + 2)};`,
  );
  const value = (k: number): string =>
    sumOf([
      ...(k === 0 ? [[1, s(0)] as const] : []),
      ...(k === outputs - 1 ? [[1, s(2 * points.length + 1)] as const] : []),
      ...points.map((p, n) => [p ** k, `${k % 2 === 0 ? 'sum' : 'difference'}${n}`] as const),
    ]);
  return `{ ${halves}\n${lines(outputs, (k) => to(k, value(k)))} }`;
}

function gradientTransform(points: readonly number[], outputs: number, y: Read, to: Keep): string {
  const terms = (p: number, parity: number): string =>
    sumOf(
      Array.from({ length: outputs }, (_, k) => k)
        .filter((k) => k % 2 === parity)
        .map((k): [number, string] => [p ** k, y(k)]),
    );
  const pairsCode = points.map(
    (p, k) => `{ const v even = ${terms(p, 0)}, odd = ${terms(p, 1)};
      ${to(2 * k + 1, 'even + odd')}
      ${to(2 * k + 2, 'even - odd')} }`,
  );
  return `${to(0, y(0))}\n${pairsCode.join('\n')}\n${to(2 * points.length + 1, y(outputs - 1))}`;
}

/** C code of Σ factors[k] · term(k), in double. */
export function combination(factors: readonly number[], term: (k: number) => string): string {
  return factors
    .flatMap((factor, k) => (factor === 0 ? [] : [factor === 1 ? term(k) : `${factor} * ${term(k)}`]))
    .join(' + ');
}
