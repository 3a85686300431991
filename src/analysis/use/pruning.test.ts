import { describe, expect, it } from 'vitest';
import { layoutOf } from '../../ledger/layout.js';
import { studentT } from '../statistics/t-test.js';
import { judgedBy, judgePruning, prunable, type PrunedBy, pruningEvidence, pruningOrder } from './pruning.js';

const layout = layoutOf([
  { name: 'a.weight', shape: [2, 2], layer: 'a', neuronAxis: 0, kind: 'kernel' },
  { name: 'a.bias', shape: [2], layer: 'a', neuronAxis: 0, kind: 'bias' },
  { name: 'b.weight', shape: [1, 2], layer: 'b', neuronAxis: 0, kind: 'kernel' },
]);
const facts = {
  layout,
  totals: Float64Array.of(-3, 2, 0, 0, 9, 9, -0.5, 1),
  theta: Float32Array.of(0.1, -4, 2, -1, 7, 7, 0.5, 3),
};
const indices = prunable(layout);

describe('pruning', () => {
  it('removes weights of kernels alone, by allocation, size and magnitude', () => {
    expect([...indices]).toEqual([0, 1, 2, 3, 6, 7]);
    const order = (method: 'allocation' | 'size' | 'magnitude') => [...pruningOrder(indices, method, facts)];
    expect(order('allocation')).toEqual([1, 7, 3, 2, 6, 0]);
    expect(order('size')).toEqual([3, 2, 6, 7, 1, 0]);
    expect(order('magnitude')).toEqual([0, 6, 3, 2, 7, 1]);
  });

  it('draws each order of all weights once, the same for the same draw', () => {
    const drawn = [0, 1, 0].map((draw) => [...pruningOrder(indices, 'random', facts, draw)]);
    expect(drawn[0]!.toSorted((a, b) => a - b)).toEqual([...indices]);
    expect(drawn[2]).toEqual(drawn[0]);
    expect(drawn[1]).not.toEqual(drawn[0]);
  });

  it('states what the weights of each layer did', () => {
    expect(pruningEvidence(indices, facts)).toEqual([
      { layer: 'a', weights: 4, hurt: 1, idle: 2, hurting: 2, helping: -3 },
      { layer: 'b', weights: 2, hurt: 1, idle: 0, hurting: 1, helping: -0.5 },
    ]);
  });

  it('judges by the first objective that was not trained on, whatever the order in which they were measured', () => {
    const of = (...names: string[]): PrunedBy[] => [
      { method: 'size', curves: names.map((objective) => ({ objective, losses: [[1]], accuracies: null })) },
    ];
    const trained = new Set(['train', 'train.running']);
    expect(judgedBy(of('train', 'train.running', 'test'), trained).objective).toBe('test');
    expect(judgedBy(of('test', 'train'), trained).objective).toBe('test');
    expect(judgedBy(of('train'), trained)).toEqual({ objective: 'train', by: 'loss' });
  });

  it('judges by the first share at which accuracy fell, and against random orders', async () => {
    const by = (method: PrunedBy['method'], accuracies: number[][]): PrunedBy => ({
      method,
      curves: [{ objective: 'test', losses: accuracies.map((own) => own.map((value) => 3 - value)), accuracies }],
    }); // prettier-ignore
    const methods = [
      by('allocation', [[0.9, 0.895, 0.7, 0.9]]),
      by('random', [[0.9, 0.5, 0.3, 0.1], [0.9, 0.7, 0.3, 0.1]]),
    ]; // prettier-ignore
    const shares = [0, 0.3, 0.6, 0.9];
    const student = await studentT();
    const [own, random] = judgePruning(methods, shares, { objective: 'test', by: 'accuracy' }, student);
    expect([own!.removable, random!.removable]).toEqual([0.3, 0]);
    // Means over the inner shares: 0.83167 less 0.3 and less 0.36667.
    expect(own!.overRandom!.mean).toBeCloseTo(0.83166666 - 0.33333333, 6);
    expect(random!.overRandom).toBeNull();
    const [byLoss] = judgePruning(methods, shares, { objective: 'test', by: 'loss' }, student);
    // A loss of 2.1 may become 2.205.
    expect(byLoss!.removable).toBe(0.3);
  });
});
