import type { ObjectiveData, RunData } from './load.js';

/** A run among others. */
export interface Shown {
  readonly run: RunData;
  readonly own: ObjectiveData;
  readonly label: string;
  readonly colour: string;
}

/** Why a run that is open is not compared on an objective. */
export function whyLeft(run: RunData | Error, objective: string): string {
  if (run instanceof Error) return `cannot be read: ${run.message}`;
  return run.segments === 0 ? 'nothing is measured yet' : `has no objective ${objective}`;
}

/** A column by row of θ as points, every `bin`-th. */
export function seriesOf(
  { run, label }: Shown,
  values: Float64Array,
  bin: number,
): { label: string; iteration: number; value: number }[] {
  const rows = Array.from({ length: Math.ceil(values.length / bin) }, (_, k) =>
    Math.min(values.length - 1, k * bin),
  );
  return rows.map((row) => ({ label, iteration: run.view.iteration[row]!, value: values[row]! }));
}

/** What a layer of that name is credited in each run. */
export interface LayerOverSeeds {
  readonly layer: string;
  /** By run; NaN where it has no such layer. */
  readonly totals: readonly number[];
  readonly mean: number;
  /** Half of the 95 % interval of the mean; null: fewer than three runs have the layer. */
  readonly interval: number | null;
}

/** What of a run is compared. */
type Compared = Pick<Shown, 'run' | 'own'>;

/** Row of θ of an iteration among the first `last + 1`; the last one for those behind it, −1 for those without a row. */
function rowAt(iteration: ArrayLike<number>, last: number, at: number): number {
  if (at >= iteration[last]!) return last;
  let [low, high] = [0, last];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (iteration[middle]! < at) low = middle + 1;
    else high = middle;
  }
  return iteration[low] === at ? low : -1;
}

/**
 * What each layer of a run did between two iterations [layers], whatever segments it has of these, or up to its end where that is before the second;
 * null where it has no row of θ at one of them, or ends before the first.
 */
function layersBetween({ run, own }: Compared, from: number, to: number): Float64Array | null {
  const [first, end] = [from, to].map((at) => rowAt(run.view.iteration, run.segments, at));
  return first! < 0 || end! < 0 || first === end ? null : own.layers.over(first!, end!);
}

/**
 * How far what layers of `other` did is from what those of `first` did, in each segment of `first` [T, layers]: between the same two
 * iterations. NaN where `other` has no rows of θ at these. Both have the same layers.
 */
export function differencesOf(first: Compared, other: Compared): Float64Array {
  const { layout, segments, view } = first.run;
  const [width, end] = [layout.layers.length, other.run.view.iteration[other.run.segments]!];
  const found = new Float64Array(segments * width).fill(NaN);
  for (let t = 0; t < segments && view.iteration[t + 1]! <= end; t++) {
    const theirs = layersBetween(other, view.iteration[t]!, view.iteration[t + 1]!);
    for (let k = 0; theirs !== null && k < width; k++)
      found[t * width + k] = theirs[k]! - first.own.layerSums[t * width + k]!;
  }
  return found;
}

/** Layers of the first run between two iterations; a run that has no rows of θ at these has no totals. */
export function layersOverSeeds(
  shown: readonly Shown[],
  [from, to]: readonly [number, number],
): LayerOverSeeds[] {
  const sums = shown.map((each) => layersBetween(each, from, to));
  return (shown[0]?.run.layout.layers ?? []).map((layer) => {
    const totals = shown.map(({ run }, k) => sums[k]?.[run.layout.layers.indexOf(layer)] ?? NaN);
    const known = totals.filter((total) => !Number.isNaN(total));
    const mean = known.reduce((a, b) => a + b, 0) / known.length;
    return { layer, totals, mean, interval: known.length < 3 ? null : halfInterval(known, mean) };
  });
}

/** Student's t at 97.5 % by degrees of freedom from 2 on. */
const quantiles = [4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004, 2.262157];

function halfInterval(values: readonly number[], mean: number): number {
  const squares = values.reduce((total, value) => total + (value - mean) ** 2, 0);
  const error = Math.sqrt(squares / (values.length - 1) / values.length);
  return quantiles[values.length - 3]! * error;
}
