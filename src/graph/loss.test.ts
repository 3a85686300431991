import { describe, expect, it } from 'vitest';
import { referenceEngine } from '../engines/reference/index.js';
import type { Feeds } from '../engines/types.js';
import { GraphError } from '../errors.js';
import { GraphBuilder } from './builder.js';
import type { LossOptions } from './loss.js';
import { attachErrors, attachLoss } from './loss.js';
import type { Graph } from './types.js';

/** A model that only hands on its input [2, 3]. */
function forward(): Graph {
  const builder = new GraphBuilder('identity');
  return builder.build([builder.apply('Identity', [builder.input('x', 'float32', [2, 3])])]);
}

const x = Float32Array.of(1, -2, 0.5, 0, 3, -1);

async function lossOf(options: LossOptions, labels: Feeds[string]): Promise<number> {
  const program = await referenceEngine.compile(attachLoss(forward(), options));
  return program.run({ x, labels });
}

describe('attachErrors', () => {
  it('counts labels that have not the largest output', async () => {
    const errors = async (labels: number[]) => {
      const program = await referenceEngine.compile(attachErrors(forward(), { loss: 'softmaxCrossEntropy' }));
      return program.run({ x, labels: Int32Array.from(labels) });
    };
    expect(
      await Promise.all(
        [
          [0, 1],
          [1, 1],
          [0, 2],
          [2, 0],
        ].map(errors),
      ),
    ).toEqual([0, 1, 1, 2]);
  });

  it('takes classes on any axis, and of equal outputs one at random', async () => {
    const builder = new GraphBuilder('positions');
    const graph = builder.build([builder.apply('Identity', [builder.input('x', 'float32', [1, 2, 2])])]);
    const program = await referenceEngine.compile(attachErrors(graph, { loss: 'softmaxCrossEntropy' }));
    // Positions 0 and 1 with the outputs (5, 1) and (2, 2).
    const outputs = Float32Array.of(5, 2, 1, 2);
    expect(await program.run({ x: outputs, labels: Int32Array.of(1, 1) })).toBe(1.5);
  });

  it('finds every label of a single class right', async () => {
    const builder = new GraphBuilder('one class');
    const graph = builder.build([builder.apply('Identity', [builder.input('x', 'float32', [3, 1])])]);
    const program = await referenceEngine.compile(attachErrors(graph, { loss: 'softmaxCrossEntropy' }));
    expect(await program.run({ x: Float32Array.of(2, 0, -1), labels: Int32Array.of(0, 0, 0) })).toBe(0);
  });

  it('leaves out labels that do not count', async () => {
    const options = { loss: 'softmaxCrossEntropy', ignoring: true } as const;
    const program = await referenceEngine.compile(attachErrors(forward(), options));
    const errors = (labels: number[]) => program.run({ x, labels: Int32Array.from(labels) });
    expect([await errors([3, 1]), await errors([3, 0]), await errors([3, 3]), await errors([1, 0])]).toEqual([0, 1, 0, 2]); // prettier-ignore
  });

  it('compares signs with labels of 0 and 1', async () => {
    const program = await referenceEngine.compile(attachErrors(forward(), { loss: 'sigmoidCrossEntropy' }));
    // x is 1, -2, 0.5, 0, 3, -1: one that is 0 is as good as wrong half the time.
    expect(await program.run({ x, labels: Float32Array.of(1, 0, 1, 0, 1, 0) })).toBe(0.5);
    expect(await program.run({ x, labels: Float32Array.of(0, 0, 1, 1, 1, 1) })).toBe(2.5);
  });
});

describe('attachLoss', () => {
  it('softmax cross-entropy: sum over examples of -log p[label]', async () => {
    const naive = [0, 1].map((n) => {
      const row = [...x.slice(3 * n, 3 * n + 3)];
      return -Math.log(Math.exp(row[n + 1]!) / row.reduce((sum, logit) => sum + Math.exp(logit), 0));
    });
    const labels = Int32Array.of(1, 2);
    expect(await lossOf({ loss: 'softmaxCrossEntropy' }, labels)).toBeCloseTo(naive[0]! + naive[1]!, 13);
    const weighted = await lossOf({ loss: 'softmaxCrossEntropy', classWeights: [7, 2, 3] }, labels);
    expect(weighted).toBeCloseTo(2 * naive[0]! + 3 * naive[1]!, 13);
  });

  it('by example: sum over examples of the mean over those of their labels that count', async () => {
    const builder = new GraphBuilder('tokens');
    const logits = builder.build([
      builder.apply('Reshape', [builder.input('x', 'float32', [2, 6])], { shape: [2, 2, 3] }),
    ]);
    const numbers = Float32Array.of(1, -2, 0.5, 0, 3, -1, 0.25, 1, -1, 2, 0, 0.5);
    const surprise = (row: number, label: number): number => {
      const own = [...numbers.slice(3 * row, 3 * row + 3)];
      return -Math.log(Math.exp(own[label]!) / own.reduce((sum, logit) => sum + Math.exp(logit), 0));
    };
    const options = { loss: 'softmaxCrossEntropy', classAxis: 2, byExample: true, ignoring: true } as const;
    const labels = Int32Array.of(1, 2, 3, 0);
    const sum = async (masked: boolean, included = {}): Promise<number> => {
      const program = await referenceEngine.compile(attachLoss(logits, { ...options, masked }));
      return program.run({ x: numbers, labels, ...included });
    };
    const first = (surprise(0, 1) + surprise(1, 2)) / 2;
    expect(await sum(false)).toBeCloseTo(first + surprise(3, 0), 13);
    expect(await sum(true, { included: Float32Array.of(1, 1, 0, 0) })).toBeCloseTo(first, 13);
  });

  it('of the graph’s own losses: their sum over the examples that count', async () => {
    const builder = new GraphBuilder('losses');
    const losses = builder.build([builder.input('x', 'float32', [3])]);
    const program = await referenceEngine.compile(attachLoss(losses, { loss: 'output', masked: true }));
    const feeds = { x: Float32Array.of(1, 2, 4), included: Float32Array.of(1, 0, 1) };
    expect(await program.run(feeds)).toBe(5);
  });

  it('sigmoid cross-entropy: sum over examples of the mean over outputs of -log p of the label', async () => {
    const labels = Float32Array.of(1, 0, 0, 1, 1, 0);
    const terms = Array.from(x, (z, k) => {
      const p = 1 / (1 + Math.exp(-z));
      return -Math.log(labels[k] === 1 ? p : 1 - p);
    });
    const expected = terms.reduce((a, b) => a + b) / 3;
    expect(await lossOf({ loss: 'sigmoidCrossEntropy' }, labels)).toBeCloseTo(expected, 13);
  });

  it('squared error: sum over examples of the mean over outputs', async () => {
    const labels = Float32Array.of(0, 0, 0, 0, 3, 1);
    expect(await lossOf({ loss: 'squaredError' }, labels)).toBeCloseTo((1 + 4 + 0.25 + 4) / 3, 14);
  });

  it('refuses a graph without one float output', () => {
    const graph = forward();
    const twice = { ...graph, outputs: [graph.outputs[0]!, graph.outputs[0]!] };
    expect(() => attachLoss(twice, { loss: 'squaredError' })).toThrow(GraphError);
    expect(() => attachLoss({ ...graph, outputs: [] }, { loss: 'squaredError' })).toThrow(
      /one float32 output/,
    );
  });
});
