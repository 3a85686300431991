import { type ColumnName, columns } from '../../ledger/columns.js';
import type { Numbers, Objective } from '../../ledger/types.js';
import type { LedgerView } from '../../ledger/view.js';
import { mappedRows } from '../parameters-only.js';

/** Blocks of a sample tell intervals, and stand for nothing themselves; what belongs to no part, such as the L2 term, is none. */
const isShown = (by: string | null): by is string => by !== null && !/(^|, )block$/.test(by);

/** What an objective is divided by, such as `class`, in its order; none where it is not, but for the blocks of a sample. */
export const kindsOf = ({ by = [] }: Objective): string[] => [...new Set(by.filter(isShown))];

/** Indices of the parts by the first thing that an objective is divided by, but for blocks of a sample; all where it is not known by what. */
export function partsOfOneKind(objective: Objective): number[] {
  const { parts, by } = objective;
  const [kind] = kindsOf(objective);
  return [...parts.keys()].filter((p) => by === undefined || (kind !== undefined && by[p] === kind));
}

/** The numbers of some of `parts` parts, of [parts, …] numbers. */
function partsOfRow(row: Numbers, parts: number, kept: readonly number[]): Numbers {
  const width = row.length / parts;
  const result = row.slice(0, kept.length * width);
  kept.forEach((part, at) => {
    result.set(row.subarray(part * width, (part + 1) * width), at * width);
  });
  return result;
}

const isByPart = (name: ColumnName): boolean => (columns[name].axes as readonly string[]).includes('part');

/**
 * A view whose objectives are divided by the first thing alone that they are divided by. Parts by several things, the blocks of a sample among
 * them, each add up to the whole: what counts over parts would count every example several times. Reads by rows alone; the same view where
 * nothing is left out.
 */
export function dividedByOneThing(view: LedgerView): LedgerView {
  const kept = new Map(view.objectives.map((own) => [own.name, partsOfOneKind(own)]));
  if (view.objectives.every(({ name, parts }) => kept.get(name)!.length === parts.length)) return view;
  return {
    ...view,
    objectives: view.objectives.map((own) => {
      const parts = kept.get(own.name)!;
      return {
        ...own,
        parts: parts.map((p) => own.parts[p]!),
        ...(own.by === undefined ? {} : { by: parts.map((p) => own.by![p]!) }),
        // Its blocks are parts that are left out.
        sample: null,
      };
    }),
    rows(name, objective, grouping) {
      const rows = view.rows(name, objective, grouping);
      if (rows === null || objective === undefined || !isByPart(name)) return rows;
      const parts = kept.get(objective)!;
      const all = view.objectives.find((own) => own.name === objective)!.parts.length;
      return mappedRows(rows, (row) => partsOfRow(row, all, parts));
    },
  };
}
