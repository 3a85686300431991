import { type ColumnName, columns } from '../ledger/columns.js';
import { layoutOf } from '../ledger/layout.js';
import { signBytes } from '../ledger/measures/gradients.js';
import type { Numbers, Objective, ParameterLayout } from '../ledger/types.js';
import type { LedgerView } from '../ledger/view.js';

/** A layout without running statistics, which stand behind all parameters; the same where there are none. */
export function parametersLayout(layout: ParameterLayout): ParameterLayout {
  const own = layout.tensors.filter(({ kind }) => kind !== 'statistics');
  return own.length === layout.tensors.length ? layout : layoutOf(own);
}

/**
 * A view of what is trained: what is said of parameters leaves running statistics out, which move by themselves. Losses, residuals and what
 * the network as a whole did are as in the ledger, so sums over these layers miss what the statistics did.
 */
export function parametersOnly(view: LedgerView): LedgerView {
  const layout = parametersLayout(view.layout);
  if (layout === view.layout) return view;
  const trimmed = (name: ColumnName, numbers: Numbers): Numbers => {
    const axis = columns[name].axes.at(-1)!;
    if (axis !== 'parameter' && axis !== 'layer' && axis !== 'tensor' && axis !== 'byte') return numbers;
    const [whole, kept] = [extentOf(view.layout, axis), extentOf(layout, axis)];
    return numbers.filter((_, k) => k % whole < kept);
  };
  return {
    ...view,
    layout,
    has: (name, objective) => view.has(name, objective),
    column: (name, objective) => trimmed(name, view.column(name, objective)) as never,
    rows(name, objective, grouping) {
      const rows = view.rows(name, objective, grouping);
      if (rows === null) return null;
      return mappedRows(rows, (row) => trimmed(name, row));
    },
  };
}

/** Rows [K or other widths], each changed; they may be read again and again, as those of the ledger may. */
export function mappedRows(
  rows: AsyncIterable<Numbers>,
  change: (row: Numbers) => Numbers,
): AsyncIterable<Numbers> {
  return {
    async *[Symbol.asyncIterator]() {
      for await (const row of rows) yield change(row);
    },
  };
}

/** Rows [K] of θ without running statistics. */
export async function* parameterRows(
  rows: AsyncIterable<Numbers>,
  { size }: ParameterLayout,
): AsyncGenerator<Numbers> {
  for await (const row of rows) yield row.subarray(0, size);
}

const extentOf = (
  { size, layers, tensors }: ParameterLayout,
  axis: 'parameter' | 'layer' | 'tensor' | 'byte',
): number => ({ parameter: size, layer: layers.length, tensor: tensors.length, byte: signBytes(size) })[axis];

/** The first other objective that was measured with the same statistics: of examples that the main one does not have. */
export function heldOutOf([main, ...others]: readonly Objective[]): Objective | undefined {
  return others.find(({ statistics }) => statistics === main!.statistics);
}
