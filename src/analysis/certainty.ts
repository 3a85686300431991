import { allowedOpen } from '../ledger/certainty.js';
import type { LedgerView } from '../ledger/view.js';
import { sum } from '../num/sums.js';
import { parametersLayout } from './parameters-only.js';

/** How certain the signs of one objective's allocations are, and what that leaves open of its shares and totals. */
export interface CertaintyAnalysis {
  /** Entries of all iterations that are not zero, but nearer to it than their error. */
  readonly undetermined: number;
  /** Those of them that no finer rule determines, since gradients are rounded. */
  readonly unresolved: number;
  /** Of the entries not exactly zero those that are undetermined; null without any. */
  readonly share: number | null;
  /** Least and greatest share helping, of the entries not exactly zero, whatever the undetermined ones do; null without any. */
  readonly helping: { readonly least: number; readonly most: number } | null;
  /** In each iteration, of the entries not exactly zero those that are undetermined [T]; null without any. */
  readonly perIteration: readonly (number | null)[];
  /** In order of the layers: its undetermined share, and how far its total over the run is from that of the coarser rule, in the loss's unit. */
  readonly perLayer: readonly {
    readonly layer: string;
    readonly share: number | null;
    readonly error: number;
  }[];
  /** Iterations that have fewer certain signs than were asked for, and those of them in which rounding allows no more; null: nothing was. */
  readonly missed: { readonly wanted: number; readonly segments: number; readonly byRounding: number } | null;
}

/** Sums [layers] over segments of a row-major [T, layers] array. */
function overTime(cells: ArrayLike<number>, layers: number): number[] {
  return Array.from({ length: layers }, (_, layer) =>
    sum(Float64Array.from({ length: cells.length / layers }, (_, t) => cells[t * layers + layer]!)),
  );
}

/** Sums [T] over the first `used` layers of a row-major [T, layers] array. */
function overLayers(cells: Int32Array, layers: number, used: number): number[] {
  return Array.from({ length: cells.length / layers }, (_, t) =>
    cells.subarray(t * layers, t * layers + used).reduce((total, count) => total + count, 0),
  );
}

const ratio = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null);

/** What is certain of one objective; null where errors were not estimated. */
export function analyseCertainty(view: LedgerView, name: string): CertaintyAnalysis | null {
  if (!view.has('undetermined', name)) return null;
  const layers = view.layout.layers.length;
  const used = parametersLayout(view.layout).layers.length;
  const counts = (['undetermined', 'undetermined_helping', 'unresolved', 'helping', 'hurting'] as const).map(
    (column) => view.column(column, name),
  ) as [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array];
  const [open, openHelping, unresolved, helping, hurting] = counts.map((cells) => overTime(cells, layers)) as [number[], number[], number[], number[], number[]]; // prettier-ignore
  const errors = overTime(view.column('layer_error', name), layers);
  // Running statistics are no parameters.
  const total = (counted: readonly number[]): number => sum(counted.slice(0, used));
  const nonzero = total(helping) + total(hurting);
  const certain = total(helping) - total(openHelping);
  const [openNow, helpingNow, hurtingNow] = [counts[0], counts[3], counts[4]].map((cells) => overLayers(cells, layers, used)) as [number[], number[], number[]]; // prettier-ignore
  return {
    undetermined: total(open),
    unresolved: total(unresolved),
    share: ratio(total(open), nonzero),
    helping: nonzero > 0 ? { least: certain / nonzero, most: (certain + total(open)) / nonzero } : null,
    perLayer: view.layout.layers.map((layer, l) => ({
      layer,
      share: ratio(open[l]!, helping[l]! + hurting[l]!),
      error: errors[l]!,
    })),
    perIteration: openNow.map((count, t) => ratio(count, helpingNow[t]! + hurtingNow[t]!)),
    missed: missedOf(view.certify, counts, layers, used),
  };
}

function missedOf(
  certify: number | null,
  [open, , unresolved, helping, hurting]: readonly [
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
  ],
  layers: number,
  used: number,
): CertaintyAnalysis['missed'] {
  if (!certify) return null;
  const hurt = overLayers(hurting, layers, used);
  const allowed = overLayers(helping, layers, used).map((help, t) => allowedOpen(certify, help + hurt[t]!));
  const over = (cells: Int32Array) =>
    overLayers(cells, layers, used).filter((count, t) => count > allowed[t]!).length;
  return { wanted: certify, segments: over(open), byRounding: over(unresolved) };
}
