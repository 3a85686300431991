import { StoreError } from '../../errors.js';
import type { Column } from '../../ledger/column.js';
import { columns } from '../../ledger/columns.js';
import type { ArraySpec } from './arrays.js';

/** The error of a run that has no array of a name: what it has of that column, or which columns, and which option stores it. */
export function noArray(place: string, arrays: readonly ArraySpec[], name: string): StoreError {
  const columnOf = (of: string): string => of.split('/')[0]!;
  const names = arrays.map((array) => array.name);
  const own = names.filter((each) => columnOf(each) === columnOf(name));
  const column = (columns as Readonly<Record<string, Column>>)[columnOf(name)];
  return new StoreError({
    given: `${place} has no array ${name}`,
    expected:
      own.length > 0
        ? `one of ${own.join(', ')}`
        : `one of what it has: ${[...new Set(names.map(columnOf))].join(', ')}`,
    remedy: column && own.length === 0 ? remedyFor(column) : 'choose one of these',
  });
}

/** What a run must be made with so that it has a column. */
function remedyFor({ parts, components, when, finest }: Column): string {
  const options = [
    ...(parts ? ['--parts class or a file of groups'] : []),
    ...(parts === 'parameters' ? ['--keep-parts parameters'] : []),
    ...(components ? ['--components'] : []),
    ...(components === 'parameters' ? ['--keep-components parameters'] : []),
    ...(when === 'certainty' ? ['--certify SHARE'] : []),
    ...(when === 'basis' ? ['--basis FILE'] : []),
    ...(when === 'endGradients' ? ['a rule with gradients at the ends of segments, such as --rule simpson'] : []),
    ...(finest ? [`--keep ${finest}`] : []),
  ]; // prettier-ignore
  return `it is stored of runs that are made with ${options.join(', ')}`;
}
