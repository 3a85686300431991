import type { Column } from '../../ledger/column.js';

/** Kinds of deviation: of allocations relative to the segment's largest, of losses and residuals relative to the losses there. */
const kinds = ['allocation', 'loss', 'residual'] as const;

/** Largest difference by kind of column. */
export type Deviation = Readonly<Record<NonNullable<Column['compare']>, number>>;

export const none: Deviation = { allocation: 0, loss: 0, residual: 0 };

/** The larger of two deviations, kind by kind. */
export function larger(a: Deviation, b: Deviation): Deviation {
  return {
    allocation: Math.max(a.allocation, b.allocation),
    loss: Math.max(a.loss, b.loss),
    residual: Math.max(a.residual, b.residual),
  };
}

export function times(factor: number, { allocation, loss, residual }: Deviation): Deviation {
  return { allocation: factor * allocation, loss: factor * loss, residual: factor * residual };
}

export function isWithin(deviation: Deviation, bound: Deviation): boolean {
  return kinds.every((kind) => deviation[kind] <= bound[kind]);
}

export function inWords({ allocation, loss, residual }: Deviation): string {
  return `allocations ${allocation.toExponential(1)} of the largest, losses ${loss.toExponential(1)} and residuals ${residual.toExponential(1)} of the loss`;
}

/** The largest difference of two arrays [n], relative to the largest of `scale`; 0 where there is none. */
export function relativeDifference(
  given: ArrayLike<number>,
  expected: ArrayLike<number>,
  scale: ArrayLike<number> = expected,
): number {
  let [difference, size] = [0, 0];
  for (let k = 0; k < expected.length; k++)
    difference = Math.max(difference, Math.abs(given[k]! - expected[k]!));
  for (let k = 0; k < scale.length; k++) size = Math.max(size, Math.abs(scale[k]!));
  return difference === 0 ? 0 : difference / size;
}
