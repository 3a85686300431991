import { describe, expect, it } from 'vitest';
import { dividedExampleShape, dividedTheta, dividedView } from '../../../test/support/divided-view.js';
import { syntheticView, withColumns } from '../../../test/support/synthetic-view.js';
import type { LedgerView } from '../../ledger/view.js';
import { layersOverRuns, type NamedLayers } from '../layers/layers.js';
import { studentT } from '../statistics/t-test.js';
import { themeNames } from './names.js';
import { analyseThemes } from './themes.js';

async function* thetaOf(T: number, K: number): AsyncGenerator<Float32Array> {
  for (let t = 0; t <= T; t++)
    yield await Promise.resolve(Float32Array.from({ length: K }, (_, k) => Math.sin(t + k)));
}

describe('themes of a run', () => {
  it('say what a ledger without rows and θ can, and what it cannot', async () => {
    const view = syntheticView({ segments: 30, keepAllocations: false, objectives: ['mine'] });
    const { noise, tails, oscillation, neurons, use, layers, synchrony, missing } = await analyseThemes(view);
    expect(noise!.shares.ofNonzero.helping).toBeGreaterThan(0.5);
    expect([noise!.histogram, tails, oscillation!.weights, neurons!.kernels, use!.overfitting]).toEqual([
      null,
      null,
      null,
      null,
      null,
    ]);
    expect(layers!.layers.map(({ layer }) => layer)).toEqual(['fc1', 'fc2', 'fc3']);
    expect(synchrony!.byPart).toBeNull();
    expect(missing.join('\n')).toMatch(
      /not kept by parameter[^]*zero crossings[^]*θ could not be read[^]*one objective/,
    );
  });

  it('read rows once, twice for correlations, and give the same alone as together', async () => {
    const view = syntheticView({ segments: 24, layers: { a: 60, b: 30 } });
    const options = { theta: () => thetaOf(24, 90) };
    const seen: number[] = [];
    const all = await analyseThemes(view, {
      ...options,
      onProgress: (rows, total) => seen.push(rows / total),
    });
    expect(seen.at(-1)).toBe(1);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    for (const name of themeNames) {
      const alone = await analyseThemes(view, { ...options, only: [name] });
      expect(alone[name], name).toEqual(all[name]);
    }
    expect(JSON.parse(JSON.stringify(all))).toEqual(all);
  });

  it('finds layers that hurt, stopped or did nothing, and where the held-out loss did not follow', async () => {
    const plain = syntheticView({ segments: 4, layers: { a: 20, b: 10, c: 10, d: 10 } });
    const rows = [[-3, 1, -2, -0.001], [-3, 1, -2, 0], [-3, 1, 1, 0], [-3, 1, 1, -0.001]]; // prettier-ignore
    const view = withColumns(plain, 'train', { layer_sums: Float64Array.from(rows.flat()) });
    const { use } = await analyseThemes(view, { only: ['use'] });
    expect(use!.freeze.map(({ reason }) => reason)).toEqual([null, 'hurts', 'stopped', 'idle']);
    expect(use!.freeze[2]).toMatchObject({ parameters: 10, total: -2, lastHalf: 2, hurtingSegments: 0.5 });
    // Checkpoints at iterations 0, 1, 2, 4, 100: the last half of training is but the last segment.
    const apart = await analyseThemes(
      { ...view, iteration: Int32Array.of(0, 1, 2, 4, 100) },
      { only: ['use'] },
    );
    expect(apart.use!.freeze.map(({ lastHalf }) => lastHalf)).toEqual([-3, 1, 1, -0.001]);
    const { layers, heldOut, parameters } = use!.overfitting!;
    expect(heldOut).toBe('validation');
    for (const { total, heldOut: other, difference } of layers) expect(difference).toBe(total - other);
    expect(parameters!.helped[0]!.total).toBeLessThan(0);
    const still = withColumns(plain, 'train', { layer_sums: new Float64Array(16) });
    const { use: unused } = await analyseThemes(still, { only: ['use'] });
    expect(unused!.freeze.map(({ reason }) => reason)).toEqual(['idle', 'idle', 'idle', 'idle']);
  });

  it('takes the parts by one thing for classes, not those by others, the blocks of a sample and the L2 term besides', async () => {
    const plain = dividedView(24);
    const [names, count] = [plain.objectives[0]!.parts, 3];
    const by = ['class', 'class', 'class', 'tokens', 'class, block', null];
    const divided = (own: LedgerView, kinds: readonly (string | null)[]): LedgerView => ({
      ...own,
      column: (name, objective) =>
        name === 'part_loss' ? (new Float64Array(kinds.length * 25) as never) : own.column(name, objective),
      objectives: own.objectives.map(({ name }) => ({
        name,
        parts: kinds.map((_, p) => names[p] ?? `other ${p}`),
        by: kinds,
        sample: kinds.length > count ? { from: 9, members: [4], examples: [3] } : null,
      })),
    });
    const more: LedgerView = divided(
      {
        ...plain,
        rows(name, objective, grouping) {
          const rows = plain.rows(name, objective, grouping);
          if (rows === null || !name.startsWith('part_')) return rows;
          return (async function* () {
            for await (const row of rows) yield Float64Array.from([...row, ...row]);
          })();
        },
      },
      by,
    );
    const options = {
      only: ['synchrony', 'neurons'],
      theta: dividedTheta(24),
      exampleShape: dividedExampleShape,
    } as const;
    const expected = await analyseThemes(divided(plain, by.slice(0, count)), options);
    const { missing, ...found } = await analyseThemes(more, options);
    expect({ ...found, missing: expected.missing }).toEqual(expected);
    expect([found.partsBy, found.neurons!.classes!.classes]).toEqual(['class', names]);
    expect(missing.join()).toMatch(
      /parts by tokens: of several divisions these themes take the first, by class/,
    );
    // A sample that is not divided has blocks, and no classes.
    const blocks = await analyseThemes(divided(plain, ['block', 'block', 'block']), options);
    expect([blocks.synchrony!.byPart, blocks.neurons!.classes, blocks.partsBy]).toEqual([null, null, null]);
  });

  it('adds left residuals up to the loss of the first order', async () => {
    const view = syntheticView({ segments: 12 });
    const { trajectories } = await analyseThemes(view, { only: ['trajectories'] });
    const { measured, firstOrder, converged } = trajectories!.loss;
    const left = view.column('left_residual', 'train').reduce((a, b) => a + b);
    expect(firstOrder!.at(-1)! - measured.at(-1)!).toBeCloseTo(left, 12);
    expect(converged.at(-1)).toBeCloseTo(measured.at(-1)!, 3);
  });

  it('refuses an empty run, and a row that is no number', async () => {
    const { missing } = await analyseThemes(syntheticView({ segments: 3 }), { iterations: 9, apart: 2 });
    expect(missing[0]).toBe(
      'the rest of the run: 3 of 9 segments are measured without a gap; 2 behind the gap are left out',
    );
    await expect(analyseThemes(syntheticView({ segments: 0 }))).rejects.toThrow(/without measured segments/);
    const view = syntheticView({ segments: 3 });
    const rows = async function* () {
      yield await Promise.resolve(new Float32Array(2500).fill(NaN));
    };
    const broken = { ...view, rows: () => ({ [Symbol.asyncIterator]: rows }) };
    await expect(analyseThemes(broken, { only: ['noise'] })).rejects.toThrow(
      /allocation\[0\] is NaN in row 0/,
    );
    const short = { only: ['oscillation'], theta: () => thetaOf(2, 2500) } as const;
    await expect(analyseThemes(view, short)).rejects.toThrow(/rows of theta has 3 elements[^]*4/);
    const sums = withColumns(view, 'train', { layer_sums: new Float64Array(9).fill(Infinity) });
    await expect(analyseThemes(sums, { only: ['layers'] })).rejects.toThrow(/layer_sums/);
  });
});

