import { sum } from '../../num/sums.js';
import type { Numbers } from '../types.js';
import { columnsBy, type Deviation, deviations, deviationsOf, holdsAll, type Law, together } from './law.js';

/** Undetermined entries are among those that help or hurt, layer by layer; those that rounding leaves open are among the undetermined. */
export const undeterminedLaw: Law = (row, { layers }) => {
  const [all, helping, unresolved] = [row('undetermined'), row('undetermined_helping'), row('unresolved')];
  if (!all || !helping || !unresolved) return [];
  const about = (what: string) => (l: number) => [what, layers[l]!] as const;
  const hurting = (all as Int32Array).map((count, l) => count - helping[l]!);
  return together([
    atMost(helping, row('helping')!, about('undetermined_helping and helping')),
    atMost(hurting, row('hurting')!, about('undetermined less undetermined_helping and hurting')),
    atMost(unresolved, all, about('unresolved and undetermined')),
  ]);
};

/** By any grouping undetermined entries are among those not zero, and by whatever every parameter is counted, as many as by layer. */
export const entityUndeterminedLaw: Law = (row, { groupings }) =>
  together(
    groupings.map((grouping) => {
      const names = columnsBy(grouping);
      const [own, helping, hurting] = [row(names.undetermined), row(names.helping), row(names.hurting)];
      if (!own || !helping || !hurting) return [];
      const notZero = (helping as Int32Array).map((count, k) => count + hurting[k]!);
      const among = atMost(own, notZero, (k) => [`undetermined and not zero of ${grouping.cells[k]!}`, null]);
      if (!holdsAll(grouping)) return among;
      const alike = deviations(`undetermined by ${grouping.name} and by layer`, null, sum(own), sum(row('undetermined')!)); // prettier-ignore
      return together([among, alike]);
    }),
  );

/** Counts [n] that are below zero or above the most [n] that they can be. */
function atMost(
  given: Numbers,
  most: Numbers,
  about: (k: number) => readonly [string, string | null],
): readonly Deviation[] {
  return deviationsOf(given, (k) => Math.min(Math.max(given[k]!, 0), most[k]!), about);
}
