import type { ObjectiveData, RunData } from './load';

/** A run among others. */
export interface Shown {
  readonly run: RunData;
  readonly own: ObjectiveData;
  readonly label: string;
  readonly colour: string;
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

/** Layers of the first run over segments [from, to) of each. */
export function layersOverSeeds(
  shown: readonly Shown[],
  [from, to]: readonly [number, number],
): LayerOverSeeds[] {
  const sums = shown.map(({ run, own }) =>
    own.layers.over(Math.min(from, run.segments), Math.min(to, run.segments)),
  );
  return (shown[0]?.run.layout.layers ?? []).map((layer) => {
    const totals = shown.map(({ run }, k) => sums[k]![run.layout.layers.indexOf(layer)] ?? NaN);
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
