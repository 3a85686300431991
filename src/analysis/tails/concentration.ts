import { sum } from '../../num/sums.js';
import type { Magnitudes } from './fits.js';

/** Share of the total magnitude that the entries beyond some standard deviations hold. */
export interface TailShare {
  /** In standard deviations: root mean square of the entries that are not zero. */
  readonly beyond: number;
  readonly share: number;
  /** The same of a Gaussian: exp(−z²/2). */
  readonly gaussian: number;
  readonly ratio: number;
}

/** How unequally the total magnitude is spread over entries that are not zero. */
export interface Concentration {
  readonly tails: readonly TailShare[];
  /** 0: all alike; towards 1: few hold all. A Gaussian's magnitudes have 0.414, exponential ones 0.5. */
  readonly gini: number;
  /** Smallest share of the entries that holds half of the total magnitude. */
  readonly halfShare: number;
}

const multiples = [1, 2, 3] as const;

function tailShare({ counts, means }: Magnitudes, beyond: number): TailShare {
  const entries = sum(counts);
  const limit = beyond * Math.sqrt(sum(counts.map((count, i) => count * means[i]! ** 2)) / entries);
  const masses = counts.map((count, i) => count * means[i]!);
  const share = sum(masses.filter((_, i) => means[i]! > limit)) / sum(masses);
  const gaussian = Math.exp(-(beyond ** 2) / 2);
  return { beyond, share, gaussian, ratio: share / gaussian };
}

/** Of n values, twice the area between the diagonal and the curve of shares that the smallest hold (Lorenz), classes taken whole. */
function giniOf({ counts, means }: Magnitudes): number {
  const entries = sum(counts);
  let [held, area] = [0, 0];
  counts.forEach((count, i) => {
    const mass = count * means[i]!;
    area += count * (2 * held + mass);
    held += mass;
  });
  return held > 0 ? 1 - area / (entries * held) : 0;
}

/** Smallest share of the entries that holds half of the total; within a class, a part of it. */
function halfShareOf({ counts, means }: Magnitudes): number {
  const wanted = sum(counts.map((count, i) => count * means[i]!)) / 2;
  let [held, taken] = [0, 0];
  for (let i = counts.length - 1; i >= 0 && held < wanted; i--) {
    const mass = counts[i]! * means[i]!;
    const part = Math.min(1, (wanted - held) / mass);
    held += part * mass;
    taken += part * counts[i]!;
  }
  return taken / sum(counts);
}

/** Null without entries. */
export function concentrationOf(values: Magnitudes): Concentration | null {
  if (values.counts.length === 0) return null;
  return {
    tails: multiples.map((beyond) => tailShare(values, beyond)),
    gini: giniOf(values),
    halfShare: halfShareOf(values),
  };
}

/** How few parameters carry what the run did, by their totals [K] over it. */
export interface Carriers {
  /** Smallest share of all parameters that holds half of Σ abs(total). */
  readonly halfOfMagnitude: number | null;
  /** Smallest share of all parameters whose totals add up to half of the net change; null where the loss did not fall. */
  readonly halfOfChange: number | null;
  readonly gini: number | null;
}

/** Smallest share of `all` whose values, in descending order, reach `wanted`; null where they never do. */
function shareReaching(descending: Float64Array, wanted: number): number | null {
  let [held, taken] = [0, 0];
  while (held < wanted && taken < descending.length) held += descending[taken++]!;
  return wanted > 0 && held >= wanted ? taken / descending.length : null;
}

/** Of totals [K] of parameters over the run. */
export function carriersOf(totals: Float64Array): Carriers {
  const magnitudes = totals.map(Math.abs).sort();
  const descending = magnitudes.toReversed();
  const helped = totals.map((total) => -total).sort().toReversed(); // prettier-ignore
  const counts = new Float64Array(totals.length).fill(1);
  const whole = sum(magnitudes);
  return {
    halfOfMagnitude: shareReaching(descending, whole / 2),
    halfOfChange: shareReaching(helped, -sum(totals) / 2),
    gini: whole > 0 ? giniOf({ counts, means: magnitudes, ends: magnitudes }) : null,
  };
}
