import { NumericError } from '../errors.js';
import type { LedgerRow, MeasuredSplit } from '../ledger/types.js';
import type { SplitRecord } from './records.js';

/** One measured segment, as it is handed over for storing; lists are in the order of the manifest's splits. */
export interface MeasuredSegmentData {
  /** t, from 0. */
  readonly segment: number;
  /** Loss of each split at θ_t and θ_{t+1}, nats. */
  readonly lossStart: readonly number[];
  readonly lossEnd: readonly number[];
  readonly rows: readonly LedgerRow[];
  readonly subintervals: number;
  readonly evaluations: number;
}

/** What the journal keeps of a segment, by split. Throws NumericError where a number is not finite, since JSON has no word for it. */
export function splitRecords(
  data: MeasuredSegmentData,
  splits: readonly MeasuredSplit[],
): Partial<Record<MeasuredSplit, SplitRecord>> {
  return Object.fromEntries(
    splits.map((split, index) => {
      const loss: [number, number] = [data.lossStart[index]!, data.lossEnd[index]!];
      return [split, splitRecord(data.rows[index]!, loss, data.segment)];
    }),
  );
}

function splitRecord(row: LedgerRow, loss: [number, number], iteration: number): SplitRecord {
  const { total, residual, leftResidual } = row;
  const layerSums = [...row.layerSums];
  const wrong = [...loss, total, residual, leftResidual, ...layerSums].find(
    (value) => !Number.isFinite(value),
  );
  if (wrong !== undefined) {
    throw new NumericError(
      {
        given: `a loss or sum of iteration ${iteration} is ${wrong}`,
        expected: 'finite numbers',
        remedy: 'train with a lower learning rate; what was stored before stays valid',
      },
      { iteration },
    );
  }
  const counts = { helping: [...row.helping], hurting: [...row.hurting], zero: [...row.zero] };
  return { loss, total, residual, leftResidual, layerSums, ...counts };
}
