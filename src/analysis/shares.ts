import type { LedgerView } from '../ledger/view.js';
import { requireSegments } from './checks.js';
import { parametersLayout } from './parameters-only.js';

/** How many allocations were below, above and exactly zero. */
export interface Counts {
  readonly helping: number;
  readonly hurting: number;
  readonly zero: number;
}

/**
 * Shares in [0, 1], stated twice: over all entries and over those not exactly zero (the paper's ranges fit the latter).
 * Null where there is nothing to divide by.
 */
export interface Shares {
  readonly ofAll: {
    readonly helping: number | null;
    readonly hurting: number | null;
    readonly zero: number | null;
  };
  readonly ofNonzero: { readonly helping: number | null; readonly hurting: number | null };
}

/** Counts per iteration, per layer and over the run, of parameters alone but where running statistics have layers of their own (paper Section 3, Table 1, Figures 3(a) and 3(c)). */
export interface ShareAnalysis {
  /** [T] over all parameters. */
  readonly perIteration: {
    readonly helping: readonly number[];
    readonly hurting: readonly number[];
    readonly zero: readonly number[];
  };
  /** In order of the layers; summed over the run. */
  readonly perLayer: readonly ({ readonly layer: string } & Counts & { readonly shares: Shares })[];
  /** All T · K entries together. */
  readonly run: Counts & { readonly shares: Shares };
}

const ratio = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null);

/** Both kinds of shares of some counts. */
export function sharesOf({ helping, hurting, zero }: Counts): Shares {
  const nonzero = helping + hurting;
  const all = nonzero + zero;
  return {
    ofAll: { helping: ratio(helping, all), hurting: ratio(hurting, all), zero: ratio(zero, all) },
    ofNonzero: { helping: ratio(helping, nonzero), hurting: ratio(hurting, nonzero) },
  };
}

/** Sums rows of a row-major [T, layers] array over the first `used` of its layers: [T]. */
function sumOverLayers(cells: Int32Array, segments: number, layers: number, used: number): number[] {
  return Array.from({ length: segments }, (_, t) => {
    let total = 0;
    for (let layer = 0; layer < used; layer++) total += cells[t * layers + layer]!;
    return total;
  });
}

/** Sums one column of a row-major [T, layers] array. */
function sumOverTime(cells: Int32Array, layers: number, layer: number): number {
  let total = 0;
  for (let at = layer; at < cells.length; at += layers) total += cells[at]!;
  return total;
}

const add = (a: Counts, b: Counts): Counts => ({
  helping: a.helping + b.helping,
  hurting: a.hurting + b.hurting,
  zero: a.zero + b.zero,
});

/** Shares helping, hurting and zero of one objective. Throws UsageError before the first segment. */
export function analyseShares(view: LedgerView, name: string): ShareAnalysis {
  requireSegments(view);
  const [helping, hurting, zero] = (['helping', 'hurting', 'zero'] as const).map((kind) =>
    view.column(kind, name),
  ) as [Int32Array, Int32Array, Int32Array];
  const layers = view.layout.layers.length;
  const used = parametersLayout(view.layout).layers.length;
  const over = (cells: Int32Array): number[] => sumOverLayers(cells, view.segments, layers, used);
  const perLayer = view.layout.layers.map((layer, index) => ({
    layer,
    helping: sumOverTime(helping, layers, index),
    hurting: sumOverTime(hurting, layers, index),
    zero: sumOverTime(zero, layers, index),
  }));
  const run = perLayer.slice(0, used).reduce<Counts>(add, { helping: 0, hurting: 0, zero: 0 });
  return {
    perIteration: {
      helping: over(helping),
      hurting: over(hurting),
      zero: over(zero),
    },
    perLayer: perLayer.map((counts) => ({ ...counts, shares: sharesOf(counts) })),
    run: { helping: run.helping, hurting: run.hurting, zero: run.zero, shares: sharesOf(run) },
  };
}
