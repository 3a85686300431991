import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OperatorCase } from '../../test/support/operator-cases.js';
import { operatorCases } from '../../test/support/operator-cases.js';
import { evaluate } from '../engines/reference/evaluate.js';
import { feedTensors, parameterTensors } from '../engines/reference/bind.js';
import { operators } from '../graph/operators/index.js';
import type { Graph } from '../graph/types.js';
import { differentiate, gradientRules, withoutGradient } from './index.js';

const step = 2 ** -12;
/** Of the largest component or 1. With this step and order four, truncation and rounding both stay below it. */
const tolerance = 1e-9;

function run(graph: Graph, { feeds }: OperatorCase, theta: Float64Array): number[] {
  const bound = new Map([...parameterTensors(graph, theta), ...feedTensors(graph, feeds)]);
  return evaluate(graph, bound).flatMap((tensor) => [...tensor.data]);
}

function centralDifference(given: OperatorCase, k: number, size: number): number {
  const [above, below] = [size, -size].map((move) => {
    const theta = given.theta.slice();
    theta[k]! += move;
    return run(given.graph, given, theta)[0]!;
  });
  return (above! - below!) / (2 * size);
}

/** Central differences with two steps, extrapolated to order four. */
function numericGradient(given: OperatorCase): number[] {
  return Array.from(given.theta.keys(), (k) => {
    return (4 * centralDifference(given, k, step / 2) - centralDifference(given, k, step)) / 3;
  });
}

function largestError(given: OperatorCase): number {
  const [loss, ...gradient] = run(differentiate(given.graph), given, given.theta);
  expect(loss).toBe(run(given.graph, given, given.theta)[0]);
  const expected = numericGradient(given);
  expect(gradient.length).toBe(expected.length);
  const scale = Math.max(1, ...expected.map(Math.abs));
  return Math.max(...expected.map((value, k) => Math.abs(value - gradient[k]!) / scale));
}

const modelOperators = [...operatorCases.keys()];

describe('gradient', () => {
  it.each(modelOperators)('of %s equals central differences', (op) => {
    fc.assert(
      fc.property(operatorCases.get(op)!, (given) => {
        expect(largestError(given)).toBeLessThan(tolerance);
      }),
      { numRuns: 15 },
    );
  });
});

describe('operator coverage', () => {
  const generated = (op: string): string[] =>
    fc
      .sample(operatorCases.get(op)!, { seed: 1, numRuns: 20 })
      .flatMap(({ graph }) => differentiate(graph).nodes.map((node) => node.op));

  it('is complete: each operator is tested here or appears in the gradient of one that is', () => {
    const reached = new Set(modelOperators.flatMap(generated));
    expect([...operators.keys()].filter((op) => !reached.has(op))).toEqual([]);
  });

  it('has a gradient rule or a stated reason for each operator of a model, never both', () => {
    expect([...gradientRules.keys(), ...withoutGradient.keys()].sort()).toEqual([...modelOperators].sort());
  });
});
