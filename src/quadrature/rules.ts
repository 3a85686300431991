import type { RuleName, Want } from './types.js';

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
  /**
   * Weights of a rule of lower degree on the same nodes, whose distance estimates the error at no further gradient; null where there is none.
   */
  readonly coarser: readonly number[] | null;
}

const third = Math.sqrt(3) / 6;
const fifth = Math.sqrt(15) / 10;

/** Positive nodes on [−1, 1] of the Gauss-Kronrod rule that extends `gauss3`, ascending, each with its weight; then that of 0. */
const kronrodNodes = [0.4342437493468025580020715, 0.7745966692414833770358531, 0.9604912687080202834235071];
const kronrodWeights = [
  0.4013974147759622229050518, 0.2684880898683334407285693, 0.1046562260264672651938239,
];
const kronrodMiddle = 0.4509165386584741423451101;

/** The rules as data. Newton-Cotes (closed), Gauss-Legendre and Gauss-Kronrod; Simpson is the paper's RK4. */
export const rules: Readonly<Record<FixedRuleName, Rule>> = {
  left: { nodes: [0, 1], weights: [1, 0], degree: 0, gridDepth: 0, coarser: [0, 1] },
  right: { nodes: [0, 1], weights: [0, 1], degree: 0, gridDepth: 0, coarser: [1, 0] },
  midpoint: { nodes: [0.5], weights: [1], degree: 1, gridDepth: null, coarser: null },
  trapezoid: { nodes: [0, 1], weights: [1 / 2, 1 / 2], degree: 1, gridDepth: 0, coarser: [1, 0] },
  simpson: {
    nodes: [0, 0.5, 1],
    weights: [1 / 6, 4 / 6, 1 / 6],
    degree: 3,
    gridDepth: 1,
    coarser: [1 / 2, 0, 1 / 2],
  },
  boole: {
    nodes: [0, 0.25, 0.5, 0.75, 1],
    weights: [7 / 90, 32 / 90, 12 / 90, 32 / 90, 7 / 90],
    degree: 5,
    gridDepth: 2,
    coarser: [1 / 6, 0, 4 / 6, 0, 1 / 6],
  },
  gauss2: {
    nodes: [0.5 - third, 0.5 + third],
    weights: [1 / 2, 1 / 2],
    degree: 3,
    gridDepth: null,
    coarser: null,
  },
  gauss3: {
    nodes: [0.5 - fifth, 0.5, 0.5 + fifth],
    weights: [5 / 18, 8 / 18, 5 / 18],
    degree: 5,
    gridDepth: null,
    coarser: [0, 1, 0],
  },
  kronrod7: {
    nodes: [...kronrodNodes.map((x) => (1 - x) / 2).reverse(), 0.5, ...kronrodNodes.map((x) => (1 + x) / 2)],
    weights: [...kronrodWeights]
      .reverse()
      .concat(kronrodMiddle, kronrodWeights)
      .map((w) => w / 2),
    degree: 11,
    gridDepth: null,
    coarser: [0, 5 / 18, 0, 8 / 18, 0, 5 / 18, 0],
  },
};

/** Names of all rules, for messages and schemas. */
export const ruleNames: readonly RuleName[] = [...(Object.keys(rules) as FixedRuleName[]), 'adaptive'];

/** Equal parts of a segment that one application of the rule spans: 2 for Simpson, 4 for Boole, 1 for every other. */
export function partsOf(rule: RuleName): number {
  return rule === 'adaptive' ? 1 : 2 ** (rules[rule].gridDepth ?? 0);
}

/** Nodes and weights of `applications` applications side by side, ascending, ends that neighbours share merged; default the rule's weights. */
export function compositeRule(
  name: FixedRuleName,
  applications: number,
  own: readonly number[] = rules[name].weights,
): { nodes: number[]; weights: number[] } {
  const rule = rules[name];
  const weightAt = new Map<number, number>();
  for (let part = 0; part < applications; part++) {
    rule.nodes.forEach((node, j) => {
      const s = (part + node) / applications;
      weightAt.set(s, (weightAt.get(s) ?? 0) + own[j]! / applications);
    });
  }
  return { nodes: [...weightAt.keys()], weights: [...weightAt.values()] };
}

/** What a rule needs of a point: of the ends of a segment, rules without nodes there need the loss alone. */
export function wantAt(rule: RuleName, s: number): Want {
  const isInside = s > 0 && s < 1;
  return isInside || rule === 'adaptive' || rules[rule].gridDepth !== null ? 'gradient' : 'loss';
}

/** By how much a rule's weights differ from those of the coarser rule on the same nodes. */
export function errorWeights(name: FixedRuleName): number[] {
  const { weights, coarser } = rules[name];
  return weights.map((weight, j) => weight - coarser![j]!);
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
