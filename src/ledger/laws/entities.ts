import { sum } from '../../num/sums.js';
import { onceFor } from '../../num/once.js';
import { cellSizes } from '../groupings.js';
import type { Grouping, ParameterLayout } from '../types.js';
import { columnsBy, type Deviation, deviations, deviationsOf, holdsAll, type Law, reordering, sizeOfAll, type StoredRow, together } from './law.js'; // prettier-ignore

/** The cells of a grouping that holds every parameter add up to the total, within rounding. */
export const entityLaw: Law = (row, { groupings }) => {
  const scale = sizeOfAll(row('neuron_sums') ?? []) + sizeOfAll(row('layer_sums')!);
  return together(
    groupings.map((grouping) => {
      const sums = row(columnsBy(grouping).sums) as Float64Array | null;
      if (sums === null || !holdsAll(grouping)) return [];
      const bound = reordering * (scale + sizeOfAll(sums));
      return deviations(sumsBy(grouping), null, row('total')![0]!, sum(sums), bound);
    }),
  );
};

const sumsBy = onceFor(({ name }: Grouping) => `total and the sum by ${name}`);

/** helping + hurting + zero = the parameters of each cell; and by whatever every parameter is counted, as many help and hurt. */
export const entityCountLaw: Law = (row, layout) =>
  together(layout.groupings.map((grouping) => countsBy(grouping, row, layout)));

function countsBy(grouping: Grouping, row: StoredRow, layout: ParameterLayout): readonly Deviation[] {
  const names = columnsBy(grouping);
  const [helping, hurting, zero] = [row(names.helping), row(names.hurting), row(names.zero)];
  if (!helping || !hurting || !zero) return [];
  const sizes = cellSizes(layout, grouping);
  const counted = deviationsOf(
    sizes,
    (k) => helping[k]! + hurting[k]! + zero[k]!,
    (k) => [`helping + hurting + zero and the parameters of ${grouping.cells[k]!}`, null],
  );
  if (!holdsAll(grouping)) return counted;
  const alike = (what: 'helping' | 'hurting', own: ArrayLike<number>) =>
    deviationsOf(
      [sum(own)],
      () => sum(row(what)!),
      () => [`${what} by ${grouping.name} and by layer`, null],
    );
  return together([counted, alike('helping', helping), alike('hurting', hurting)]);
}
