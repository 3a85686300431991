import type { RuleName } from './types.js';

/** Rules with fixed nodes; `adaptive` is a plan over `trapezoid` and `simpson`, not a rule of its own. */
export type FixedRuleName = Exclude<RuleName, 'adaptive'>;

/** A quadrature rule on [0, 1]; its weights sum to 1. */
export interface Rule {
  readonly nodes: readonly number[];
  readonly weights: readonly number[];
  /** Polynomials up to this degree are integrated exactly. */
  readonly degree: number;
  /**
   * log2 of the intervals of the equispaced grid that the nodes stand on, ends included: doubling the subintervals keeps every earlier node.
   * Null where the nodes are not nested, so that each refinement evaluates all its points anew.
   */
  readonly gridDepth: number | null;
}

const third = Math.sqrt(3) / 6;
const fifth = Math.sqrt(15) / 10;

/** The rules as data. Newton-Cotes (closed) and Gauss-Legendre; Simpson is the paper's RK4. */
export const rules: Readonly<Record<FixedRuleName, Rule>> = {
  left: { nodes: [0, 1], weights: [1, 0], degree: 0, gridDepth: 0 },
  right: { nodes: [0, 1], weights: [0, 1], degree: 0, gridDepth: 0 },
  midpoint: { nodes: [0.5], weights: [1], degree: 1, gridDepth: null },
  trapezoid: { nodes: [0, 1], weights: [1 / 2, 1 / 2], degree: 1, gridDepth: 0 },
  simpson: { nodes: [0, 0.5, 1], weights: [1 / 6, 4 / 6, 1 / 6], degree: 3, gridDepth: 1 },
  boole: {
    nodes: [0, 0.25, 0.5, 0.75, 1],
    weights: [7 / 90, 32 / 90, 12 / 90, 32 / 90, 7 / 90],
    degree: 5,
    gridDepth: 2,
  },
  gauss2: { nodes: [0.5 - third, 0.5 + third], weights: [1 / 2, 1 / 2], degree: 3, gridDepth: null },
  gauss3: {
    nodes: [0.5 - fifth, 0.5, 0.5 + fifth],
    weights: [5 / 18, 8 / 18, 5 / 18],
    degree: 5,
    gridDepth: null,
  },
};

/** Names of all rules, for messages and schemas. */
export const ruleNames: readonly RuleName[] = [...(Object.keys(rules) as FixedRuleName[]), 'adaptive'];

/** Equal parts of a segment that one application of the rule spans: 2 for Simpson, 4 for Boole, 1 for every other. */
export function partsOf(rule: RuleName): number {
  return rule === 'adaptive' ? 1 : 2 ** (rules[rule].gridDepth ?? 0);
}

/** Nodes and weights of `applications` applications side by side, ascending, ends that neighbours share merged. */
export function compositeRule(
  name: FixedRuleName,
  applications: number,
): { nodes: number[]; weights: number[] } {
  const rule = rules[name];
  const weightAt = new Map<number, number>();
  for (let part = 0; part < applications; part++) {
    rule.nodes.forEach((node, j) => {
      const s = (part + node) / applications;
      weightAt.set(s, (weightAt.get(s) ?? 0) + rule.weights[j]! / applications);
    });
  }
  return { nodes: [...weightAt.keys()], weights: [...weightAt.values()] };
}

/**
 * The points that an integration certainly evaluates, ascending: the rule's nodes before any refinement, and both ends, whose
 * losses the residual needs. A caller may start them early.
 */
export function baseNodes(rule: RuleName, subintervals: number | null): number[] {
  const applications = (subintervals ?? partsOf(rule)) / partsOf(rule);
  const { nodes } = compositeRule(rule === 'adaptive' ? 'trapezoid' : rule, applications);
  return [...new Set([0, ...nodes, 1])];
}
