import type { Numbers } from '../../ledger/types.js';

/** What is counted of the signs and sizes of each parameter's allocations. Its size does not depend on T. */
export interface SignCounts {
  /** [K] segments with an allocation that is not zero, and those of them that helped. */
  readonly nonzero: Int32Array;
  readonly helping: Int32Array;
  /** [K] segments that helped or hurt after one that helped or hurt, by former sign and sign; both not zero. */
  readonly pairs: Readonly<Record<Pair, Int32Array>>;
  /** [K] Σ a and Σ a² in the loss's unit and its square. */
  readonly sums: Float64Array;
  readonly squares: Float64Array;
  /** [K] sign of the last allocation. */
  readonly last: Int8Array;
}

/** Signs of two allocations of a parameter that follow one another. */
export const pairs = ['helpHelp', 'helpHurt', 'hurtHelp', 'hurtHurt'] as const;
export type Pair = (typeof pairs)[number];

/** Counters for K parameters. */
export function createSignCounts(size: number): SignCounts {
  const counts = (): Int32Array => new Int32Array(size);
  return {
    nonzero: counts(),
    helping: counts(),
    pairs: { helpHelp: counts(), helpHurt: counts(), hurtHelp: counts(), hurtHurt: counts() },
    sums: new Float64Array(size),
    squares: new Float64Array(size),
    last: new Int8Array(size),
  };
}

/** Counts one segment's allocations [K]. */
export function countSigns(counts: SignCounts, row: Numbers): void {
  const { nonzero, helping, last, sums, squares, pairs: of } = counts;
  const byCode = [of.helpHelp, of.helpHurt, of.hurtHelp, of.hurtHurt];
  for (let k = 0; k < row.length; k++) {
    const a = row[k]!;
    const sign = Number(a > 0) - Number(a < 0);
    if (sign !== 0) {
      nonzero[k]!++;
      helping[k]! += Number(sign < 0);
      sums[k]! += a;
      squares[k]! += a * a;
      if (last[k]! !== 0) byCode[last[k]! + 1 + ((sign + 1) >> 1)]![k]!++;
    }
    last[k] = sign;
  }
}
