import { describe, expect, it } from 'vitest';
import { studentT } from '../statistics/t-test.js';
import { analyseSweep, type RunOutcome } from './sweep.js';

/** A run's outcome with one layer. */
const outcome = (total: number): RunOutcome => ({
  layers: [{ layer: 'a', parameters: 1, total }],
  trained: 1,
  losses: [{ objective: 'train', first: 2, last: 2 + total }],
  helping: 0.5,
  components: null,
});

describe('a sweep', () => {
  const cell = (label: string, totals: readonly (number | null)[]) => ({
    label,
    settings: { axis: label },
    runs: totals.map((total, i) => ({
      seed: i + 1,
      run: `${label}-${i}`,
      failure: total === null ? 'diverged' : null,
      outcome: total === null ? null : outcome(total),
    })),
  });
  const axes = [{ name: 'axis', labels: ['one', 'two', 'none'] }];
  const facts = { name: 's', about: null, unit: 'nats', objective: 'train' };

  it('pairs runs of one seed with those of the baseline', async () => {
    // Over seeds the cells hardly differ; seed by seed the second is lower by 1, 1 and 1.3.
    const cells = [cell('one', [-1, -5, -9]), cell('two', [-2, -6, -10.3]), cell('none', [null, null, null])];
    const student = await studentT();
    const { grids, baseline } = analyseSweep({ ...facts, baseline: null }, [{ axes, cells }], student);
    expect(baseline).toBe('one');
    const [one, two, none] = grids[0]!.cells;
    expect(one!.summary!.layers[0]).toMatchObject({ layer: 'a', values: [-1, -5, -9], less: null });
    expect(one!.summary!.layers[0]!.test.p).toBeGreaterThan(0.1);
    const { less } = two!.summary!.losses[0]!;
    expect(less!.mean).toBeCloseTo(-1.1, 12);
    // scipy.stats.ttest_1samp([-1, -1, -1.3], 0): t = -11, p = 0.00816.
    expect(less!.statistic).toBeCloseTo(-11, 9);
    expect(less!.p).toBeCloseTo(0.00816, 5);
    expect(none!.summary).toBeNull();
  });

  it('compares losses by the names of their sets, whichever others a cell measured', async () => {
    const more = (own: ReturnType<typeof cell>, losses: RunOutcome['losses']) => ({ ...own, runs: own.runs.map((run) => ({ ...run, outcome: { ...run.outcome!, losses: [...run.outcome!.losses, ...losses] } })) });
    const [test, mine] = [{ objective: 'test', first: 9, last: 5 }, { objective: 'mine', first: 9, last: 7 }];
    const cells = [more(cell('one', [-1, -1]), [test, mine]), more(cell('two', [-2, -2]), [{ ...mine, last: 8 }])];
    const { grids } = analyseSweep({ ...facts, baseline: null }, [{ axes, cells }], await studentT());
    const [, two] = grids[0]!.cells;
    expect(two!.summary!.losses.map(({ objective, less }) => [objective, less!.mean])).toEqual([['train', -1], ['mine', 1]]);
  }); // prettier-ignore

  it('compares with the cell that is named, and leaves out seeds that are not done', async () => {
    const cells = [cell('one', [-1, null]), cell('two', [-2, -4])];
    const { grids } = analyseSweep({ ...facts, baseline: 'two' }, [{ axes, cells }], await studentT());
    expect(grids[0]!.cells[0]!.summary!.layers[0]!.less).toMatchObject({ count: 1, mean: 1 });
    expect(grids[0]!.cells[1]!.summary!.layers[0]!.less).toBeNull();
  });
});
