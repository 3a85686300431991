import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { planCells, type PlannedGrid } from './cells.js';
import { readSweep, shippedSweeps, type SweepChanges } from './file.js';
import { Kinds, loadOf } from './plan.js';

const folder = mkdtempSync(join(tmpdir(), 'lossledger-sweep-'));
afterAll(() => { rmSync(folder, { recursive: true, force: true }); }); // prettier-ignore

const tensors = [
  { name: 'in.weight', layer: 'in' },
  { name: 'out.weight', layer: 'out' },
  { name: 'out.bias', layer: 'out' },
];

function read(content: object, changes: SweepChanges = {}) {
  const path = join(folder, 'sweep.json');
  writeFileSync(path, JSON.stringify(content));
  return readSweep(path, changes);
}

async function plan(content: object, changes: SweepChanges = {}): Promise<PlannedGrid[]> {
  return planCells(await read(content, changes), () => Promise.resolve(tensors));
}

const base = { model: 'fc', momentum: 0.9 };

describe('a sweep file', () => {
  it('gives all combinations of its axes, the last running fastest, and a run for each seed', async () => {
    const [grid] = await plan({ base, seeds: [7, 3], grid: { momentum: [0, 0.5], learningRate: [1, 2] } });
    expect(grid!.cells.map(({ label }) => label)).toEqual([
      'momentum 0, learningRate 1',
      'momentum 0, learningRate 2',
      'momentum 0.5, learningRate 1',
      'momentum 0.5, learningRate 2',
    ]);
    const { runs } = grid!.cells[1]!;
    expect(runs.map(({ config }) => [config.seed, config.momentum, config.learningRate])).toEqual([[7, 0, 2], [3, 0, 2]]); // prettier-ignore
    expect(runs[0]!.folder).toBe(`momentum_0_learningRate_2-seed-7-${runs[0]!.digest}`);
  });

  it('is refused where cells measure another set first, or another loss', async () => {
    const of = (axis: object) => plan({ base, seeds: 1, grid: { what: axis } });
    const usual = { measure: ['train', 'validation'] };
    await expect(of({ a: usual, b: { measure: ['validation', 'train'] } })).rejects.toThrow(/of train first \(what a\) and \S+ of validation \(what b\)/);
    await expect(of({ a: {}, b: { loss: 'sigmoidCrossEntropy' } })).rejects.toThrow(/sigmoidCrossEntropy of train/);
    expect((await of({ a: usual, b: { measure: ['train'] } }))[0]!.cells).toHaveLength(2);
  }); // prettier-ignore

  it('knows one run by its configuration, in whichever grid it stands', async () => {
    const grids = await plan({ base, seeds: 1, grid: [{ momentum: [0.9, 0] }, { batchSize: [250, 50] }] });
    const digests = grids.map(({ cells }) => cells.map(({ runs }) => runs[0]!.digest));
    expect(digests[1]![0]).toBe(digests[0]![0]);
    expect(new Set(digests.flat()).size).toBe(3);
  });

  it('names the first and the last layer of any network, and joins groups of several axes', async () => {
    const group = (match: string, more: object) => ({ groups: [{ match, ...more }] });
    const [grid] = await plan({
      base: { ...base, groups: [{ match: '*.bias', weightDecay: 0 }] },
      grid: {
        ends: { usual: {}, both: group('@first', { frozen: true }) },
        delay: { 0: group('@last', { delay: 0 }) },
      },
    });
    expect(grid!.cells[1]!.runs[0]!.config.groups).toEqual([
      { match: ['*.bias'], weightDecay: 0 },
      { match: ['in.weight'], frozen: true },
      { match: ['out.weight', 'out.bias'], delay: 0 },
    ]);
  });

  it('has one seed where a recorded trajectory is the same for every seed', async () => {
    const recorded = { model: 'm.onnx', trajectory: 't.npz', data: 'd.npz' };
    const of = (more: object, seeds: readonly number[]) =>
      plan({ base: { ...recorded, ...more }, seeds, grid: { rule: ['simpson'] } });
    await expect(of({}, [1, 2])).rejects.toThrow(
      /2 seeds for rule simpson[^]*the same for every seed[^]*--seeds 1/,
    );
    await expect(of({ process: 'x' }, [1, 2])).rejects.toThrow(/the same for every seed/);
    expect((await of({}, [2]))[0]!.cells[0]!.runs).toHaveLength(1);
    // Which examples are drawn is by seed.
    for (const drawn of [{ sample: 10 }, { validation: 5 }, { data: 'mnist' }])
      expect((await of(drawn, [1, 2]))[0]!.cells[0]!.runs).toHaveLength(2);
  });

  it('varies no settings of training where the trajectory is recorded', async () => {
    const recorded = { model: 'm.onnx', trajectory: 't.npz', data: 'd.npz' };
    const of = (more: object, grid: object) => plan({ base: { ...recorded, ...more }, seeds: 1, grid });
    const refused = /learningRate of learningRate 1[^]*nothing is trained[^]*axis trajectory/;
    await expect(of({}, { learningRate: [1, 2] })).rejects.toThrow(refused);
    const both = { training: { slow: { learningRate: 1, trajectory: 'u.npz' }, fast: { learningRate: 2, trajectory: 'v.npz' } } }; // prettier-ignore
    expect((await of({}, both))[0]!.cells).toHaveLength(2);
    expect((await of({ measureWeightDecay: true }, { weightDecay: [0, 1] }))[0]!.cells).toHaveLength(2);
  });

  it('lets the command line change the base, seeds and keys that it does not vary', async () => {
    const changes = { base: 'mnist-fc-adam', seeds: [5], keys: { iterations: 12 } };
    const [grid] = await plan({ base, set: { subset: 100 }, grid: { learningRate: [1] } }, changes);
    const { config } = grid!.cells[0]!.runs[0]!;
    expect(config).toMatchObject({ optimizer: 'adam', subset: 100, seed: 5, iterations: 12, learningRate: 1 }); // prettier-ignore
  });

  it.each([
    [{ base, grid: { learningRate: [] } }, /grid\.learningRate: \[\][^]*axes/],
    [{ base, grid: { rate: [1] } }, /unknown key "rate"[^]*rate 1/],
    [{ base, grid: { seed: [1] }, goal: 1 }, /unknown key goal[^]*base, about/],
    [{ base, seeds: [1, 1], grid: { momentum: [0] } }, /seeds: \[1,1\][^]*different whole numbers/],
    [{ base, grid: { a: { x: { momentum: 0 } }, momentum: [0] } }, /momentum of a x, momentum 0[^]*each key by one axis/],
    [{ base, baseline: 'momentum 3', grid: { momentum: [0] } }, /baseline "momentum 3"[^]*momentum 0/],
    [{ base, grid: { learningRate: [-1] } }, /learningRate: -1[^]*learningRate -1/],
    [{ grid: { learningRate: [1] } }, /base: missing[^]*a preset/],
  ])('refuses %j', async (content, message) => {
    await expect(plan(content)).rejects.toThrow(message);
  }); // prettier-ignore

  it('refuses to change what it varies, and names that it does not know', async () => {
    const varied = plan({ base, grid: { momentum: [0] } }, { keys: { momentum: 0.5 } });
    await expect(varied).rejects.toThrow(/momentum for all cells/);
    await expect(readSweep('last-layer')).rejects.toThrow(/did you mean last-layer-delay\?/);
    await expect(readSweep(join(folder, 'none.yaml'))).rejects.toThrow(/cannot be read/);
  });

  it('says which folder lacks where the package is not whole', () => {
    expect(() => shippedSweeps('/nowhere/sweeps')).toThrow(
      /no folder \/nowhere\/sweeps.*install the package again/s,
    );
  });

  it.each(shippedSweeps())('%s, which the package ships, is in order for any network', async (name) => {
    for (const changes of [{}, { base: 'mnist-lenet-sgd' }]) {
      const file = await readSweep(name, changes);
      const grids = await planCells(file, () => Promise.resolve(tensors));
      expect(file.about).toMatch(/paper/);
      expect(grids.flatMap(({ cells }) => cells).length).toBeGreaterThan(1);
    }
  });
});

