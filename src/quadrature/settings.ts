import { UsageError } from '../errors.js';
import { type FixedRuleName, partsOf, ruleNames, rules } from './rules.js';
import type { IntegrationSettings } from './types.js';

/** Rounding of a loss relative to its size, by the precision in which it was computed. */
export const resolutions = { float32: 2 ** -24, float64: 2 ** -53 } as const;

/** One attempt at the integral; the next is made only where the tolerance asks. */
export interface Level {
  readonly rule: FixedRuleName;
  /** How often the rule is applied, side by side. */
  readonly applications: number;
}

function requirePositiveInteger(name: string, value: number): void {
  if (Number.isInteger(value) && value > 0) return;
  throw new UsageError({
    given: `${name} is ${value}`,
    expected: 'a whole number of at least 1',
    remedy: `set ${name} to 1, or to a power of two for finer integration`,
  });
}

function requireParts(rule: IntegrationSettings['rule'], subintervals: number): void {
  requirePositiveInteger('subintervals', subintervals);
  const parts = partsOf(rule);
  if (subintervals % parts === 0) return;
  throw new UsageError({
    given: `subintervals is ${subintervals} with rule ${rule}`,
    expected: `a multiple of ${parts}, since one application of ${rule} spans ${parts}`,
    remedy: `set subintervals to ${parts * Math.ceil(subintervals / parts)}, or leave it out`,
  });
}

function requireRoom(rule: IntegrationSettings['rule'], first: number, most: number): void {
  if (first <= most) return;
  throw new UsageError({
    given: `maxSubintervals is ${most}, and ${rule} starts with ${first} subintervals`,
    expected: `at least ${first}`,
    remedy: `set maxSubintervals to ${first} or more, or choose a rule with fewer`,
  });
}

function requireTolerance(rule: IntegrationSettings['rule'], tolerance: number | null): void {
  if (tolerance === null ? rule !== 'adaptive' : tolerance > 0 && tolerance < Infinity) return;
  throw new UsageError(
    tolerance === null
      ? {
          given: 'rule adaptive without a tolerance, which would never go beyond the trapezoid',
          expected: 'a tolerance above 0, in the unit of the loss',
          remedy: "set tolerance to the paper's 0.001, or rule to trapezoid",
        }
      : {
          given: `tolerance is ${tolerance}`,
          expected: 'a number above 0 in the unit of the loss, or null to never refine',
          remedy: "set tolerance to the paper's 0.001, or leave refinement off",
        },
  );
}

function requireCertify({ rule, certify = null }: IntegrationSettings): void {
  if (certify === null) return;
  if (!(certify >= 0 && certify < 1)) {
    throw new UsageError({
      given: `certify is ${certify}`,
      expected: 'a share of at least 0 and below 1',
      remedy: 'set certify to 0.99, or to 0 to state what is certain without refining for it',
    });
  }
  if (rule === 'adaptive' || rules[rule].coarser !== null) return;
  throw new UsageError({
    given: `certify with rule ${rule}, on whose points no coarser rule tells the error`,
    expected: `one of ${ruleNames.filter((name) => name === 'adaptive' || rules[name].coarser !== null).join(', ')}`,
    remedy: 'choose one of these rules, or leave certify out',
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
  if (subintervals !== null) requireParts(rule, subintervals);
  requirePositiveInteger('maxSubintervals', maxSubintervals);
  requireRoom(rule, subintervals ?? partsOf(rule), maxSubintervals);
  requireTolerance(rule, tolerance);
  requireCertify(settings);
}

/** The attempts in order: applications double up to the maximum; `adaptive` begins with the trapezoid, then goes on with Simpson. */
export function* levelsOf(settings: IntegrationSettings): Generator<Level> {
  const { rule, maxSubintervals } = settings;
  const first = (settings.subintervals ?? partsOf(rule)) / partsOf(rule);
  if (rule === 'adaptive') yield { rule: 'trapezoid', applications: first };
  const repeated = rule === 'adaptive' ? 'simpson' : rule;
  for (let n = first; n * partsOf(repeated) <= maxSubintervals; n *= 2) {
    yield { rule: repeated, applications: n };
  }
}
