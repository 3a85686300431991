import { describe, expect, it } from 'vitest';
import { differentiate } from '../../src/autodiff/differentiate.js';
import type { Program } from '../../src/engines/types.js';
import { attachLoss } from '../../src/graph/loss.js';
import { modelNamed } from '../../src/models/registry.js';
import { integrate } from '../../src/quadrature/integrate.js';
import type { Evaluation, RuleName } from '../../src/quadrature/types.js';
import { engineNamed } from '../../src/engines/registry.js';
import { sha256 } from '../../src/store/files.js';
import { golden, goldenAbsent, goldenHere, mnistHead, relativeDeviation } from '../support/golden.js';

/** Bounds, relative to the largest component (residual: nats). */
const engines = [
  { name: 'reference', bound: 1e-12, residual: 1e-12 },
  { name: 'onnxruntime', bound: 1e-5, residual: 1e-6 },
  { name: 'native', bound: 1e-5, residual: 1e-6 },
] as const;

interface Allocated {
  readonly allocation: number[];
  readonly residual: number[];
}

async function compile(engineName: string, examples: number): Promise<Program> {
  const transform = { dtype: 'uint8', divisor: 255, mean: [], std: [] } as const;
  const forward = modelNamed('fc').model.build({ examples, training: false, transform });
  const engine = await engineNamed(engineName);
  return engine.compile(differentiate(attachLoss(forward, { loss: 'softmaxCrossEntropy' })));
}

/** Allocations of all steps, before they are rounded for storing; `found` keeps what was evaluated, since steps and rules share points. */
async function allocate(
  program: Program,
  rule: RuleName,
  subintervals: number,
  found: Map<string, Promise<Evaluation[]>>,
): Promise<Allocated> {
  const { definition, tensors } = golden('mlp');
  const { examples, steps } = definition;
  const { images, labels } = mnistHead(examples);
  const rows = tensors['theta']!;
  const size = rows.length / (steps + 1);
  const result: Allocated = { allocation: [], residual: [] };
  const compute = async (theta: Float64Array): Promise<Evaluation[]> => {
    const gradient = new Float64Array(size);
    program.load(theta);
    const loss = await program.run({ x: images, labels }, gradient);
    return [{ loss: loss / examples, gradient: gradient.map((sum) => sum / examples) }];
  };
  // A program runs one chunk at a time, and the quadrature may ask for several points at once.
  let last: Promise<unknown> = Promise.resolve();
  const at = (theta: Float64Array): Promise<Evaluation[]> => {
    const key = sha256(new Uint8Array(theta.buffer));
    const known = found.get(key);
    if (known !== undefined) return known;
    const evaluation = last.then(() => compute(theta));
    found.set(key, evaluation);
    last = evaluation;
    return evaluation;
  };
  for (let t = 0; t < steps; t++) {
    const theta = Float64Array.from(rows.subarray(t * size, (t + 1) * size));
    const delta = theta.map((start, k) => rows[(t + 1) * size + k]! - start);
    const integral = await integrate((s) => at(theta.map((start, k) => start + s * delta[k]!)), delta, {
      rule,
      tolerance: null,
      subintervals,
      maxSubintervals: 32,
    });
    result.allocation.push(...delta.map((step, k) => step * integral.meanGradient[0]![k]!));
    result.residual.push(integral.residual[0]!);
  }
  return result;
}

describe('golden case mlp', () => {
  it.for(engines)(
    'first-order and Simpson allocations of $name',
    async ({ name, bound, residual }, { skip }) => {
      skip(!goldenHere('mlp'), goldenAbsent);
      const availability = await (await engineNamed(name)).available();
      if (!availability.ok) skip(availability.reason);
      const { definition, tensors } = golden('mlp');
      const program = await compile(name, definition.examples);
      const found = new Map<string, Promise<Evaluation[]>>();
      const first = await allocate(program, 'left', 1, found);
      expect(relativeDeviation(first.allocation, tensors['lca_first_order']!)).toBeLessThan(bound);
      const simpson = await allocate(program, 'simpson', 2, found);
      expect(relativeDeviation(simpson.allocation, tensors['lca_simpson2']!)).toBeLessThan(bound);
      simpson.residual.forEach((value, t) => {
        expect(Math.abs(value - definition.residual_simpson2[t]!)).toBeLessThan(residual);
      });
      await program.dispose();
    },
  );
});
