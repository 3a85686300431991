import { describe, expect, it } from 'vitest';
import { differentiate } from '../../autodiff/index.js';
import { EngineError } from '../../errors.js';
import { GraphBuilder } from '../../graph/builder.js';
import { attachLoss } from '../../graph/loss.js';
import type { Graph } from '../../graph/types.js';
import { referenceEngine } from './index.js';

/** Squared error of a linear model: x [2, 2] · w [2, 1] against labels [2, 1]. */
function lossGraph(): Graph {
  const builder = new GraphBuilder('linear');
  const x = builder.input('x', 'float32', [2, 2]);
  const initializer = { kind: 'zeros' } as const;
  const w = builder.parameter('w', [2, 1], { layer: 'w', neuronAxis: 1, initializer });
  return attachLoss(builder.build([builder.apply('MatMul', [x, w])]), { loss: 'squaredError' });
}

const feeds = { x: Float32Array.of(1, 2, 3, 4), labels: Float32Array.of(0, 1) };
// With w = (1, -1) the outputs are (-1, -1): residuals (-1, -2), loss 5, gradient 2 · xᵀ · residuals.
const theta = Float64Array.of(1, -1);
const gradientSum = [-14, -20];

describe('reference engine', () => {
  it('returns the loss and adds the gradient to what is there', async () => {
    const program = await referenceEngine.compile(differentiate(lossGraph()));
    program.load(theta);
    const gradient = Float64Array.of(100, 0);
    expect(await program.run(feeds, gradient)).toBe(5);
    expect([...gradient]).toEqual([86, -20]);
    expect(await program.run(feeds)).toBe(5);
    await program.run(feeds, gradient);
    expect([...gradient]).toEqual([100 + 2 * gradientSum[0]!, 2 * gradientSum[1]!]);
    await program.dispose();
  });

  it('keeps its own copy of θ', async () => {
    const program = await referenceEngine.compile(lossGraph());
    const own = theta.slice();
    program.load(own);
    own.fill(NaN);
    expect(await program.run(feeds)).toBe(5);
  });

  it('runs a graph that came through a structured clone, as worker threads send it', async () => {
    const program = await referenceEngine.compile(structuredClone(differentiate(lossGraph())));
    program.load(theta);
    const gradient = new Float64Array(2);
    await program.run(feeds, gradient);
    expect([...gradient]).toEqual(gradientSum);
  });

  it('refuses arrays of another length than declared', async () => {
    const program = await referenceEngine.compile(lossGraph());
    expect(() => program.load(new Float64Array(3))).toThrow(EngineError);
    await expect(program.run({ x: feeds.x })).rejects.toThrow(/feed labels with 0 numbers\s+expected: 2/);
    await expect(program.run({ ...feeds, x: new Float32Array(3) })).rejects.toThrow(/feed x with 3/);
    await expect(program.run(feeds, new Float64Array(1))).rejects.toThrow(/gradient with 1/);
  });

  it('refuses graphs without a scalar loss, and operators that it does not know', async () => {
    const graph = lossGraph();
    const strange = { ...graph, nodes: [{ ...graph.nodes[0]!, op: 'Strange', name: 'odd' }] };
    await expect(referenceEngine.compile({ ...graph, outputs: [] })).rejects.toThrow(EngineError);
    await expect(referenceEngine.compile(strange)).rejects.toThrow(/operator Strange of node odd/);
  });
});
