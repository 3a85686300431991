import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { baseNodes, compositeRule, type FixedRuleName, ruleNames, rules, partsOf } from './rules.js';

const names = Object.keys(rules) as FixedRuleName[];

function quadrature(name: FixedRuleName, subintervals: number, f: (s: number) => number): number {
  const { nodes, weights } = compositeRule(name, subintervals);
  return nodes.reduce((sum, s, j) => sum + weights[j]! * f(s), 0);
}

describe.each(names)('%s', (name) => {
  const { degree, nodes, weights } = rules[name];

  it('has ascending nodes in [0, 1] and weights that sum to 1', () => {
    expect(nodes.length).toBe(weights.length);
    expect(nodes.every((s, j) => s >= 0 && s <= 1 && (j === 0 || s > nodes[j - 1]!))).toBe(true);
    expect(weights.reduce((sum, w) => sum + w)).toBeCloseTo(1, 15);
  });

  it(`integrates polynomials of degree ${degree} exactly`, () => {
    const coefficients = fc.array(fc.integer({ min: -9, max: 9 }), {
      minLength: degree + 1,
      maxLength: degree + 1,
    });
    fc.assert(
      fc.property(coefficients, fc.integer({ min: 1, max: 9 }), (c, n) => {
        const exact = c.reduce((sum, value, power) => sum + value / (power + 1), 0);
        const value = quadrature(name, n, (s) => c.reduceRight((sum, next) => sum * s + next, 0));
        expect(Math.abs(value - exact)).toBeLessThan(1e-13);
      }),
    );
  });

  it(`does not integrate s^${degree + 1} exactly`, () => {
    const error = quadrature(name, 1, (s) => s ** (degree + 1)) - 1 / (degree + 2);
    expect(Math.abs(error)).toBeGreaterThan(degree > 5 ? 1e-10 : 1e-4);
  });

  it(`converges with order ${degree + 1}`, () => {
    // Steep enough that the errors of the finest rule are far above rounding.
    const rate = degree > 5 ? 12 : 1;
    const error = (n: number) =>
      Math.abs(quadrature(name, n, (s) => Math.exp(rate * (s - 1))) - (1 - Math.exp(-rate)) / rate);
    expect(Math.log2(error(4) / error(8))).toBeCloseTo(degree + 1, degree > 5 ? 0 : 1);
  });

  it('merges shared ends, weights still summing to 1', () => {
    const composite = compositeRule(name, 7);
    expect(new Set(composite.nodes).size).toBe(composite.nodes.length);
    expect(composite.nodes).toEqual([...composite.nodes].sort((a, b) => a - b));
    expect(composite.weights.reduce((sum, w) => sum + w)).toBeCloseTo(1, 14);
  });

  it('keeps every node when subintervals double, exactly where it says so', () => {
    for (const n of [1, 3, 5]) {
      const finer = new Set(compositeRule(name, 2 * n).nodes);
      const kept = compositeRule(name, n).nodes.every((s) => finer.has(s));
      expect(kept).toBe(rules[name].gridDepth !== null);
    }
  });
});

describe('baseNodes', () => {
  it('always holds both ends once', () => {
    for (const name of ruleNames) {
      for (const n of [1, 2, 6]) {
        const nodes = baseNodes(name, n * partsOf(name));
        expect([nodes[0], nodes.at(-1)]).toEqual([0, 1]);
        expect(new Set(nodes).size).toBe(nodes.length);
      }
    }
  });

  it('of the paper are start, middle and end', () => {
    expect(baseNodes('simpson', 2)).toEqual([0, 0.5, 1]);
  });

  it('of adaptive are those of the trapezoid', () => {
    expect(baseNodes('adaptive', 2)).toEqual([0, 0.5, 1]);
  });
});
