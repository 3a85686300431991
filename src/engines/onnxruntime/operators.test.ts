import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OperatorCase } from '../../../test/support/operator-cases.js';
import { operatorCases } from '../../../test/support/operator-cases.js';
import { differentiate } from '../../autodiff/index.js';
import { operators } from '../../graph/operators/index.js';
import { referenceEngine } from '../reference/index.js';
import type { Engine } from '../types.js';
import { onnxruntimeEngine } from './index.js';
import { lowerings } from './lowering/index.js';

/** float32 against float64, of the largest component or 1. */
const tolerance = 2e-5;
/** Two numbers close to each other, normalised, lose as many digits as they share. */
const normalizationTolerance = 1e-3;

async function evaluate(engine: Engine, { graph, theta, feeds }: OperatorCase): Promise<[number, number[]]> {
  const program = await engine.compile(differentiate(graph));
  program.load(theta);
  const gradient = new Float64Array(theta.length);
  const loss = await program.run(feeds, gradient);
  await program.dispose();
  return [loss, [...gradient]];
}

function expectClose(actual: readonly number[], expected: readonly number[], bound: number): void {
  const scale = Math.max(1, ...expected.map(Math.abs));
  const errors = expected.map((value, k) => Math.abs(value - actual[k]!) / scale);
  expect(actual.length).toBe(expected.length);
  expect(Math.max(...errors)).toBeLessThan(bound);
}

describe('loss and gradient', () => {
  it.each([...operatorCases.keys()])('through %s agree with the reference engine', async (op) => {
    const bound = op.includes('Norm') ? normalizationTolerance : tolerance;
    await fc.assert(
      fc.asyncProperty(operatorCases.get(op)!, async (given) => {
        const [loss, gradient] = await evaluate(onnxruntimeEngine('cpu'), given);
        const [expectedLoss, expectedGradient] = await evaluate(referenceEngine, given);
        expectClose([loss], [expectedLoss], bound);
        expectClose(gradient, expectedGradient, bound);
      }),
      { numRuns: 12 },
    );
  });
});

describe('lowerings', () => {
  it('exist for each operator of a graph, and for no other', () => {
    expect([...lowerings.keys()].sort()).toEqual([...operators.keys()].sort());
  });
});
