import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyView, hugeView, singleSegmentView, syntheticView } from '../../test/support/synthetic-view.js';
import type { LedgerView, SplitLedger } from '../ledger/types.js';
import { auditSplit } from './conservation.js';
import { summarise } from './summary.js';

const view = syntheticView({ segments: 200 });

/** A view whose train split has some of its arrays replaced. */
function withTrain(base: LedgerView, change: Partial<SplitLedger>): LedgerView {
  const train = { ...base.split('train')!, ...change };
  return { ...base, split: (name) => (name === 'train' ? train : base.split(name)) };
}

describe('audit of a split', () => {
  it.each(['train', 'validation'] as const)(
    're-derives the errors of %s from loss and rows',
    async (name) => {
      const audit = auditSplit(view, name)!;
      const loss = view.split(name)!.loss;
      let allocations = 0;
      let absolute = 0;
      let t = 0;
      for await (const row of view.allocationRows(name)!) {
        const total = row.reduce((a, b) => a + b, 0);
        allocations += total;
        absolute += Math.abs(total - (loss[t + 1]! - loss[t]!));
        t++;
      }
      const change = loss[200]! - loss[0]!;
      expect(audit.lossChange).toBe(change);
      expect(audit.chosen.allocations).toBeCloseTo(allocations, 6);
      expect(audit.chosen.totalErrorPercent).toBeCloseTo(
        (100 * (allocations - change)) / Math.abs(change),
        4,
      );
      expect(audit.chosen.meanIterationError).toBeCloseTo(absolute / 200, 6);
      expect(audit.balance).toBe('balanced');
      expect(audit.inconsistency).toBeLessThan(1e-12);
    },
  );

  it('has the sign of Table S1: claiming 2.71 times the decrease is −171 %', () => {
    const two = syntheticView({ segments: 2, validation: false });
    const loss = Float64Array.of(3, 2.5, 2);
    const leftResidual = Float64Array.of(-1.2, -0.51);
    const audit = auditSplit(withTrain(two, { loss, leftResidual }), 'train')!;
    expect(audit.left.allocations).toBeCloseTo(-2.71, 12);
    expect(audit.left.totalErrorPercent).toBeCloseTo(-171, 10);
    expect(audit.left.meanIterationError).toBeCloseTo(0.855, 12);
    expect(audit.left.worst).toEqual({ segment: 0, iteration: 0, error: 1.2 });
  });

  it('balances up to 1 % and not beyond', () => {
    fc.assert(
      fc.property(fc.double({ min: -3, max: 3, noNaN: true }), (percent) => {
        fc.pre(Math.abs(Math.abs(percent) - 1) > 1e-6);
        const base = syntheticView({ segments: 3, layers: { a: 7 }, residual: 0, validation: false });
        const train = base.split('train')!;
        const change = train.loss[3]! - train.loss[0]!;
        const leak = ((percent / 100) * Math.abs(change)) / 3;
        const audit = auditSplit(
          withTrain(base, {
            layerSums: train.layerSums.map((value) => value + leak),
            residual: train.residual.map((value) => value + leak),
          }),
          'train',
        )!;
        expect(audit.chosen.totalErrorPercent).toBeCloseTo(percent, 8);
        expect(audit.balance).toBe(Math.abs(percent) <= 1 ? 'balanced' : 'unbalanced');
      }),
      { numRuns: 50 },
    );
  });

  it('does not balance when stored sums and stored residuals disagree', () => {
    const layerSums = view.split('train')!.layerSums.slice();
    layerSums[5] = layerSums[5]! + 1e-6;
    const audit = auditSplit(withTrain(view, { layerSums }), 'train')!;
    expect(audit.chosen.totalErrorPercent).toBeLessThan(0.01);
    expect(audit.inconsistency).toBeCloseTo(1e-6, 12);
    expect(audit.balance).toBe('unbalanced');
  });

  it('counts segments over the tolerance', () => {
    const residual = view.split('train')!.residual.slice();
    residual[3] = 0.0011;
    residual[4] = -0.0011;
    residual[5] = 0.001;
    expect(auditSplit(withTrain(view, { residual }), 'train')!.overTolerance).toBe(2);
    expect(auditSplit({ ...view, tolerance: null }, 'train')!.overTolerance).toBeNull();
  });
});

describe('summary of a run', () => {
  it('describes subintervals and evaluations', () => {
    const summary = summarise(view);
    const counts = [...view.subintervals];
    expect(summary.subintervals).toEqual({
      mean: counts.reduce((a, b) => a + b) / 200,
      least: 1,
      most: 4,
      total: counts.reduce((a, b) => a + b),
    });
    expect(summary.evaluations!.total).toBe([...view.evaluations].reduce((a, b) => a + b));
    expect(summary.parameters).toBe(2500);
  });

  it('leaves an empty run undetermined', () => {
    const summary = summarise(emptyView());
    expect(summary).toMatchObject({ segments: 0, subintervals: null, balance: 'undetermined' });
    expect(summary).toMatchObject({ train: null, validation: null, evaluations: null });
  });

  it('leaves a run whose loss did not change undetermined', () => {
    const still = withTrain(syntheticView({ segments: 1, layers: { a: 4 }, validation: false }), {
      loss: Float64Array.of(2, 2),
      layerSums: Float64Array.of(1e-7),
      residual: Float64Array.of(1e-7),
    });
    expect(summarise(still)).toMatchObject({
      balance: 'undetermined',
      train: { lossChange: 0, chosen: { totalErrorPercent: null, meanIterationError: 1e-7 } },
    });
  });

  it('handles one segment, and checkpoints that are apart', () => {
    expect(summarise(singleSegmentView()).balance).toBe('balanced');
    expect(summarise(syntheticView({ segments: 4, stride: 25 })).lastIteration).toBe(100);
  });

  it('is unbalanced as soon as one split is', () => {
    expect(summarise(syntheticView({ segments: 50, leak: 0.002 })).balance).toBe('unbalanced');
  });

  it('summarises 5,000 segments of 60 layers', () => {
    expect(summarise(hugeView())).toMatchObject({ segments: 5000, balance: 'balanced' });
  });
});
