import { sum } from '../../num/sums.js';

/** Probability that an interval covers the mean. */
export const confidence = 0.95;

/** Mean of a sample, how sure it is, and Student's test of the mean against zero (two-sided). */
export interface MeanTest {
  readonly count: number;
  readonly mean: number;
  /** Sample standard deviation (n − 1); null for fewer than two values. */
  readonly deviation: number | null;
  /** Interval that covers the mean with probability 0.95; null for fewer than two values. */
  readonly interval: readonly [number, number] | null;
  /** mean / (deviation / √n); null for fewer than two values, or where all are equal. */
  readonly statistic: number | null;
  /** Probability of a statistic at least so far from zero if the mean were zero; null as the statistic. */
  readonly p: number | null;
}

/** Student's t distribution: of the statistic and its inverse. */
export interface StudentT {
  readonly cdf: (x: number, degrees: number) => number;
  readonly quantile: (p: number, degrees: number) => number;
}

/** Loads the distribution: it is needed by few, and takes longer to load than all else. */
export async function studentT(): Promise<StudentT> {
  const { default: distributions } = await import('@stdlib/dist-stats-base-dists-flat');
  return distributions.base.dists.t;
}

/** Tests the mean of a sample [n ≥ 1] against zero. */
export function testMean(values: readonly number[], { cdf, quantile }: StudentT): MeanTest {
  const count = values.length;
  const mean = sum(values) / count;
  const none = { count, mean, deviation: null, interval: null, statistic: null, p: null };
  if (count < 2) return none;
  const deviation = Math.sqrt(sum(values.map((value) => (value - mean) ** 2)) / (count - 1));
  const error = deviation / Math.sqrt(count);
  const reach = quantile((1 + confidence) / 2, count - 1) * error;
  const statistic = error > 0 ? mean / error : null;
  return {
    count,
    mean,
    deviation,
    interval: [mean - reach, mean + reach],
    statistic,
    p: statistic === null ? null : 2 * cdf(-Math.abs(statistic), count - 1),
  };
}
