import type { Reading } from '../../formats/reading.js';
import type { Examples } from '../types.js';

/** What a reading about how far the inputs of a set reach is about; of a further input of a network with its name. */
export const inputRange = (name: string | null = null): string =>
  name === null ? 'range of inputs' : `range of inputs ${name}`;

/** Sets of one data set rarely reach so much further than each other; numbers that only one of them had divided do. */
const farther = 32;

/** Warnings where the inputs of a set reach much further than those of training, or less far: all sets are scaled alike. */
export function rangeReadings(training: Examples, set: Examples, name: string): Reading[] {
  const inputsOf = ({ inputs, further = [] }: Examples) =>
    [{ name: null, values: inputs }, ...further].map((input) => ({ ...input, reach: reachOf(input.values) }));
  const own = inputsOf(training);
  return inputsOf(set).flatMap(({ name: input, reach }, k) => {
    const [low, high] = [own[k]!.reach, reach].sort((a, b) => a - b);
    if (low === 0 || high! < farther * low!) return [];
    return [
      {
        about: inputRange(input),
        decision: `those of ${name} are taken to be scaled as those of training`,
        evidence: `they reach ${reach}, those of training ${own[k]!.reach}: one of them may have been divided where the other was not`,
        warning: true,
      },
    ];
  });
}

/** The largest absolute value. */
function reachOf(values: Examples['inputs']): number {
  let reach = 0;
  for (const value of values) reach = Math.max(reach, Math.abs(value));
  return reach;
}
