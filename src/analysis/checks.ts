import { DataError, NumericError } from '../errors.js';
import type { LedgerView, MeasuredSplit, SplitLedger } from '../ledger/types.js';
import { firstNonFinite } from '../num/sums.js';

type Field = keyof SplitLedger;

/** Extents of every array of a split's ledger. */
function expectedLengths(view: LedgerView): Readonly<Record<Field, number>> {
  const cells = view.segments * view.layout.layers.length;
  return {
    loss: view.segments + 1,
    residual: view.segments,
    leftResidual: view.segments,
    layerSums: cells,
    helping: cells,
    hurting: cells,
    zero: cells,
  };
}

function refuseLength(what: string, given: number, expected: number): never {
  throw new DataError({
    given: `${what} has ${given} elements`,
    expected: `${expected}`,
    remedy: 'check the run folder with `lca verify`',
  });
}

function refuseNumber(name: MeasuredSplit, field: Field, value: number, row: number): never {
  throw new NumericError(
    {
      given: `${field} of ${name} is ${value} in row ${row}`,
      expected: 'finite numbers',
      remedy: 'check the run folder with `lca verify`, then measure the row again',
    },
    { iteration: row, tensor: field },
  );
}

function checkSplit(view: LedgerView, name: MeasuredSplit, split: SplitLedger): void {
  const lengths = expectedLengths(view);
  for (const field of Object.keys(lengths) as Field[]) {
    if (split[field].length !== lengths[field]) {
      refuseLength(`${field} of ${name}`, split[field].length, lengths[field]);
    }
  }
  for (const field of ['loss', 'residual', 'leftResidual', 'layerSums'] as const) {
    const at = firstNonFinite(split[field]);
    const width = field === 'layerSums' ? view.layout.layers.length : 1;
    if (at >= 0) refuseNumber(name, field, split[field][at]!, Math.floor(at / width));
  }
}

/** The ledger of a split; null where it was not measured. Before the first segment, not even its loss is known. */
export function measuredSplit(view: LedgerView, name: MeasuredSplit): SplitLedger | null {
  return view.segments > 0 ? view.split(name) : null;
}

/** Throws DataError for arrays that do not fit together, NumericError for a NaN or an infinity. */
export function checkView(view: LedgerView): void {
  const counts = { iteration: view.segments + 1, subintervals: view.segments, evaluations: view.segments };
  for (const field of ['iteration', 'subintervals', 'evaluations'] as const) {
    if (view[field].length !== counts[field]) refuseLength(field, view[field].length, counts[field]);
  }
  for (const name of ['train', 'validation'] as const) {
    const split = measuredSplit(view, name);
    if (split) checkSplit(view, name, split);
  }
}
