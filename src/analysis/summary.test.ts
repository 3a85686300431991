import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  emptyView,
  hugeView,
  singleSegmentView,
  syntheticView,
  withColumns,
} from '../../test/support/synthetic-view.js';
import type { LedgerView } from '../ledger/view.js';
import { auditObjective } from './conservation.js';
import { type RunSummary, summarise } from './summary.js';

const view = syntheticView({ segments: 200 });

/** Summary of a measured run with all its objectives audited. */
function summaryOf(of: LedgerView): RunSummary {
  return summarise(
    of,
    of.objectives.map(({ name }) => auditObjective(of, name)),
  );
}

describe('audit of an objective', () => {
  it.each(['train', 'validation'])('re-derives the errors of %s from loss and rows', async (name) => {
    const audit = auditObjective(view, name);
    const loss = view.column('loss', name);
    let allocations = 0;
    let absolute = 0;
    let t = 0;
    for await (const row of view.rows('allocation', name)!) {
      let total = 0;
      for (const value of row) total += value;
      allocations += total;
      absolute += Math.abs(total - (loss[t + 1]! - loss[t]!));
      t++;
    }
    const change = loss[200]! - loss[0]!;
    expect(audit.lossChange).toBe(change);
    expect(audit.chosen.allocations).toBeCloseTo(allocations, 6);
    expect(audit.chosen.totalErrorPercent).toBeCloseTo((100 * (allocations - change)) / Math.abs(change), 4);
    expect(audit.chosen.meanIterationError).toBeCloseTo(absolute / 200, 6);
    expect(audit.balance).toBe('balanced');
    expect(audit.inconsistency).toBeLessThan(1e-12);
  });

  it('has the sign of Table S1: claiming 2.71 times the decrease is −171 %', () => {
    const two = syntheticView({ segments: 2, objectives: ['train'] });
    const loss = Float64Array.of(3, 2.5, 2);
    const leftResidual = Float64Array.of(-1.2, -0.51);
    const audit = auditObjective(withColumns(two, 'train', { loss, left_residual: leftResidual }), 'train');
    expect(audit.left?.allocations).toBeCloseTo(-2.71, 12);
    expect(audit.left?.totalErrorPercent).toBeCloseTo(-171, 10);
    expect(audit.left?.meanIterationError).toBeCloseTo(0.855, 12);
    expect(audit.left?.worst).toEqual({ segment: 0, iteration: 0, error: 1.2 });
  });

  it('balances up to 1 % and not beyond', () => {
    fc.assert(
      fc.property(fc.double({ min: -3, max: 3, noNaN: true }), (percent) => {
        fc.pre(Math.abs(Math.abs(percent) - 1) > 1e-6);
        const base = syntheticView({ segments: 3, layers: { a: 7 }, residual: 0, objectives: ['train'] });
        const loss = base.column('loss', 'train');
        const change = loss[3]! - loss[0]!;
        const leak = ((percent / 100) * Math.abs(change)) / 3;
        const audit = auditObjective(
          withColumns(base, 'train', {
            layer_sums: base.column('layer_sums', 'train').map((value) => value + leak),
            residual: base.column('residual', 'train').map((value) => value + leak),
          }),
          'train',
        );
        expect(audit.chosen.totalErrorPercent).toBeCloseTo(percent, 8);
        expect(audit.balance).toBe(Math.abs(percent) <= 1 ? 'balanced' : 'unbalanced');
      }),
      { numRuns: 50 },
    );
  });

  it('does not balance when stored sums and stored residuals disagree', () => {
    const layerSums = view.column('layer_sums', 'train').slice();
    layerSums[5] = layerSums[5]! + 1e-6;
    const audit = auditObjective(withColumns(view, 'train', { layer_sums: layerSums }), 'train');
    expect(audit.chosen.totalErrorPercent).toBeLessThan(0.01);
    expect(audit.inconsistency).toBeCloseTo(1e-6, 12);
    expect(audit.balance).toBe('unbalanced');
  });

  it('counts segments over the tolerance', () => {
    const residual = view.column('residual', 'train').slice();
    residual[3] = 0.0011;
    residual[4] = -0.0011;
    residual[5] = 0.001;
    expect(auditObjective(withColumns(view, 'train', { residual }), 'train').overTolerance).toBe(2);
    expect(auditObjective({ ...view, tolerance: null }, 'train').overTolerance).toBeNull();
  });
});