describe('runs at a time', () => {
  it('are as many as cores, jobs and memory allow', async () => {
    const size = { subset: 100, iterations: 2, batchSize: 20, chunk: 50, engine: 'reference' };
    const [grid] = await plan({ base: { ...base, ...size }, seeds: 6, grid: { momentum: [0] } });
    const { runs } = grid!.cells[0]!;
    const kinds = new Kinds();
    const load = (limits: object) => loadOf(runs, kinds, { cores: 4, available: 1e12, ...limits });
    expect(await load({})).toMatchObject({ jobs: 4, workers: 1 });
    expect(await load({ jobs: 2 })).toMatchObject({ jobs: 2, workers: 2 });
    expect(await load({ cores: 16 })).toMatchObject({ jobs: 6, workers: 2 });
    expect(await load({ workers: 3 })).toMatchObject({ jobs: 4, workers: 3 });
    const { memory } = await load({ jobs: 4 });
    // Room for two and a half, of which a fifth stays free.
    const available = 2.5 * 1.25 * memory;
    expect((await load({ available, workers: 1 })).jobs).toBe(2);
    await expect(load({ available, workers: 1, jobs: 3 })).rejects.toThrow(/3 runs at a time[^]*--jobs 2/);
    await expect(load({ available: 1000 })).rejects.toThrow(/make chunks smaller/);
  });
});
