import { UsageError } from '../errors.js';
import { type FixedRuleName, ruleNames } from './rules.js';
import type { IntegrationSettings } from './types.js';

/** One attempt at the integral; the next is made only where the tolerance asks. */
export interface Level {
  readonly rule: FixedRuleName;
  readonly subintervals: number;
}

function requirePositiveInteger(name: string, value: number): void {
  if (Number.isInteger(value) && value > 0) return;
  throw new UsageError({
    given: `${name} is ${value}`,
    expected: 'a whole number of at least 1',
    remedy: `set ${name} to 1, or to a power of two for finer integration`,
  });
}

/** Throws UsageError where a setting is out of range. */
export function checkSettings(settings: IntegrationSettings): void {
  const { rule, tolerance, subintervals, maxSubintervals } = settings;
  if (!ruleNames.includes(rule)) {
    throw new UsageError({
      given: `quadrature rule "${rule}"`,
      expected: `one of ${ruleNames.join(', ')}`,
      remedy: 'choose one of these names',
    });
  }
  requirePositiveInteger('subintervals', subintervals);
  requirePositiveInteger('maxSubintervals', maxSubintervals);
  if (tolerance !== null && !(tolerance > 0 && tolerance < Infinity)) {
    throw new UsageError({
      given: `tolerance is ${tolerance}`,
      expected: 'a loss in nats above 0, or null to never refine',
      remedy: "set tolerance to the paper's 0.001, or leave refinement off",
    });
  }
}

/** The attempts in order: subintervals double up to the maximum; `adaptive` begins with the trapezoid, then goes on with Simpson. */
export function* levelsOf(settings: IntegrationSettings): Generator<Level> {
  const { rule, subintervals, maxSubintervals } = settings;
  if (rule === 'adaptive') yield { rule: 'trapezoid', subintervals };
  const repeated = rule === 'adaptive' ? 'simpson' : rule;
  yield { rule: repeated, subintervals };
  for (let n = 2 * subintervals; n <= maxSubintervals; n *= 2) yield { rule: repeated, subintervals: n };
}
