import type { Numbers } from '../../ledger/types.js';
import { addInto } from '../../num/sums.js';
import {
  cellCount,
  cellStart,
  countInto,
  createHistogram,
  narrow,
  type SignedHistogram,
} from '../rows/histogram.js';
import type { ThemeContext, Watcher } from '../themes/sweep.js';
import { type Carriers, carriersOf, type Concentration, concentrationOf } from './concentration.js';
import { type Fits, fitAll, type Magnitudes } from './fits.js';

/** Allocations of a layer, of a range of iterations, or of the run. */
export interface TailsOf {
  readonly name: string;
  readonly entries: number;
  readonly zero: number;
  /** Of the entries that are not exactly zero; null without any. */
  readonly concentration: Concentration | null;
  /** Of all entries that are not exactly zero; null where there are fewer than two different magnitudes. */
  readonly fits: Fits | null;
  /** Of the entries beyond `cut`: the Weibull's shape hangs on the smallest values. */
  readonly fitsBeyondCut: Fits | null;
}

/** Density of magnitudes on logarithmic axes (paper Figure S10). */
export interface Density {
  /** Edges in the loss's unit [bins + 1], four a decade: from 1e-20 to 100, or as much further as the largest entry asks. */
  readonly edges: readonly number[];
  /** Entries per unit of ln magnitude, as a share of those not zero [bins]. */
  readonly helping: readonly number[];
  readonly hurting: readonly number[];
}

/** How heavy the tails of single allocations are (paper Section 3, "Learning is heavy-tailed", Figure S10). */
export interface TailsAnalysis {
  readonly run: TailsOf;
  readonly perLayer: readonly TailsOf[];
  /** Quarters of the run's iterations, named `0–219`. */
  readonly perRange: readonly TailsOf[];
  readonly density: Density;
  readonly carriers: Carriers;
  /** Smallest magnitude in the loss's unit of `fitsBeyondCut`. */
  readonly cut: number;
}

const cut = 1e-12;
const ranges = 4;

/** Histograms of every layer in the current range of iterations, of every layer in all, and of every range. */
interface Counters {
  readonly current: SignedHistogram[];
  readonly layers: SignedHistogram[];
  readonly ranges: SignedHistogram[];
}

function addHistogram(target: SignedHistogram, source: SignedHistogram): void {
  addInto(target.counts, source.counts);
  addInto(target.masses, source.masses);
  target.zero += source.zero;
  target.helping.maximum = Math.max(target.helping.maximum, source.helping.maximum);
  target.hurting.maximum = Math.max(target.hurting.maximum, source.hurting.maximum);
}

/** Moves what was counted in the range that ended to the layers and to that range. */
function endRange({ current, layers, ranges: all }: Counters): void {
  const range = createHistogram();
  current.forEach((histogram, layer) => {
    addHistogram(layers[layer]!, histogram);
    addHistogram(range, histogram);
    current[layer] = createHistogram();
  });
  all.push(range);
}

/** The filled cells from a magnitude on, both signs together. */
function magnitudesOf({ helping, hurting }: SignedHistogram, least = 0): Magnitudes {
  const cells: number[] = [];
  for (let cell = 0; cell < cellCount; cell++) {
    if (cellStart(cell) >= least && helping.counts[cell]! + hurting.counts[cell]! > 0) cells.push(cell);
  }
  const counts = Float64Array.from(cells, (cell) => helping.counts[cell]! + hurting.counts[cell]!);
  return {
    counts,
    means: Float64Array.from(
      cells,
      (cell, i) => (helping.masses[cell]! + hurting.masses[cell]!) / counts[i]!,
    ),
    ends: Float64Array.from(cells, (cell) => cellStart(cell + 1)),
  };
}

function describe(name: string, histogram: SignedHistogram): TailsOf {
  const values = magnitudesOf(histogram);
  const nonzero = values.counts.reduce((total, count) => total + count, 0);
  return {
    name,
    entries: nonzero + histogram.zero,
    zero: histogram.zero,
    concentration: concentrationOf(values),
    fits: fitAll(values),
    fitsBeyondCut: fitAll(magnitudesOf(histogram, cut)),
  };
}

function densityOf({ helping, hurting }: SignedHistogram): Density {
  const perDecade = 4;
  const most = Math.max(helping.maximum, hurting.maximum);
  const decade = most > 0 ? Math.floor(Math.log10(most)) + 1 : 0;
  const [first, last] = [Math.min(-20, decade - 20), Math.max(2, decade)];
  const bins = (last - first) * perDecade;
  const edges = Array.from({ length: bins + 1 }, (_, i) => 10 ** (first + i / perDecade));
  const width = Math.LN10 / perDecade;
  const [a, b] = [new Array<number>(bins).fill(0), new Array<number>(bins).fill(0)];
  let nonzero = 0;
  for (let cell = 1; cell < cellCount; cell++) {
    const bin = Math.floor((Math.log10(cellStart(cell)) - first) * perDecade);
    nonzero += helping.counts[cell]! + hurting.counts[cell]!;
    if (bin < 0 || bin >= bins) continue;
    a[bin]! += helping.counts[cell]!;
    b[bin]! += hurting.counts[cell]!;
  }
  const scaled = (counts: readonly number[]) => counts.map((count) => count / (Math.max(1, nonzero) * width));
  return { edges, helping: scaled(a), hurting: scaled(b) };
}

/** First segment of each range of iterations. */
const startOf = (range: number, segments: number): number => Math.floor((range * segments) / ranges);

function rangeNames({ segments, iteration }: ThemeContext['view']): string[] {
  return Array.from({ length: ranges }, (_, range) => {
    const [from, to] = [startOf(range, segments), startOf(range + 1, segments)];
    return to > from ? `${iteration[from]!}–${iteration[to]! - 1}` : '';
  }).filter((name) => name !== '');
}

/** Watches the sizes of all allocations; null where they were not kept. */
export function watchTails({ view, has, totals }: ThemeContext): Watcher<TailsAnalysis | null> {
  if (!has('allocation') || totals === null) return { passes: [], finish: () => null };
  const { layout, segments } = view;
  const create = (): SignedHistogram[] => layout.layers.map(() => createHistogram());
  const counters: Counters = { current: create(), layers: create(), ranges: [] };
  const layerOf = layout.tensors.map(({ layer }) => layout.layers.indexOf(layer));
  const ends = new Set(Array.from({ length: ranges }, (_, range) => startOf(range + 1, segments) - 1));
  const count = (row: Numbers, t: number): void => {
    const narrowed = narrow(row);
    layout.tensors.forEach(({ offset, size }, i) => {
      countInto(counters.current[layerOf[i]!]!, narrowed.subarray(offset, offset + size));
    });
    if (ends.has(t)) endRange(counters);
  };
  return {
    passes: [{ allocation: count }],
    finish() {
      const whole = createHistogram();
      for (const histogram of counters.layers) addHistogram(whole, histogram);
      const names = rangeNames(view);
      return {
        run: describe('run', whole),
        perLayer: layout.layers.map((layer, i) => describe(layer, counters.layers[i]!)),
        perRange: names.map((name, i) => describe(name, counters.ranges[i]!)),
        density: densityOf(whole),
        carriers: carriersOf(totals),
        cut,
      };
    },
  };
}
