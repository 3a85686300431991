import { lines } from '../../emit/text.js';

/*
 * Winograd's F(m×m, r×r): m×m outputs y of an r×r correlation of an n×n input d, n = m + r - 1, with a kernel g take n² products
 * instead of m²r², y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A (Lavin and Gray 2016). The matrices follow from the points 0, ±p for each
 * p of `points`, and ∞, at which polynomials are evaluated. With one example per lane, each product is a matrix product over
 * channels, and the transforms work on whole vectors.
 */
export interface Scheme {
  /** m */
  readonly outputs: number;
  /** n */
  readonly inputs: number;
  /** r */
  readonly taps: number;
  /** Positive points, each of which stands for itself and its opposite. */
  readonly points: readonly number[];
  /** G [n, r] */
  readonly kernel: readonly (readonly number[])[];
}

function schemeOf(taps: number, points: readonly number[]): Scheme {
  const all = [0, ...points.flatMap((p) => [p, -p])];
  const inputs = all.length + 1;
  const powers = Array.from({ length: taps }, (_, k) => k);
  const rows = all.map((p) => {
    const scale = all.filter((q) => q !== p).reduce((product, q) => product * (p - q), 1);
    return powers.map((k) => p ** k / (p === 0 ? Math.abs(scale) : scale));
  });
  const last = powers.map((k) => (k === taps - 1 ? 1 : 0));
  return { outputs: inputs - taps + 1, inputs, taps, points, kernel: [...rows, last] };
}

/** F(2×2, 3×3), with additions only. */
export const schemeOfTwo = schemeOf(3, [1]);
/** F(4×4, 3×3); with these points its rounding errors are about twice those of the direct sum. */
export const schemeOfFour = schemeOf(3, [5 / 8, 3 / 2]);
/** F(2×2, 5×5), at the same points. */
export const schemeOfFive = schemeOf(5, [5 / 8, 3 / 2]);

/** Products of a tile. */
export const positionsOf = ({ inputs }: Scheme): number => inputs * inputs;

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

/**
 * C code of Bᵀ along one axis: sets `to(k)` from `d(0)` … `d(n - 1)`. Opposite points share the even and the odd terms.
 */
export function inputTransform(
  { points, inputs }: Scheme,
  d: (k: number) => string,
  to: (k: number, value: string) => string,
): string {
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
    const last = inputs - 2;
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
  return `${to(0, sumOf(first))}\n${pairsCode.join('\n')}\n${to(inputs - 1, sumOf(whole(1)))}`;
}

/** C code of Aᵀ along one axis: sets `to(k)`, k < m, from `s(0)` … `s(n - 1)`. */
export function outputTransform(
  { points, outputs, inputs }: Scheme,
  s: (k: number) => string,
  to: (k: number, value: string) => string,
): string {
  const halves = lines(
    points.length,
    (k) =>
      `const v sum${k} = ${s(2 * k + 1)} + ${s(2 * k + 2)}, difference${k} = ${s(2 * k + 1)} - ${s(2 * k + 2)};`,
  );
  const value = (k: number): string =>
    sumOf([
      ...(k === 0 ? [[1, s(0)] as const] : []),
      ...(k === outputs - 1 ? [[1, s(inputs - 1)] as const] : []),
      ...points.map((p, n) => [p ** k, `${k % 2 === 0 ? 'sum' : 'difference'}${n}`] as const),
    ]);
  return `{ ${halves}\n${lines(outputs, (k) => to(k, value(k)))} }`;
}

/** C code of A along one axis, which spreads a gradient over the products: sets `to(k)`, k < n, from `y(0)` … `y(m - 1)`. */
export function gradientTransform(
  { points, outputs, inputs }: Scheme,
  y: (k: number) => string,
  to: (k: number, value: string) => string,
): string {
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
  return `${to(0, y(0))}\n${pairsCode.join('\n')}\n${to(inputs - 1, y(outputs - 1))}`;
}

/** C code of Σ factors[k] · term(k), in double. */
export function combination(factors: readonly number[], term: (k: number) => string): string {
  return factors
    .flatMap((factor, k) => (factor === 0 ? [] : [factor === 1 ? term(k) : `${factor} * ${term(k)}`]))
    .join(' + ');
}
