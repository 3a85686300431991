import { readFileSync, existsSync } from 'node:fs';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  emptyView,
  singleSegmentView,
  syntheticView,
  withColumns,
} from '../../test/support/synthetic-view.js';
import { DataError, NumericError, UsageError } from '../errors.js';
import { auditObjective } from './conservation.js';
import { analyseLayers, analyseLoss } from './objective.js';
import { paperPresets, paperRecord } from './paper.js';
import { analyseRun } from './run.js';
import { analyseShares, sharesOf } from './shares.js';

const view = syntheticView({ segments: 50, stride: 2 });

describe('analysis of a run', () => {
  it('is plain JSON: it survives being written and read', async () => {
    for (const each of [view, emptyView(), singleSegmentView()]) {
      const analysis = await analyseRun(each, { preset: 'mnist-fc-sgd' });
      expect(JSON.parse(JSON.stringify(analysis))).toEqual(analysis);
    }
  });

  it('adds layers up naively', async () => {
    const { objectives, iteration } = await analyseRun(view);
    const { layers } = objectives[0]!;
    const totals = [0, 0, 0];
    let t = 0;
    for await (const row of view.rows('allocation', 'train')!) {
      view.layout.tensors.forEach((tensor, layer) => {
        for (let i = 0; i < tensor.size; i++) totals[layer]! += row[tensor.offset + i]!;
        expect(layers[layer]!.cumulative[t + 1]).toBeCloseTo(totals[layer]!, 5);
      });
      t++;
    }
    expect(layers.map(({ parameters }) => parameters)).toEqual([2000, 400, 100]);
    expect(layers.map(({ layer }) => layer)).toEqual(['fc1', 'fc2', 'fc3']);
    expect(iteration).toEqual(Array.from({ length: 51 }, (_, i) => 2 * i));
  });

  it('integrates the loss: integrated minus measured is the sum of residuals so far', async () => {
    const { loss, layers } = (await analyseRun(view)).objectives[1]!;
    let residuals = 0;
    loss.measured.forEach((measured, t) => {
      if (t > 0) residuals += loss.residual[t - 1]!;
      expect(loss.integrated[t]! - measured).toBeCloseTo(residuals, 12);
      const ofLayers = layers.reduce((total, { cumulative }) => total + cumulative[t]!, 0);
      expect(loss.integrated[t]! - loss.measured[0]!).toBeCloseTo(ofLayers, 12);
    });
  });

  it('counts helping, hurting and zero naively', async () => {
    const { shares } = (await analyseRun(view)).objectives[0]!;
    const all = { helping: 0, hurting: 0, zero: 0 };
    let t = 0;
    for await (const row of view.rows('allocation', 'train')!) {
      const helping = row.filter((value) => value < 0).length;
      const hurting = row.filter((value) => value > 0).length;
      expect(shares.perIteration.helping[t]).toBe(helping);
      expect(shares.perIteration.hurting[t]).toBe(hurting);
      expect(shares.perIteration.zero[t]).toBe(row.length - helping - hurting);
      all.helping += helping;
      all.hurting += hurting;
      all.zero += row.length - helping - hurting;
      t++;
    }
    expect(shares.run).toMatchObject(all);
    expect(shares.run.shares.ofAll.helping).toBe(all.helping / (50 * 2500));
    expect(shares.run.shares.ofNonzero.helping).toBe(all.helping / (all.helping + all.hurting));
    expect(shares.perLayer[0]!.shares.ofAll.zero).toBeCloseTo(500 / 2000, 12);
  });

  it('reports progress and says what was not kept or measured', async () => {
    const seen: string[] = [];
    await analyseRun(view, { onProgress: (rows, total) => seen.push(`${rows}/${total}`) });
    expect(seen).toHaveLength(50);
    expect(seen.at(-1)).toBe('50/50');
    const sparse = await analyseRun(
      syntheticView({ segments: 3, objectives: ['mine'], keepAllocations: false }),
    );
    expect(sparse.objectives).toMatchObject([{ name: 'mine', distribution: null }]);
    expect(sparse.paper).toBeNull();
  });

  it.each([[['mine']], [['mine', 'hard cases']], [['validation', 'train', 'shifted.2']]])(
    'takes objectives by their names and order: %j',
    async (names) => {
      const named = syntheticView({ segments: 6, objectives: names });
      const { objectives, summary } = await analyseRun(named);
      expect(objectives.map(({ name }) => name)).toEqual(names);
      expect(objectives.map(({ distribution }) => distribution !== null)).toEqual(
        names.map((_, i) => i === 0),
      );
      expect(summary.balance).toBe('balanced');
      for (const { name, conservation, loss, layers, shares } of objectives) {
        expect(loss.measured).toEqual([...named.column('loss', name)]);
        expect(conservation).toEqual(auditObjective(named, name));
        expect(layers).toEqual(analyseLayers(named, name));
        expect(shares).toEqual(analyseShares(named, name));
      }
    },
  );

  it('knows nothing of any objective before the first segment', async () => {
    expect(await analyseRun(emptyView())).toMatchObject({
      objectives: [],
      subintervals: [],
      iteration: [0],
      summary: { segments: 0, balance: 'undetermined' },
    });
    for (const analyse of [auditObjective, analyseLoss, analyseLayers, analyseShares]) {
      expect(() => analyse(emptyView(), 'train')).toThrow(UsageError);
    }
  });

  it('refuses a NaN instead of skipping it, in any objective', async () => {
    for (const objective of ['train', 'validation'])
      for (const field of ['loss', 'residual', 'left_residual', 'total', 'layer_sums'] as const) {
        const spoiled = view.column(field, objective).slice();
        spoiled[7] = NaN;
        const refused = analyseRun(withColumns(view, objective, { [field]: spoiled }));
        const row = field === 'layer_sums' ? 2 : 7;
        await expect(refused).rejects.toMatchObject({ location: { iteration: row, tensor: field } });
        await expect(refused).rejects.toThrow(NumericError);
      }
  });

  it('refuses arrays that do not fit together', async () => {
    await expect(analyseRun({ ...view, segments: 49 })).rejects.toThrow(DataError);
    await expect(analyseRun(withColumns(view, 'train', { zero: new Int32Array(3) }))).rejects.toThrow(
      /zero of train has 3/,
    );
  });

  it('checks the losses of parts where an objective is divided', async () => {
    const divided = { ...view, objectives: [{ name: 'train', parts: ['even', 'odd'] }] };
    const parts = new Float64Array(2 * 51).fill(0.5);
    expect((await analyseRun(withColumns(divided, 'train', { part_loss: parts }))).objectives).toHaveLength(
      1,
    );
    await expect(analyseRun(withColumns(divided, 'train', { part_loss: parts.slice(1) }))).rejects.toThrow(
      /part_loss of train has 101 elements\s+expected: 102/,
    );
  });
});

