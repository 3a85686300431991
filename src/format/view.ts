import { UsageError } from '../errors.js';
import type { ColumnName, ColumnNumbers, SmallColumnName } from '../ledger/columns.js';
import { columns } from '../ledger/columns.js';
import type { Numbers } from '../ledger/types.js';
import type { LedgerView } from '../ledger/view.js';
import { type ArraySpec, emptyRow, isByRow, widthOf } from './layout/arrays.js';
import { columnArrayOf, type RunContext } from './context.js';
import { rowsOfArray } from './read-array.js';
import { sampleBlocksOf } from './manifest.js';
import type { RunState } from './state.js';
import { WindowReader } from './windows.js';

/** The ledger of the first `segments` segments. Small columns are read into memory; rows of large ones one at a time. */
export async function makeView(context: RunContext, state: RunState, segments: number): Promise<LedgerView> {
  const { manifest, layout, arrays } = context;
  const { iteration } = manifest.trajectory;
  const small = await loadColumns(context, state, segments);
  return {
    segments,
    iteration: Int32Array.from({ length: segments + 1 }, (_, row) => iteration?.[row] ?? row),
    layout,
    objectives: manifest.objectives.map((objective) => ({
      name: objective.name,
      statistics: objective.statistics,
      parts: objective.parts.map((part) => part.name),
      by: objective.parts.map((part) => part.by),
      sample: sampleBlocksOf(objective),
    })),
    components: manifest.components,
    unit: manifest.definition.unit,
    rule: manifest.quadrature.rule,
    tolerance: manifest.quadrature.tolerance,
    certify: manifest.quadrature.certify,
    column<N extends SmallColumnName>(name: N, objective?: string) {
      const numbers = small.get(columnArrayOf(context, name, objective)!);
      if (numbers === undefined) throw noColumn(name, objective, arrays);
      return numbers as ColumnNumbers<N>;
    },
    has: (name, objective) => columnArrayOf(context, name, objective) !== null,
    rows(name: ColumnName, objective?: string, grouping?: string) {
      const spec = columnArrayOf(context, name, objective, grouping);
      if (spec === null) return null;
      return { [Symbol.asyncIterator]: () => rowsOfArray(context, state, spec, 0, segments) };
    },
  };
}

/** Windows that are read at once: over a network each chunk is a round trip. */
const windowsAtOnce = 8;

/** The small columns by array: [segments, …], or [segments + 1, …] by row of θ; nothing is known before the first segment. */
async function loadColumns(
  context: RunContext,
  state: RunState,
  segments: number,
): Promise<Map<ArraySpec, Numbers>> {
  const isLarge = ({ column }: ArraySpec) => 'large' in columns[column as ColumnName];
  const specs = context.windowArrays.filter((spec) => !isLarge(spec));
  const loaded = new Map(
    specs.map((spec) => [spec, emptyRow(spec.dtype, (segments + (isByRow(spec) ? 1 : 0)) * widthOf(spec))]),
  );
  const loadRows = async (from: number): Promise<void> => {
    const reader = new WindowReader(context, state);
    const to = Math.min(from + context.windowRows, segments + 1);
    for (let row = from; row < to; row++) {
      const load = async ([spec, numbers]: readonly [ArraySpec, Numbers]) => {
        if (row < segments || isByRow(spec)) numbers.set(await reader.row(spec, row), row * widthOf(spec));
      };
      await Promise.all([...loaded].map(load));
    }
  };
  for (let from = 0; segments > 0 && from <= segments; from += windowsAtOnce * context.windowRows) {
    const starts = Array.from({ length: windowsAtOnce }, (_, k) => from + k * context.windowRows);
    await Promise.all(starts.filter((start) => start <= segments).map(loadRows));
  }
  return loaded;
}

function noColumn(name: string, objective: string | undefined, arrays: readonly ArraySpec[]): UsageError {
  const names = arrays.filter(({ column }) => column !== null).map((spec) => spec.name);
  return new UsageError({
    given: `column ${name}${objective === undefined ? '' : ` of objective ${objective}`}`,
    expected: `one of ${names.join(', ')}`,
    remedy: 'ask for what the run stores',
  });
}
