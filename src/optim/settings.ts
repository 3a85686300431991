import { UsageError } from '../errors.js';

export interface NumberRange {
  readonly min?: number;
  readonly max?: number;
  /** Exclusive bounds. */
  readonly above?: number;
  readonly below?: number;
  readonly whole?: boolean;
}

/** Throws UsageError, naming the setting, where a number is not finite or not in its range. */
export function requireNumber(name: string, value: number, range: NumberRange): void {
  const fits =
    Number.isFinite(value) &&
    value >= (range.min ?? -Infinity) &&
    value <= (range.max ?? Infinity) &&
    value > (range.above ?? -Infinity) &&
    value < (range.below ?? Infinity) &&
    (!range.whole || Number.isInteger(value));
  if (fits) return;
  throw new UsageError({
    given: `${name} ${value}`,
    expected: describeRange(range),
    remedy: `set ${name} to such a number`,
  });
}

function describeRange({ min, max, above, below, whole }: NumberRange): string {
  const bounds = [
    min === undefined ? [] : `at least ${min}`,
    above === undefined ? [] : `above ${above}`,
    max === undefined ? [] : `at most ${max}`,
    below === undefined ? [] : `below ${below}`,
  ].flat();
  return [whole ? 'a whole number' : 'a finite number', ...bounds].join(', ').replace(', ', ' ');
}
