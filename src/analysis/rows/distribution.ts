import { DataError, NumericError } from '../../errors.js';
import type { Numbers } from '../../ledger/types.js';
import type { LedgerView } from '../../ledger/view.js';
import { firstNonFinite, sum } from '../../num/sums.js';
import { cellCount, cellStart, countInto, createHistogram, firstCellFrom, narrow } from './histogram.js';
import type { Magnitudes, SignedHistogram } from './histogram.js';

/** Magnitudes of the allocations of one sign. */
export interface SideDistribution {
  readonly count: number;
  /** Σ of the allocations' magnitudes in the loss's unit. */
  readonly mass: number;
  /** Largest magnitude in the loss's unit. */
  readonly maximum: number;
  /** Quantiles of the magnitude in the loss's unit, accurate to 0.8 %; null without entries. */
  readonly quantiles: readonly { readonly probability: number; readonly magnitude: number | null }[];
  /** Entries per bin [bins]. */
  readonly bins: readonly number[];
  /** Entries below the first edge (not exactly zero) and from the last edge upwards, of which there are none. */
  readonly underflow: number;
  readonly overflow: number;
}

/**
 * Distribution of single allocations a_t,k over parameters and iterations (paper Section 3, "Learning is heavy-tailed",
 * Figures 3(b) and S10). Helping and hurting apart, exact zeros counted.
 */
export interface Distribution {
  /** T · K. */
  readonly entries: number;
  /** Entries that are zero in float32. */
  readonly zero: number;
  /**
   * Edges of the bins in the loss's unit [bins + 1]: eight per decade, each rounded up to an eight-bit significand. From 1e-14 to 1, or further up to
   * the decade that holds the largest entry, and further down to fourteen decades below it.
   */
  readonly edges: readonly number[];
  readonly helping: SideDistribution;
  readonly hurting: SideDistribution;
  /** Share of Σ abs(a) held by the largest 1 % of entries, over all entries and over those not exactly zero; null without any. */
  readonly topPercentShare: { readonly ofAll: number | null; readonly ofNonzero: number | null };
  /** What the same share would be if allocations were Gaussian with mean zero. */
  readonly topPercentShareOfGaussian: number;
}

const [firstDecade, lastDecade] = [-14, 0];
/** The normal numbers of float32 begin in this decade: below it, neighbouring edges would be the same number. */
const leastDecade = -38;
const binsPerDecade = 8;
const probabilities = [0.5, 0.9, 0.99, 0.999];

/** exp(−z²/2) with P(|Z| > z) = 0.01: the share of E|Z| beyond z. */
const gaussianTopPercent = Math.exp(-(2.5758293035489004 ** 2) / 2);

/** First cell of every bin, and the cell after the last; the bins hold entries of this size. */
function binStarts(maximum: number): number[] {
  const decade = maximum > 0 ? Math.floor(Math.log10(maximum)) + 1 : lastDecade;
  const last = Math.max(lastDecade, decade);
  const first = Math.max(leastDecade, Math.min(firstDecade, decade + firstDecade));
  const bins = (last - first) * binsPerDecade;
  return Array.from({ length: bins + 1 }, (_, i) => firstCellFrom(10 ** (first + i / binsPerDecade)));
}

/** Magnitude below which a share of the entries lies, interpolated linearly within its cell. */
function quantile(side: Magnitudes, count: number, probability: number): number | null {
  if (count === 0) return null;
  const wanted = probability * count;
  let below = 0;
  let cell = 0;
  while (cell < cellCount - 1 && below + side.counts[cell]! < wanted) below += side.counts[cell++]!;
  const within = (wanted - below) / side.counts[cell]!;
  const magnitude = cellStart(cell) + within * (cellStart(cell + 1) - cellStart(cell));
  return Math.min(magnitude, side.maximum);
}

function describeSide(side: Magnitudes, starts: readonly number[]): SideDistribution {
  const count = sum(side.counts);
  return {
    count,
    mass: sum(side.masses),
    maximum: side.maximum,
    quantiles: probabilities.map((probability) => ({
      probability,
      magnitude: quantile(side, count, probability),
    })),
    bins: starts.slice(1).map((end, i) => sum(side.counts.subarray(starts[i], end))),
    underflow: sum(side.counts.subarray(0, starts[0])),
    overflow: sum(side.counts.subarray(starts.at(-1))),
  };
}

/** Share of the total magnitude held by the largest `entries` allocations; within a cell, all count as equal. */
function shareOfLargest({ helping, hurting }: SignedHistogram, entries: number): number | null {
  const total = sum(helping.masses) + sum(hurting.masses);
  let wanted = entries;
  let held = 0;
  for (let cell = cellCount - 1; cell >= 0 && wanted > 0; cell--) {
    const count = helping.counts[cell]! + hurting.counts[cell]!;
    if (count === 0) continue;
    held += (helping.masses[cell]! + hurting.masses[cell]!) * Math.min(1, wanted / count);
    wanted -= count;
  }
  return total > 0 ? held / total : null;
}

function describe(histogram: SignedHistogram): Distribution {
  const starts = binStarts(Math.max(histogram.helping.maximum, histogram.hurting.maximum));
  const helping = describeSide(histogram.helping, starts);
  const hurting = describeSide(histogram.hurting, starts);
  const nonzero = helping.count + hurting.count;
  const entries = nonzero + histogram.zero;
  return {
    entries,
    zero: histogram.zero,
    edges: starts.map(cellStart),
    helping,
    hurting,
    topPercentShare: {
      ofAll: shareOfLargest(histogram, entries / 100),
      ofNonzero: shareOfLargest(histogram, nonzero / 100),
    },
    topPercentShareOfGaussian: gaussianTopPercent,
  };
}

function refuseRow(view: LedgerView, objective: string, row: Numbers, segment: number): never {
  const at = firstNonFinite(narrow(row));
  const tensor = view.layout.tensors.find((span) => at >= span.offset && at < span.offset + span.size);
  const name = tensor?.name ?? 'parameters';
  const index = at - (tensor?.offset ?? 0);
  throw new NumericError(
    {
      given: `allocation ${row[at]!} of ${name}[${index}] (${objective}) in segment ${segment}`,
      expected: 'allocations that are finite in float32',
      remedy: 'check the run folder with `lca verify`, then measure the segment again',
    },
    { iteration: segment, tensor: name, index },
  );
}

function refuseCount(objective: string, read: number, segments: number): never {
  throw new DataError({
    given: `${read} allocation rows of ${objective}`,
    expected: `${segments}, one for each measured segment`,
    remedy: 'check the run folder with `lca verify`',
  });
}

/**
 * Reads an objective's allocation rows once and describes them; null where they were not kept. Memory does not grow with T or K.
 * `onRow` is called with the number of rows read, and the last of them [K].
 *
 * @throws NumericError for a NaN or an infinity, DataError if rows are missing.
 */
export async function analyseDistribution(
  view: LedgerView,
  objective: string,
  onRow: (rows: number, row: Numbers) => void = () => undefined,
): Promise<Distribution | null> {
  const rows = view.rows('allocation', objective);
  if (!rows) return null;
  const histogram = createHistogram();
  let read = 0;
  for await (const row of rows) {
    if (!countInto(histogram, narrow(row))) refuseRow(view, objective, row, read);
    onRow(++read, row);
  }
  if (read !== view.segments) refuseCount(objective, read, view.segments);
  return describe(histogram);
}
