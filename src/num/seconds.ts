import { UsageError } from '../errors.js';

/** What may be waited for at most: a day. */
const most = 86_400;

/**
 * Seconds that a user set by a variable of the environment.
 *
 * @param name Of the variable, for messages.
 * @param text What it is set to; left out or empty: not at all.
 * @param usual What holds then.
 * @returns More than 0, a day at most.
 * @throws UsageError for anything else.
 */
export function secondsOf(name: string, text: string | undefined, usual: number): number {
  if (text === undefined || text === '') return usual;
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (seconds >= 0.001 && seconds <= most) return seconds;
  throw new UsageError({
    given: `${name}=${text}`,
    expected: `seconds, more than 0 and ${most} at most`,
    remedy: `set it to such a number, or leave it out, which is ${usual}`,
  });
}
