import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { analyseRun } from '../../src/analysis/run.js';
import { NativeEngine } from '../../src/engines/native/index.js';
import { checkConfig } from '../../src/experiment/config/file.js';
import type { RunConfigInput } from '../../src/experiment/config/schema.js';
import { openExperiment } from '../../src/experiment/experiment.js';
import { createRun, experimentOf } from '../../src/experiment/manifest.js';
import { analyseThemesOf } from '../../src/run/analyze.js';
import { quantityOf } from '../../src/run/export/quantity.js';
import type { Quantity } from '../../src/run/export/selection.js';
import { measureRun } from '../../src/run/measure.js';
import { trainRun } from '../../src/run/train.js';
import { verifyFolder } from '../../src/run/verify.js';
import { openRun, resumeRun } from '../../src/store/open.js';
import { fingerprint, temporaryFolder } from '../support/cli.js';
import { goldenFile } from '../support/golden.js';

const folder = temporaryFolder();
const absence = await new NativeEngine().available();
if (!absence.ok) console.log(`skipped on native: ${absence.reason}`);

const common: RunConfigInput = {
  model: goldenFile('resnet', 'model.onnx'), data: 'mnist', subset: 20, validation: 1000, batchSize: 20, chunk: 20, iterations: 2,
  measure: ['train'], engine: 'reference', tolerance: 'none',
}; // prettier-ignore

/** Trains and measures into a folder of that name; stops measuring after so many segments, and goes on. */
async function made(name: string, settings: RunConfigInput, stopAfter = Infinity): Promise<string> {
  const place = join(folder, name);
  const experiment = await openExperiment(checkConfig({ ...common, ...settings }, 'the test'));
  const run = await createRun(place, experiment);
  await trainRun(experiment, run);
  if (stopAfter !== Infinity) {
    await measureRun(experiment, run, { workers: 1, segments: { from: 0, to: stopAfter } });
    await run.close();
    const resumed = await resumeRun(place);
    await measureRun(await experimentOf(resumed), resumed, { workers: 1 });
    await resumed.close();
    return place;
  }
  await measureRun(experiment, run, { workers: 1 });
  await run.close();
  return place;
}

async function rowsOf(place: string, asked: Quantity): Promise<number[][]> {
  const rows: number[][] = [];
  for await (const row of quantityOf(await openRun(place), asked).rows()) rows.push([...row]);
  return rows;
}

const total = (numbers: readonly number[]) => numbers.reduce((sum, value) => sum + value, 0);

describe('a loss by running statistics', () => {
  it('is that of the chunk where the statistics are those of the chunk, and their motion has all of the change', async () => {
    // θ hardly moves, and each step forgets all of the statistics before.
    const run = await made('planted', { statistics: ['chunk', 'running'], statisticsDecay: 0, learningRate: 1e-12 }); // prettier-ignore
    const [chunk] = (await rowsOf(run, { what: 'loss', objective: 'train' }))[1]!;
    const [start, first, second] = (await rowsOf(run, { what: 'loss', objective: 'train.running' })).flat();
    // Variances are unbiased: those of the 14 × 14 images of 20 examples by 1 + 1/3919.
    expect(Math.abs(first! - chunk!)).toBeLessThan(1e-3 * chunk!);
    expect(Math.abs(start! - chunk!)).toBeGreaterThan(1e-2 * chunk!);
    expect(second).toBeCloseTo(first!, 9);
    const { layout } = await openRun(run);
    const kinds = layout.groupings.find(({ name }) => name === 'kind')!.cells;
    const [cells] = await rowsOf(run, { what: 'allocation', objective: 'train.running', entity: 'kind' });
    const [residual] = (await rowsOf(run, { what: 'residual', objective: 'train.running' }))[0]!;
    const moved = cells![kinds.indexOf('statistics')]!;
    expect(Math.abs(moved - residual! - (first! - start!))).toBeLessThan(1e-9);
    expect(Math.abs(total(cells!) - moved)).toBeLessThan(1e-9);
  });
});

