import { sum } from '../../num/sums.js';
import { type Deviation, deviations, type Law } from './law.js';

/** Undetermined entries are among those that help or hurt, layer by layer; those that rounding leaves open are among the undetermined. */
export const undeterminedLaw: Law = (row, { layers }) => {
  const [all, helping, unresolved] = [row('undetermined'), row('undetermined_helping'), row('unresolved')];
  if (!all || !helping || !unresolved) return [];
  return layers.flatMap((layer, l) => [
    ...atMost('undetermined_helping and helping', layer, helping[l]!, row('helping')![l]!),
    ...atMost(
      'undetermined less undetermined_helping and hurting',
      layer,
      all[l]! - helping[l]!,
      row('hurting')![l]!,
    ),
    ...atMost('unresolved and undetermined', layer, unresolved[l]!, all[l]!),
  ]);
};

/** By any grouping undetermined entries are among those not zero, and by whatever every parameter is counted, as many as by layer. */
export const entityUndeterminedLaw: Law = (row, { groupings }) =>
  groupings.flatMap(({ name, cells, cellOf }) => {
    const [own, helping, hurting] = ['undetermined', 'helping', 'hurting'].map((what) =>
      row(`entity_${what}/${name}`),
    );
    if (!own || !helping || !hurting) return [];
    const among = cells.flatMap((cell, k) =>
      atMost(`undetermined and not zero of ${cell}`, null, own[k]!, helping[k]! + hurting[k]!),
    );
    if (cellOf.includes(-1)) return among;
    return [
      ...among,
      ...deviations(`undetermined by ${name} and by layer`, null, sum(own), sum(row('undetermined')!)),
    ];
  });

function atMost(what: string, layer: string | null, given: number, most: number): Deviation[] {
  return deviations(what, layer, given, Math.min(Math.max(given, 0), most));
}