describe('layers over runs', () => {
  it('have the mean, interval and test of their totals, and a mean curve', async () => {
    const runs = [3, 4, 8].map((total, i) => ({
      run: `r${i}`,
      objective: 'train',
      unit: 'nats',
      iteration: [0, 1],
      layers: [{ layer: 'a', parameters: 1, total, hurtingSegments: 0, cumulative: [0, total] }],
    }));
    const { layers } = layersOverRuns(runs, await studentT());
    // scipy.stats.ttest_1samp([3, 4, 8], 0): t = 3.27327, p = 0.0820.
    expect(layers[0]!.test).toMatchObject({ count: 3, mean: 5 });
    expect(layers[0]!.test.statistic).toBeCloseTo(3.2733, 4);
    expect(layers[0]!.test.p).toBeCloseTo(0.082, 3);
    expect(layers[0]!.mean).toEqual([0, 5]);
    expect(layers[0]!.halfWidth![1]).toBeCloseTo(6.5724, 3);
    const together = (other: Partial<NamedLayers>) => () =>
      layersOverRuns([runs[0]!, { ...runs[1]!, ...other }], { cdf: () => 0, quantile: () => 0 });
    expect(together({ layers: [{ ...runs[0]!.layers[0]!, parameters: 2 }] })).toThrow(/r0 with a \(1\)[^]*r1 with a \(2\)/); // prettier-ignore
    // Means over a loss and another one, or over different stretches of training, are of nothing.
    expect(together({ objective: 'test' })).toThrow(
      /segments of train, nats, and r1[^]*segments of test, nats/,
    );
    expect(together({ iteration: [0, 100] })).toThrow(
      /row 1 of θ at iteration 1, and r1[^]*at iteration 100/,
    );
  });
});
