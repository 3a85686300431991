import type { Numbers } from '../../ledger/types.js';

/**
 * Magnitudes of one sign, counted in cells of numbers that share the upper 15 bits of their float32 magnitude (exponent and
 * seven bits of mantissa). A cell is at most 0.8 % wide, so that is the accuracy of quantiles; counts and sums are exact.
 */
export interface Magnitudes {
  /** [32768] entries per cell; float64, because a run can have more than 2^32. */
  readonly counts: Float64Array;
  /** [32768] Σ abs(a) per cell in the loss's unit. */
  readonly masses: Float64Array;
  /** Largest abs(a) in the loss's unit; 0 without entries. */
  maximum: number;
}

/** Allocations counted by sign and magnitude. Its size does not depend on how many were counted. */
export interface SignedHistogram {
  readonly helping: Magnitudes;
  readonly hurting: Magnitudes;
  zero: number;
  /** [65536] those of hurting and then of helping, which are parts of the same memory: the sign is the highest bit of the cell. */
  readonly counts: Float64Array;
  readonly masses: Float64Array;
}

export const cellCount = 1 << 15;
/** Infinities and NaN start here. */
const firstInvalidCell = 0x7f80;

export function createHistogram(): SignedHistogram {
  const counts = new Float64Array(2 * cellCount);
  const masses = new Float64Array(2 * cellCount);
  const side = (from: number): Magnitudes => ({
    counts: counts.subarray(from, from + cellCount),
    masses: masses.subarray(from, from + cellCount),
    maximum: 0,
  });
  return { hurting: side(0), helping: side(cellCount), zero: 0, counts, masses };
}

/** Smallest magnitude of a cell. */
export function cellStart(cell: number): number {
  const exponent = cell >>> 7;
  const mantissa = cell & 127;
  return exponent === 0 ? mantissa * 2 ** -133 : (128 + mantissa) * 2 ** (exponent - 134);
}

/** First cell whose numbers are all at least `magnitude`. */
export function firstCellFrom(magnitude: number): number {
  let low = 0;
  let high = firstInvalidCell;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (cellStart(middle) < magnitude) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The row [K] in float32, which the histogram counts; allocations may be stored in float64. */
export const narrow = (row: Numbers): Float32Array =>
  row instanceof Float32Array ? row : Float32Array.from(row);

/** Counts one row of allocations [K] into the histogram. Returns false if the row has a NaN or an infinity. */
export function countInto(histogram: SignedHistogram, row: Float32Array): boolean {
  const bits = new Uint32Array(row.buffer, row.byteOffset, row.length);
  const { helping, hurting, counts, masses } = histogram;
  let [zeros, minusZeros] = [0, 0];
  let [largest, smallest] = [0, 0];
  // Signs are as good as random, so nothing here branches on them.
  for (let i = 0; i < bits.length; i++) {
    const value = row[i]!;
    const cell = bits[i]! >>> 16;
    zeros += Number(bits[i]! === 0);
    minusZeros += Number(bits[i]! === 0x80000000);
    counts[cell] = counts[cell]! + 1;
    masses[cell] = masses[cell]! + Math.abs(value);
    if (value > largest) largest = value;
    if (value < smallest) smallest = value;
  }
  hurting.counts[0] = hurting.counts[0]! - zeros;
  helping.counts[0] = helping.counts[0]! - minusZeros;
  histogram.zero += zeros + minusZeros;
  hurting.maximum = Math.max(hurting.maximum, largest);
  helping.maximum = Math.max(helping.maximum, -smallest);
  return isFinite(helping) && isFinite(hurting);
}

const isFinite = ({ counts }: Magnitudes): boolean =>
  counts.subarray(firstInvalidCell).every((count) => count === 0);
