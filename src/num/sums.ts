/** What the sums accept. */
export type Floats = Float64Array | Float32Array;

/**
 * Sum of numbers [n] with Neumaier's compensation: the error is about one rounding of the result plus n² · 2^-106 Σ|x|, where a plain sum's grows
 * with n · 2^-53 Σ|x|. NaN and infinities come through as in a plain sum.
 */
export function sum(values: ArrayLike<number>): number {
  let total = 0;
  let lost = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const next = total + value;
    lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
    total = next;
  }
  return Number.isFinite(total) ? total + lost : total;
}

/** Σ aᵢ bᵢ of two vectors [n], products rounded once to float64, summed with Neumaier's compensation. */
export function dot(a: Floats, b: Floats): number {
  let total = 0;
  let lost = 0;
  for (let i = 0; i < a.length; i++) {
    const value = a[i]! * b[i]!;
    const next = total + value;
    lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
    total = next;
  }
  return Number.isFinite(total) ? total + lost : total;
}

/** target [n] += source [n], element by element. Called in a fixed order, it makes reductions reproducible. */
export function addInto(target: Float64Array, source: Floats): void {
  for (let i = 0; i < target.length; i++) target[i] = target[i]! + source[i]!;
}

/** target [n] = Σ sources [n] / divisor, added in the order of the sources: bit for bit as by `addInto` from zeros. As few passes as they allow: each costs as much as all of its sums. */
export function meanInto(target: Float64Array, sources: readonly Floats[], divisor: number): void {
  target.fill(0);
  let from = 0;
  // Dividing by one changes nothing.
  const by = (next: number) => (next === sources.length ? divisor : 1);
  for (; from + 8 <= sources.length; from += 8) {
    const [a, b, c, d, e, f, g, h] = sources.slice(from, from + 8) as Eight;
    const last = by(from + 8);
    for (let i = 0; i < target.length; i++) {
      target[i] = (target[i]! + a[i]! + b[i]! + c[i]! + d[i]! + e[i]! + f[i]! + g[i]! + h[i]!) / last;
    }
  }
  for (; from + 2 <= sources.length; from += 2) {
    const [a, b] = [sources[from]!, sources[from + 1]!];
    const last = by(from + 2);
    for (let i = 0; i < target.length; i++) target[i] = (target[i]! + a[i]! + b[i]!) / last;
  }
  if (from === sources.length) return;
  const a = sources[from]!;
  for (let i = 0; i < target.length; i++) target[i] = (target[i]! + a[i]!) / divisor;
}

type Eight = [Floats, Floats, Floats, Floats, Floats, Floats, Floats, Floats];

/** A vector [n] and what it is multiplied by. */
export interface Term {
  readonly weight: number;
  readonly vector: Floats;
}

/** target [n] = Σ weight · vector, added in the order of the terms: bit for bit as by `addScaledInto` from zeros. */
export function combineInto(target: Float64Array, terms: readonly Term[]): void {
  target.fill(0);
  let from = 0;
  for (; from + 3 <= terms.length; from += 3) {
    const { weight: p, vector: a } = terms[from]!;
    const { weight: q, vector: b } = terms[from + 1]!;
    const { weight: r, vector: c } = terms[from + 2]!;
    for (let i = 0; i < target.length; i++) target[i] = target[i]! + p * a[i]! + q * b[i]! + r * c[i]!;
  }
  for (const { weight, vector } of terms.slice(from)) addScaledInto(target, weight, vector);
}

/** target [n] += factor · source [n], element by element. */
export function addScaledInto(target: Float64Array, factor: number, source: Floats): void {
  for (let i = 0; i < target.length; i++) target[i] = target[i]! + factor * source[i]!;
}

/** Euclidean norm of a vector [n]. */
export function norm(values: Floats): number {
  return Math.sqrt(dot(values, values));
}

/** Index of the first NaN or infinity of numbers [n], or −1. */
export function firstNonFinite(values: Floats): number {
  // x − x is zero or NaN: four sums without branches take a third of the time of a test of each number.
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = values.length - (values.length % 4);
  for (let i = 0; i < whole; i += 4) {
    a += values[i]! - values[i]!;
    b += values[i + 1]! - values[i + 1]!;
    c += values[i + 2]! - values[i + 2]!;
    d += values[i + 3]! - values[i + 3]!;
  }
  const from = a + b + c + d === 0 ? whole : 0;
  for (let i = from; i < values.length; i++) if (!Number.isFinite(values[i]!)) return i;
  return -1;
}
