import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NumericError, UsageError } from '../errors.js';
import { baseNodes, integrate } from './integrate.js';
import { compositeRule, type FixedRuleName, rules, partsOf, wantAt } from './rules.js';
import type { Evaluation, Integrand, IntegrationSettings, RuleName } from './types.js';

const fixedRules = Object.keys(rules) as FixedRuleName[];
const allRules: RuleName[] = [...fixedRules, 'adaptive'];
const never: IntegrationSettings = {
  rule: 'simpson',
  tolerance: null,
  subintervals: null,
  maxSubintervals: 32,
};

/** A smooth loss of three parameters with its gradient, scaled so that rough segments need refinement. */
function lossAt(theta: readonly number[], scale: number): Evaluation {
  const [a, b, c] = theta as [number, number, number];
  const loss = scale * (Math.exp(a * b) + Math.sin(3 * b + c) + c ** 4 / 4);
  const gradient = Float64Array.of(
    scale * b * Math.exp(a * b),
    scale * (a * Math.exp(a * b) + 3 * Math.cos(3 * b + c)),
    scale * (Math.cos(3 * b + c) + c ** 3),
  );
  return { loss, gradient };
}

const none = new Float64Array(0);

interface Recorded {
  readonly integrand: Integrand;
  readonly points: number[];
  /** Those where the gradient was wanted. */
  readonly gradients: number[];
}

function segment(from: readonly number[], to: readonly number[], scales: readonly number[] = [1]): Recorded {
  const points: number[] = [];
  const gradients: number[] = [];
  const integrand: Integrand = (s, want) => {
    points.push(s);
    if (want === 'gradient') gradients.push(s);
    const theta = from.map((start, k) => start + s * (to[k]! - start));
    const evaluations = scales.map((scale) => lossAt(theta, scale));
    return Promise.resolve(
      want === 'gradient' ? evaluations : evaluations.map(({ loss }) => ({ loss, gradient: none })),
    );
  };
  return { integrand, points, gradients };
}

const deltaOf = (from: readonly number[], to: readonly number[]) =>
  Float64Array.from(to, (end, k) => end - from[k]!);

/** The weighted mean by its definition, all gradients in memory. */
async function naiveMean(integrand: Integrand, rule: FixedRuleName, n: number, o: number): Promise<number[]> {
  const { nodes, weights } = compositeRule(rule, n);
  const gradients = await Promise.all(nodes.map(async (s) => (await integrand(s, 'gradient'))[o]!.gradient));
  return Array.from(gradients[0]!, (_, k) => gradients.reduce((sum, g, j) => sum + weights[j]! * g[k]!, 0));
}

const point = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 });

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, bound = 1e-13): void {
  expect(actual.length).toBe(expected.length);
  for (let k = 0; k < actual.length; k++) expect(Math.abs(actual[k]! - expected[k]!)).toBeLessThan(bound);
}