describe('shares', () => {
  it('add up to one, in both definitions', () => {
    fc.assert(
      fc.property(fc.nat(1e6), fc.nat(1e6), fc.nat(1e6), (helping, hurting, zero) => {
        const { ofAll, ofNonzero } = sharesOf({ helping, hurting, zero });
        if (helping + hurting + zero === 0) expect(ofAll.helping).toBeNull();
        else expect(ofAll.helping! + ofAll.hurting! + ofAll.zero!).toBeCloseTo(1, 12);
        if (helping + hurting === 0) expect(ofNonzero).toEqual({ helping: null, hurting: null });
        else expect(ofNonzero.helping! + ofNonzero.hurting!).toBeCloseTo(1, 12);
      }),
    );
  });
});

describe("the paper's numbers", () => {
  const text = resolve(import.meta.dirname, '../../../shared/paper/000_90aa682a1e4da9dd.txt');

  it.skipIf(!existsSync(text))('are those of Table S1 (skipped without the text of the paper)', () => {
    const lines = readFileSync(text, 'utf8').split('\n');
    for (const preset of paperPresets) {
      const record = paperRecord(preset)!;
      const cells = lines
        .find((line) => line.startsWith(`${record.experiment} | `) && line.includes('%'))!
        .split('|')
        .map((cell) => Number(cell.replace('%', '')));
      expect(record.totalErrorPercent).toEqual({ rungeKutta: cells[1], firstOrder: cells[2] });
      expect(record.meanIterationError).toEqual({ rungeKutta: cells[3], firstOrder: cells[4] });
    }
  });

  it('exist for nine presets and no other name', () => {
    expect(paperPresets).toHaveLength(9);
    expect(paperRecord('mnist-fc-sgd')!.helpingPercent).toEqual({ from: 50, to: 58 });
    expect(paperRecord('cifar-resnet20-sgd')!.helpingPercent.to).toBe(51);
    for (const name of ['', 'toString', 'mnist-fc']) expect(paperRecord(name)).toBeNull();
  });
});
