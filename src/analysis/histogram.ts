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
}

export const cellCount = 1 << 15;
/** Infinities and NaN start here. */
const firstInvalidCell = 0x7f80;

const emptyMagnitudes = (): Magnitudes => ({
  counts: new Float64Array(cellCount),
  masses: new Float64Array(cellCount),
  maximum: 0,
});

export const createHistogram = (): SignedHistogram => ({
  helping: emptyMagnitudes(),
  hurting: emptyMagnitudes(),
  zero: 0,
});

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

/** Counts one row of allocations [K] into the histogram. Returns false if the row has a NaN or an infinity. */
export function countInto(histogram: SignedHistogram, row: Float32Array): boolean {
  const bits = new Uint32Array(row.buffer, row.byteOffset, row.length);
  const { helping, hurting } = histogram;
  for (let i = 0; i < bits.length; i++) {
    const magnitude = bits[i]! & 0x7fffffff;
    if (magnitude === 0) {
      histogram.zero++;
      continue;
    }
    const side = bits[i]! >>> 31 ? helping : hurting;
    const cell = magnitude >>> 16;
    const size = Math.abs(row[i]!);
    side.counts[cell] = side.counts[cell]! + 1;
    side.masses[cell] = side.masses[cell]! + size;
    if (size > side.maximum) side.maximum = size;
  }
  return isFinite(helping) && isFinite(hurting);
}

const isFinite = ({ counts }: Magnitudes): boolean =>
  counts.subarray(firstInvalidCell).every((count) => count === 0);