describe('integrate', () => {
  it.each(fixedRules)('%s equals the weighted mean by definition, composite and refined', async (rule) => {
    await fc.assert(
      fc.asyncProperty(point, point, fc.integer({ min: 1, max: 6 }), async (from, to, applications) => {
        const subintervals = applications * partsOf(rule);
        const { integrand } = segment(from, to, [1, -2]);
        for (const tolerance of [null, 1e-300]) {
          const settings = { rule, tolerance, subintervals, maxSubintervals: 4 * subintervals };
          const integral = await integrate(integrand, deltaOf(from, to), settings);
          for (const o of [0, 1]) {
            expectClose(
              integral.meanGradient[o]!,
              await naiveMean(integrand, rule, integral.subintervals / partsOf(rule), o),
            );
          }
        }
      }),
      { numRuns: 15 },
    );
  });

  it('reports the residual of each objective against its own losses', async () => {
    const [from, to] = [[0.1, -0.4, 0.9], [0.5, 0.3, -0.2]]; // prettier-ignore
    const delta = deltaOf(from, to);
    const { integrand } = segment(from, to, [1, 5]);
    const integral = await integrate(integrand, delta, never);
    const [start, end] = [await integrand(0, 'loss'), await integrand(1, 'loss')];
    integral.residual.forEach((residual, o) => {
      const total = delta.reduce((sum, step, k) => sum + step * integral.meanGradient[o]![k]!, 0);
      expect(residual).toBeCloseTo(total - (end[o]!.loss - start[o]!.loss), 14);
    });
    expect(integral.residual[1]! / integral.residual[0]!).toBeCloseTo(5, 8);
  });

  it.each(allRules)('%s evaluates no point twice and counts them all', async (rule) => {
    const { integrand, points, gradients } = segment([0.9, -1, 1], [-0.7, 0.8, -1]);
    const subintervals = 3 * partsOf(rule);
    const settings = { rule, tolerance: 1e-12, subintervals, maxSubintervals: 8 * subintervals };
    const integral = await integrate(integrand, deltaOf([0.9, -1, 1], [-0.7, 0.8, -1]), settings);
    expect(new Set(points).size).toBe(points.length);
    expect(integral.evaluations).toBe(gradients.length);
    expect(points.length - gradients.length).toBe(wantAt(rule, 0) === 'loss' ? 2 : 0);
    expect(points).toEqual(expect.arrayContaining(baseNodes(rule, subintervals)));
  });

  it.each(fixedRules)('%s takes no gradient at an end that is no node of it', async (rule) => {
    const { integrand, gradients } = segment([0, 0, 0], [0.1, 0.1, 0.1]);
    await integrate(integrand, Float64Array.of(0.1, 0.1, 0.1), { ...never, rule });
    expect(gradients.sort((a, b) => a - b)).toEqual(rules[rule].nodes);
  });

  it.each(allRules)('%s evaluates exactly its base nodes where it need not refine', async (rule) => {
    for (const applications of [1, 2, 5]) {
      const subintervals = applications * partsOf(rule);
      const { integrand, points } = segment([0, 0, 0], [0.1, 0.1, 0.1]);
      const settings = { rule, tolerance: rule === 'adaptive' ? 1 : null, subintervals, maxSubintervals: 32 };
      await integrate(integrand, deltaOf([0, 0, 0], [0.1, 0.1, 0.1]), settings);
      expect(points.sort((a, b) => a - b)).toEqual(baseNodes(rule, subintervals));
    }
  });

  it('reuses every earlier node: Simpson refined to 16 subintervals costs 17 points', async () => {
    const { integrand } = segment([1, 1, 1], [-1, -1, -1]);
    const settings = { rule: 'simpson', tolerance: 1e-300, subintervals: null, maxSubintervals: 16 } as const;
    const integral = await integrate(integrand, Float64Array.of(-2, -2, -2), settings);
    expect(integral).toMatchObject({ subintervals: 16, evaluations: 17 });
  });

  it('refines for whichever objective is out of tolerance, and only then', async () => {
    const ends = [[1, 1, 1], [-1, -1, -1]] as const; // prettier-ignore
    const delta = deltaOf(...ends);
    const settings = { ...never, tolerance: 1e-3 };
    const calm = await integrate(segment(...ends, [1e-5, 1e-5]).integrand, delta, settings);
    expect(calm.subintervals).toBe(2);
    const rough = await integrate(segment(...ends, [1e-5, 1]).integrand, delta, settings);
    expect(rough.subintervals).toBeGreaterThan(2);
    expect(Math.max(...rough.residual.map(Math.abs))).toBeLessThanOrEqual(1e-3);
  });

  it('stops at the maximum, also where doubling would step over it', async () => {
    const settings = { ...never, tolerance: 1e-300, subintervals: 6, maxSubintervals: 40 };
    const { integrand } = segment([1, 1, 1], [-1, -1, -1]);
    expect((await integrate(integrand, Float64Array.of(-2, -2, -2), settings)).subintervals).toBe(24);
  });

  it('leaves the gradients it was given untouched', async () => {
    const kept = new Map<number, readonly Evaluation[]>();
    const { integrand } = segment([1, 1, 1], [-1, -1, -1]);
    const caching: Integrand = async (s, want) => {
      kept.set(s, await integrand(s, want));
      return kept.get(s)!;
    };
    const settings = { ...never, tolerance: 1e-300, maxSubintervals: 8 };
    await integrate(caching, Float64Array.of(-2, -2, -2), settings);
    for (const [s, evaluations] of kept) expect(evaluations).toEqual(await integrand(s, 'gradient'));
  });
});

