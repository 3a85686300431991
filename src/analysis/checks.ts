import { DataError, NumericError, UsageError } from '../errors.js';
import type { Axis, Column } from '../ledger/column.js';
import { columnEntries, type SmallColumnName } from '../ledger/columns.js';
import type { Numbers, Objective } from '../ledger/types.js';
import type { LedgerView } from '../ledger/view.js';
import { firstNonFinite } from '../num/sums.js';

/** Numbers that an axis counts; parts are those of the objective. */
function extentOf(
  { segments, layout, components }: LedgerView,
  axis: Axis,
  objective: Objective | null,
): number {
  const extents: Readonly<Record<Axis, () => number>> = {
    segment: () => segments,
    row: () => segments + 1,
    part: () => objective!.parts.length,
    component: () => components.length,
    layer: () => layout.layers.length,
    neuron: () => layout.neurons.reduce((total, count) => total + count, 0),
    tensor: () => layout.tensors.length,
    // Columns by cells of groupings are large, and read by rows.
    cell: () => 0,
    parameter: () => layout.size,
    // Read by rows, too.
    direction: () => 0,
    byte: () => 0,
  };
  return extents[axis]();
}

/** @throws DataError for an array of the wrong length. */
export function refuseLength(what: string, given: number, expected: number): never {
  throw new DataError({
    given: `${what} has ${given} elements`,
    expected: `${expected}`,
    remedy: 'check the run folder with `lca verify`',
  });
}

/** @throws NumericError for a number of a column that is NaN or infinite. */
export function refuseNumber(what: string, column: string, value: number, row: number): never {
  throw new NumericError(
    {
      given: `${what} is ${value} in row ${row}`,
      expected: 'finite numbers',
      remedy: 'check the run folder with `lca verify`, then measure the row again',
    },
    { iteration: row, tensor: column },
  );
}

/** A column of an objective, or of the run where that is null: as long as its axes say, and finite. */
function checkColumn(
  view: LedgerView,
  name: SmallColumnName,
  column: Column,
  objective: Objective | null,
): void {
  const [rows, ...extents] = column.axes.map((axis) => extentOf(view, axis, objective));
  const width = extents.reduce((product, extent) => product * extent, 1);
  const numbers: Numbers = view.column(name, objective?.name);
  const what = objective === null ? name : `${name} of ${objective.name}`;
  if (numbers.length !== rows! * width) refuseLength(what, numbers.length, rows! * width);
  if (numbers instanceof Int32Array) return;
  const at = firstNonFinite(numbers);
  if (at >= 0) refuseNumber(what, name, numbers[at]!, Math.floor(at / width));
}

/** Whether a view has the column in memory: rows of large ones are read apart, and the run may not store it. */
const isHeld = (view: LedgerView, name: string, { large }: Column, objective: Objective | null): boolean =>
  large !== true && view.has(name as SmallColumnName, objective?.name);

/**
 * Checks every small column of a view. Before the first segment nothing is known of any objective.
 *
 * @throws DataError for arrays that do not fit together, NumericError for a NaN or an infinity.
 */
export function checkView(view: LedgerView): void {
  if (view.iteration.length !== view.segments + 1) {
    refuseLength('iteration', view.iteration.length, view.segments + 1);
  }
  for (const [name, column] of columnEntries()) {
    const owners = column.of === 'run' ? [null] : view.segments > 0 ? view.objectives : [];
    for (const owner of owners) {
      if (isHeld(view, name, column, owner)) checkColumn(view, name as SmallColumnName, column, owner);
    }
  }
}

/** @throws UsageError before the first segment: not even the loss at the first row of θ is known then. */
export function requireSegments({ segments }: LedgerView): void {
  if (segments > 0) return;
  throw new UsageError({
    given: 'a run without measured segments, or without the first of them',
    expected: 'a run that is measured from its first segment on',
    remedy: 'measure the run with `lca measure` or `lca resume`',
  });
}