describe('both kinds of statistics side by side', () => {
  const settings: RunConfigInput = { engine: 'onnxruntime', components: true, iterations: 4, momentum: 0.9, weightDecay: 0.01 }; // prettier-ignore
  let both: string;
  let alone: string;
  beforeAll(async () => {
    both = await made('both', { ...settings, statistics: ['chunk', 'running'], statisticsDecay: 0.9 });
    alone = await made('alone', settings);
  });

  it('balance, in every grouping and component, and resume to the bit', async () => {
    expect((await verifyFolder(both)).findings).toEqual([]);
    const { components } = (await openRun(both)).manifest;
    expect(components.slice(-2)).toEqual(['statistics', 'rounding']);
    const own = await rowsOf(both, { what: 'allocation', objective: 'train.running', component: 'statistics', entity: 'kind' }); // prettier-ignore
    const whole = await rowsOf(both, { what: 'allocation', objective: 'train.running', entity: 'kind' });
    const { cells } = (await openRun(both)).layout.groupings.find(({ name }) => name === 'kind')!;
    const at = cells.indexOf('statistics');
    for (const [t, row] of own.entries()) {
      expect(row[at]).not.toBe(0);
      expect(Math.abs(row[at]! - whole[t]![at]!)).toBeLessThan(1e-12);
      expect(row.filter((value, k) => k !== at && value !== 0)).toEqual([]);
    }
    const stopped = await made('stopped', { ...settings, statistics: ['chunk', 'running'], statisticsDecay: 0.9 }, 2); // prettier-ignore
    expect(fingerprint(join(stopped, 'ledger.zarr'))).toEqual(fingerprint(join(both, 'ledger.zarr')));
  });

  it('leave training and the loss by chunk as they are, and analyses of parameters to parameters', async () => {
    const [with_, without] = [await openRun(both), await openRun(alone)];
    const { size } = without.layout;
    for (const what of ['theta', 'allocation']) {
      const rows = (await rowsOf(both, { what })).map((row) => row.slice(0, size));
      expect(rows).toEqual(await rowsOf(alone, { what }));
    }
    const [a, b] = [await analyseRun(await with_.view()), await analyseRun(await without.view())];
    expect(a.summary.parameters).toBe(size);
    expect(a.objectives.map(({ name }) => name)).toEqual(['train', 'train.running']);
    const [own, expected] = [a.objectives[0]!.shares, b.objectives[0]!.shares];
    const perLayer = own.perLayer.slice(0, expected.perLayer.length);
    expect({ ...own, perLayer }).toEqual(expected);
    expect(a.objectives[0]!.distribution).toEqual(b.objectives[0]!.distribution);
    expect(await analyseThemesOf(with_)).toEqual(await analyseThemesOf(without));
    // The account of the loss has the statistics' layers.
    const statistics = a.objectives[1]!.layers.filter(({ layer }) => layer.endsWith('.statistics'));
    expect(statistics).toHaveLength(5);
    expect(statistics.every(({ total: moved }) => moved !== 0)).toBe(true);
  });
});

describe.skipIf(!absence.ok)('on the native engine', () => {
  it('statistics, losses and allocations are those of the reference engine', async () => {
    const settings: RunConfigInput = { statistics: ['chunk', 'running'], statisticsDecay: 0.5 };
    const reference = await made('reference', settings);
    const native = await made('native', { ...settings, engine: 'native' });
    for (const asked of [
      { what: 'theta' },
      { what: 'loss', objective: 'train.running' },
      { what: 'allocation', objective: 'train.running', entity: 'layer' },
    ] as const) {
      const [expected, found] = [await rowsOf(reference, asked), await rowsOf(native, asked)];
      for (const [t, row] of expected.entries()) {
        const size = Math.max(...row.map(Math.abs));
        row.forEach((value, k) => expect(Math.abs(found[t]![k]! - value)).toBeLessThan(2e-5 * size));
      }
    }
  });
});

describe('running statistics are refused', () => {
  it.each([
    ['a network without batch statistics', { model: 'fc' }, 'a network with batch normalisation'],
    ['a basis', { basis: 'pca:2' }, 'a basis of parameters alone'],
  ])('with %s', async (_, settings, expected) => {
    const config = checkConfig({ ...common, statistics: ['running'], ...settings }, 'the test');
    await expect(openExperiment(config)).rejects.toThrow(expected);
  });
});
