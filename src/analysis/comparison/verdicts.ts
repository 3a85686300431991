import type { Comparability, RunDifference } from './comparable.js';

/** A difference, and what it bears on. */
export interface BearingDifference extends RunDifference {
  readonly bearsOn: 'losses' | 'layers' | 'accuracy' | 'setting';
}

/** All in which runs differ, what bears on most first. */
export function differencesIn({ objectives, layers, notes, settings }: Comparability): BearingDifference[] {
  const obstacles = new Map(objectives.flatMap((own) => own.obstacles).map((own) => [own.about, own]));
  const bearing = (bearsOn: BearingDifference['bearsOn'], found: Iterable<RunDifference>): BearingDifference[] =>
    [...found].map((own) => ({ ...own, bearsOn }));
  return [
    ...bearing('losses', obstacles.values()),
    ...bearing('layers', layers),
    ...bearing('accuracy', notes),
    ...bearing('setting', settings),
  ];
} // prettier-ignore

const whyOf = (found: readonly RunDifference[]): string =>
  [...new Set(found.map(({ why }) => why))].join('; ');

/** What of runs cannot be compared, and why: sentences. */
export function obstaclesInWords({ objectives, layers }: Comparability): string[] {
  const refused = objectives.filter(({ obstacles }) => obstacles.length > 0);
  return [
    ...(objectives.length === 0 ? ['No objective was measured in all runs.'] : []),
    ...refused.map(({ name, obstacles }) => `Losses and allocations of ${name} cannot be compared: ${whyOf(obstacles)}.`),
    ...(layers.length > 0 ? [`Layers cannot be compared: ${whyOf(layers)}.`] : []),
  ];
} // prettier-ignore

/** What makes the numbers of runs differ a little by itself: sentences. */
export const notesInWords = ({ notes }: Comparability): string[] =>
  notes.map(({ about, why }) => `${about[0]!.toUpperCase()}${about.slice(1)}: ${why}.`);