describe('summary of a run', () => {
  it('describes subintervals and evaluations', () => {
    const summary = summaryOf(view);
    const counts = [...view.column('subintervals')];
    expect(summary.subintervals).toEqual({
      mean: counts.reduce((a, b) => a + b) / 200,
      least: 1,
      most: 4,
      total: counts.reduce((a, b) => a + b),
    });
    expect(summary.evaluations!.total).toBe([...view.column('evaluations')].reduce((a, b) => a + b));
    expect(summary.parameters).toBe(2500);
  });

  it('leaves an empty run undetermined', () => {
    const summary = summarise(emptyView(), []);
    expect(summary).toMatchObject({ segments: 0, subintervals: null, evaluations: null });
    expect(summary.balance).toBe('undetermined');
  });

  it('leaves a run whose loss did not change undetermined', () => {
    const still = withColumns(
      syntheticView({ segments: 1, layers: { a: 4 }, objectives: ['train'] }),
      'train',
      {
        loss: Float64Array.of(2, 2),
        layer_sums: Float64Array.of(1e-7),
        residual: Float64Array.of(1e-7),
      },
    );
    expect(summaryOf(still).balance).toBe('undetermined');
    expect(auditObjective(still, 'train')).toMatchObject({
      lossChange: 0,
      chosen: { totalErrorPercent: null, meanIterationError: 1e-7 },
    });
  });

  it('does not balance where the loss did not change and allocations claim that it did', () => {
    const claimed = withColumns(syntheticView({ segments: 1, layers: { a: 4 }, objectives: ['train'] }), 'train', {
      loss: Float64Array.of(2, 2),
      layer_sums: Float64Array.of(-0.5),
      residual: Float64Array.of(-0.5),
    });
    expect(summaryOf(claimed).balance).toBe('unbalanced');
  }); // prettier-ignore

  it('leaves a loss that hardly changes undetermined, up to a thousandth of the loss', () => {
    const flat = (error: number) =>
      withColumns(syntheticView({ segments: 1, layers: { a: 4 }, objectives: ['train'] }), 'train', {
        loss: Float64Array.of(2, 2 + 1e-9),
        layer_sums: Float64Array.of(1e-9 + error),
        residual: Float64Array.of(error),
      });
    expect(summaryOf(flat(1e-8)).balance).toBe('undetermined');
    expect(summaryOf(flat(0.0019)).balance).toBe('undetermined');
    expect(summaryOf(flat(0.0021)).balance).toBe('unbalanced');
  });

  it('handles one segment, and checkpoints that are apart', () => {
    expect(summaryOf(singleSegmentView()).balance).toBe('balanced');
    expect(summaryOf(syntheticView({ segments: 4, stride: 25 })).lastIteration).toBe(100);
  });

  it('is unbalanced as soon as one objective is, whichever', () => {
    const names = ['mine', 'yours', 'shifted'];
    const three = syntheticView({ segments: 20, objectives: names });
    expect(summaryOf(three).balance).toBe('balanced');
    for (const name of names) {
      const residual = three.column('residual', name).map((value) => value + 0.01);
      expect(summaryOf(withColumns(three, name, { residual })).balance).toBe('unbalanced');
    }
    expect(summaryOf(syntheticView({ segments: 50, leak: 0.002 })).balance).toBe('unbalanced');
  });

  it('summarises 5,000 segments of 60 layers', () => {
    expect(summaryOf(hugeView())).toMatchObject({ segments: 5000, balance: 'balanced' });
  });
});
