/** Whether two samples come from one distribution (Kolmogorov and Smirnov). */
export interface TwoSampleTest {
  readonly counts: readonly [number, number];
  /** D: the largest distance of the two distribution functions, in [0, 1]. */
  readonly distance: number;
  /** Probability of a distance at least so large if both came from one; of the limit for large samples, of independent values. */
  readonly p: number;
}

/** P(K > x) of Kolmogorov's limit distribution: 2 Σ (−1)^(k−1) e^(−2k²x²). */
export function kolmogorovTail(x: number): number {
  if (x < 0.2) return 1;
  let total = 0;
  for (let k = 1; k <= 100; k++) {
    const term = Math.exp(-2 * k * k * x * x);
    total += k % 2 === 1 ? term : -term;
    if (term < 1e-18) break;
  }
  return Math.min(1, Math.max(0, 2 * total));
}

/** Compares two samples; null where one is empty. */
export function compareSamples(first: readonly number[], second: readonly number[]): TwoSampleTest | null {
  const [n, m] = [first.length, second.length];
  if (n === 0 || m === 0) return null;
  const a = Float64Array.from(first).sort();
  const b = Float64Array.from(second).sort();
  let [i, j, distance] = [0, 0, 0];
  while (i < n && j < m) {
    const value = Math.min(a[i]!, b[j]!);
    while (i < n && a[i]! === value) i++;
    while (j < m && b[j]! === value) j++;
    distance = Math.max(distance, Math.abs(i / n - j / m));
  }
  return { counts: [n, m], distance, p: kolmogorovTail(distance * Math.sqrt((n * m) / (n + m))) };
}
