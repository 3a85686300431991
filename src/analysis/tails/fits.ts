import { erf } from '../../num/special.js';
import { sum } from '../../num/sums.js';

/** Magnitudes in ascending classes; within one, all count as equal to their mean. */
export interface Magnitudes {
  /** [classes] entries. */
  readonly counts: Float64Array;
  /** [classes] mean magnitude. */
  readonly means: Float64Array;
  /** [classes] magnitude that all of the class are below, or at. */
  readonly ends: Float64Array;
}

/** A distribution around zero, fitted to signed values by maximum likelihood. */
export interface Fit {
  /** √(mean of squares) of the Gaussian, mean magnitude of the Laplace, 63rd percentile of the Weibull; in the loss's unit. */
  readonly scale: number;
  /** Of the Weibull: below 1 the density grows without bound towards zero and its tail is heavier than an exponential's; else null. */
  readonly shape: number | null;
  /** Interval that covers the shape with probability 0.95 if entries are independent; null where there is no shape. */
  readonly shapeInterval: readonly [number, number] | null;
  /** Mean of the logarithm of the density (of values in the loss's unit), in nats an entry; larger fits better. */
  readonly logLikelihood: number;
  /** Largest distance of the distribution functions of magnitudes, fitted and found (Kolmogorov's D); smaller fits better. */
  readonly distance: number;
}

/** The fits that are compared. */
export interface Fits {
  readonly entries: number;
  readonly gaussian: Fit;
  readonly laplace: Fit;
  /** A Weibull distribution of the magnitude, with either sign (location zero). */
  readonly weibull: Fit;
}

/** Mean over entries of a function of the magnitude. */
function meanOf({ counts, means }: Magnitudes, of: (x: number) => number): number {
  return sum(counts.map((count, i) => count * of(means[i]!))) / sum(counts);
}

function distanceOf({ counts, ends }: Magnitudes, cumulative: (x: number) => number): number {
  const entries = sum(counts);
  let [below, distance] = [0, 0];
  for (let i = 0; i < counts.length; i++) {
    below += counts[i]!;
    distance = Math.max(distance, Math.abs(below / entries - cumulative(ends[i]!)));
  }
  return distance;
}

/**
 * Shape of a Weibull distribution by maximum likelihood: the root of Σ x^c ln x / Σ x^c − 1/c − mean ln x, which rises with c; found by
 * bisection in ln c.
 */
function weibullShape({ counts, means }: Magnitudes): number {
  const entries = sum(counts);
  const logs = means.map(Math.log);
  const centre = sum(counts.map((count, i) => count * logs[i]!)) / entries;
  const centred = logs.map((log) => log - centre);
  const top = centred.at(-1)!;
  const slope = (c: number): number => {
    let [powers, weighted] = [0, 0];
    for (let i = 0; i < counts.length; i++) {
      const power = counts[i]! * Math.exp(c * (centred[i]! - top));
      powers += power;
      weighted += power * centred[i]!;
    }
    return weighted / powers - 1 / c;
  };
  let [low, high] = [Math.log(1e-3), Math.log(1e3)];
  for (let step = 0; step < 50; step++) {
    const middle = (low + high) / 2;
    if (slope(Math.exp(middle)) < 0) low = middle;
    else high = middle;
  }
  return Math.exp((low + high) / 2);
}

/** √(6)/π: the shape's standard error is this · c / √n. */
const shapeError = Math.sqrt(6) / Math.PI;
const z95 = 1.959963984540054;

function fitWeibull(values: Magnitudes): Fit {
  const shape = weibullShape(values);
  const top = values.means.at(-1)!;
  const scale = top * meanOf(values, (x) => (x / top) ** shape) ** (1 / shape);
  const reach = (z95 * shapeError * shape) / Math.sqrt(sum(values.counts));
  const logRatio = meanOf(values, (x) => Math.log(x / scale));
  return {
    scale,
    shape,
    shapeInterval: [shape - reach, shape + reach],
    logLikelihood: Math.log(shape / (2 * scale)) + (shape - 1) * logRatio - 1,
    distance: distanceOf(values, (x) => -Math.expm1(-((x / scale) ** shape))),
  };
}

function fitGaussian(values: Magnitudes): Fit {
  const scale = Math.sqrt(meanOf(values, (x) => x * x));
  return {
    scale,
    shape: null,
    shapeInterval: null,
    logLikelihood: -Math.log(scale * Math.sqrt(2 * Math.PI)) - 1 / 2,
    distance: distanceOf(values, (x) => erf(x / (scale * Math.SQRT2))),
  };
}

function fitLaplace(values: Magnitudes): Fit {
  const scale = meanOf(values, (x) => x);
  return {
    scale,
    shape: null,
    shapeInterval: null,
    logLikelihood: -Math.log(2 * scale) - 1,
    distance: distanceOf(values, (x) => -Math.expm1(-x / scale)),
  };
}

/** Fits all; null where there are fewer than two different magnitudes. */
export function fitAll(values: Magnitudes): Fits | null {
  if (values.counts.length < 2) return null;
  return {
    entries: sum(values.counts),
    gaussian: fitGaussian(values),
    laplace: fitLaplace(values),
    weibull: fitWeibull(values),
  };
}