describe('metamorphic laws', () => {
  it.each(fixedRules)('%s: a segment split in two equals twice the subintervals', async (rule) => {
    const [from, to] = [[0.1, -0.4, 0.9], [0.5, 0.3, -0.2]]; // prettier-ignore
    const middle = from.map((start, k) => (start + to[k]!) / 2);
    const halves = [
      await integrate(segment(from, middle).integrand, deltaOf(from, middle), { ...never, rule }),
      await integrate(segment(middle, to).integrand, deltaOf(middle, to), { ...never, rule }),
    ];
    const whole = await integrate(segment(from, to).integrand, deltaOf(from, to), {
      ...never,
      rule,
      subintervals: 2 * partsOf(rule),
    });
    expectClose(
      whole.meanGradient[0]!,
      halves[0]!.meanGradient[0]!.map((g, k) => (g + halves[1]!.meanGradient[0]![k]!) / 2),
    );
    expect(whole.residual[0]).toBeCloseTo(halves[0]!.residual[0]! + halves[1]!.residual[0]!, 13);
  });

  it.each(fixedRules.filter((rule) => rule !== 'left' && rule !== 'right'))(
    '%s: reversal flips the sign of the residual',
    async (rule) => {
      const [from, to] = [[0.1, -0.4, 0.9], [0.5, 0.3, -0.2]]; // prettier-ignore
      const there = await integrate(segment(from, to).integrand, deltaOf(from, to), { ...never, rule });
      const back = await integrate(segment(to, from).integrand, deltaOf(to, from), { ...never, rule });
      expectClose(back.meanGradient[0]!, there.meanGradient[0]!);
      expect(back.residual[0]).toBeCloseTo(-there.residual[0]!, 13);
    },
  );

  it('left reversed is right', async () => {
    const [from, to] = [[0.1, -0.4, 0.9], [0.5, 0.3, -0.2]]; // prettier-ignore
    const left = await integrate(segment(from, to).integrand, deltaOf(from, to), { ...never, rule: 'left' }); // prettier-ignore
    const right = await integrate(segment(to, from).integrand, deltaOf(to, from), { ...never, rule: 'right' }); // prettier-ignore
    expect(right.residual[0]).toBeCloseTo(-left.residual[0]!, 14);
  });
});

describe('adaptive', () => {
  const ends = [[1, 1, 1], [-1, -1, -1]] as const; // prettier-ignore
  const delta = deltaOf(...ends);
  const adaptive: IntegrationSettings = { ...never, rule: 'adaptive', tolerance: 1e-3 };

  it('is the trapezoid where that is good enough', async () => {
    const { integrand } = segment(...ends, [1e-6]);
    const integral = await integrate(integrand, delta, adaptive);
    expect(integral).toMatchObject({ subintervals: 1, evaluations: 2 });
    expectClose(integral.meanGradient[0]!, await naiveMean(integrand, 'trapezoid', 1, 0));
  });

  it('is composite Simpson where the tolerance asks, at no more points', async () => {
    const { integrand } = segment(...ends);
    const integral = await integrate(integrand, delta, adaptive);
    const simpson = await integrate(integrand, delta, { ...adaptive, rule: 'simpson' });
    expect(integral).toEqual(simpson);
    expect(integral.subintervals).toBeGreaterThan(1);
  });
});

describe('a resolution of the losses', () => {
  const ends = [[1, 1, 1], [-1, -1, -1]] as const; // prettier-ignore
  const delta = deltaOf(...ends);

  it('ends the refinement where the residual is below it, whatever the tolerance', async () => {
    const strict: IntegrationSettings = { ...never, tolerance: 1e-300 };
    const { integrand } = segment(...ends);
    expect((await integrate(integrand, delta, strict)).subintervals).toBe(32);
    const coarse = await integrate(integrand, delta, { ...strict, resolution: 1 });
    expect(coarse.subintervals).toBe(4);
    const [start, end] = await Promise.all([integrand(0, 'loss'), integrand(1, 'loss')]);
    const floor = Math.max(Math.abs(start[0]!.loss), Math.abs(end[0]!.loss));
    expect(Math.abs(coarse.residual[0]!)).toBeLessThanOrEqual(floor);
  });
});

describe('what is not finite', () => {
  const broken =
    (at: number, evaluation: Evaluation): Integrand =>
    (s) =>
      Promise.resolve([s === at ? evaluation : { loss: 1, gradient: Float64Array.of(1) }]);

  it.each([0, 1])('throws for a loss at %d', async (at) => {
    const integrand = broken(at, { loss: NaN, gradient: Float64Array.of(1) });
    await expect(integrate(integrand, Float64Array.of(1), never)).rejects.toThrow(NumericError);
  });

  it('shows a gradient in the residual and refines no further', async () => {
    const integrand = broken(0.5, { loss: 1, gradient: Float64Array.of(Infinity) });
    const integral = await integrate(integrand, Float64Array.of(1), { ...never, tolerance: 1e-3 });
    expect(integral.residual[0]).toBe(Infinity);
    expect(integral.evaluations).toBe(3);
  });
});

describe('settings', () => {
  it.each([
    { tolerance: 0 },
    { tolerance: NaN },
    { tolerance: Infinity },
    { subintervals: 0 },
    { subintervals: 1.5 },
    { subintervals: 3 },
    { maxSubintervals: -1 },
    { rule: 'simson' as RuleName },
    { rule: 'adaptive' as RuleName },
  ])('rejects %o', async (wrong) => {
    const { integrand, points } = segment([0, 0, 0], [1, 1, 1]);
    const settings = { ...never, ...wrong };
    await expect(integrate(integrand, Float64Array.of(1, 1, 1), settings)).rejects.toThrow(UsageError);
    expect(points).toEqual([]);
  });
});
