import { sum } from '../../num/sums.js';
import { cellSizes } from '../groupings.js';
import { deviations, type Law, reordering, sizeOfAll } from './law.js';

/** The cells of a grouping that holds every parameter add up to the total, within rounding. */
export const entityLaw: Law = (row, { groupings }) => {
  const scale = sizeOfAll(row('neuron_sums') ?? []) + sizeOfAll(row('layer_sums')!);
  return groupings.flatMap(({ name, cellOf }) => {
    const sums = row(`entity_sums/${name}`) as Float64Array | null;
    if (sums === null || cellOf.includes(-1)) return [];
    const bound = reordering * (scale + sizeOfAll(sums));
    return deviations(`total and the sum by ${name}`, null, row('total')![0]!, sum(sums), bound);
  });
};

/** helping + hurting + zero = the parameters of each cell; and by whatever every parameter is counted, as many help and hurt. */
export const entityCountLaw: Law = (row, layout) =>
  layout.groupings.flatMap((grouping) => {
    const { name, cells, cellOf } = grouping;
    const [helping, hurting, zero] = (['helping', 'hurting', 'zero'] as const).map((sign) => row(`entity_${sign}/${name}`)); // prettier-ignore
    if (!helping || !hurting || !zero) return [];
    const sizes = cellSizes(layout, grouping);
    const counted = cells.flatMap(
      (cell, k) =>
      deviations(`helping + hurting + zero and the parameters of ${cell}`, null, helping[k]! + hurting[k]! + zero[k]!, sizes[k]!), // prettier-ignore
    );
    if (cellOf.includes(-1)) return counted;
    const alike = (what: string, own: ArrayLike<number>, byLayer: ArrayLike<number>) =>
      deviations(`${what} by ${name} and by layer`, null, sum(own), sum(byLayer));
    return [
      ...counted,
      ...alike('helping', helping, row('helping')!),
      ...alike('hurting', hurting, row('hurting')!),
    ];
  });
