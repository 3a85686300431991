import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RunsCompared } from '../../src/analysis/comparison/compare.js';
import type { SweepAnalysis } from '../../src/analysis/comparison/sweep.js';
import type { PruningAnalysis } from '../../src/analysis/use/pruning.js';
import { encodeModel } from '../../src/onnx/protobuf/encode.js';
import { readSweep } from '../../src/run/sweep/file.js';
import { prepareSweep } from '../../src/run/sweep/sweep.js';
import { openRun } from '../../src/store/open.js';
import { type CliResult, fingerprint, lca, temporaryFolder } from '../support/cli.js';
import { npyFile, npzFile } from '../support/npz.js';
import { node, tensor } from '../support/onnx-model.js';

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
const small = {
  subset: 120, batchSize: 40, iterations: 5, chunk: 120, lanes: 1, measure: ['train'], momentum: 0.9, engine: 'onnxruntime',
}; // prettier-ignore
const [original, lines] = [at('original'), at('lines')];

/** Runs the command line to its end; its status must be as expected. */
async function run(args: readonly string[], code = 0): Promise<CliResult> {
  const result = await lca(args);
  expect(result.code, result.stderr).toBe(code);
  return result;
}

function write(name: string, content: object): string {
  writeFileSync(at(name), JSON.stringify(content));
  return at(name);
}

beforeAll(async () => {
  await run(['run', write('small.json', small), '--out', original, '--quiet']);
  await run(['run', at('small.json'), '--keep', 'layers', '--loss', 'softmaxCrossEntropy', '--label-smoothing', '0.1', '--out', lines, '--quiet']); // prettier-ignore
});

describe('lca fork', () => {
  const forked = at('forked');

  it('goes on from an iteration with other settings, and states its origin', async () => {
    const { stdout } = await run(['fork', original, '--at', '3', '--freeze', 'fc3.*', '--learning-rate', '0.02', '--out', forked, '--json', '--quiet', '--figures', at('figures')]); // prettier-ignore
    const [own, origin] = [await openRun(forked), await openRun(original)];
    const { offset } = own.manifest.parameters.find(({ name }) => name === 'fc3.weight')!;
    for (let row = 0; row <= 3; row++) expect(await own.theta(row)).toEqual(await origin.theta(row));
    const [third, last] = [await own.theta(3), await own.theta(5)];
    expect(last.subarray(offset)).toEqual(third.subarray(offset));
    expect(last.subarray(0, offset)).not.toEqual(third.subarray(0, offset));
    const { forks, comparison } = JSON.parse(stdout) as { forks: [{ at: number; origin: { manifest: string } }]; comparison: RunsCompared }; // prettier-ignore
    expect(forks[0].at).toBe(3);
    expect(forks[0].origin.manifest).toBe(fingerprint(original)['manifest.json']);
    expect(comparison.steps).toEqual([3, 4, 5]);
    expect(comparison.objectives[0]!.parting).toEqual([null, 4]);
    expect(comparison.objectives[0]!.layers!.at(-1)!.totals[1]).toBe(0);
    expect(readdirSync(at('figures'))).toEqual(expect.arrayContaining(['compare.json', 'compare-loss-train.csv', 'compare-layers-train-dark.png'])); // prettier-ignore
  });

  it('has, bit for bit, what the same run has that is measured from its start', async () => {
    const config = (await openRun(forked)).manifest.config;
    await run(['run', write('whole.json', config), '--out', at('whole'), '--quiet']);
    const ledger = (path: string) => Object.entries(fingerprint(join(path, 'ledger.zarr')));
    expect(ledger(at('whole'))).toEqual(ledger(forked));
  });

  it('goes on where the original ends, and says that there is nothing to compare', async () => {
    const { stdout } = await run(['fork', original, '--at', '5', '--iterations', '7', '--out', at('longer'), '--quiet']); // prettier-ignore
    expect(stdout).toMatch(/ends at iteration 5, where the fork goes on: nothing to compare/);
    const [longer, origin] = [await openRun(at('longer')), await openRun(original)];
    expect(longer.status).toMatchObject({ iterations: 7, segments: 7 });
    expect(await longer.theta(5)).toEqual(await origin.theta(5));
  });

  it('refuses what cannot be forked, and makes nothing', async () => {
    const refused = async (args: readonly string[], message: RegExp) => {
      const { stderr } = await run(['fork', original, ...args, '--out', at('refused')], 2);
      expect(stderr).toMatch(message);
    };
    await refused(['--at', '3'], /changes nothing/);
    await refused(['--at', '2', '--changes', write('changes.json', { batchSize: 3 })], /batchSize in file/);
    expect(existsSync(at('refused'))).toBe(false);
  });
});

describe('lca compare', () => {
  it('sets runs side by side, and says when they cannot be compared and why', async () => {
    const { stdout } = await run(['compare', original, at('forked')]);
    expect(stdout).toMatch(
      /forks +setting +none \| at 3[^]*Compared: train[^]*parts at iteration +– +4[^]*fc3/,
    );
    const other = await run(['compare', original, lines, '--json'], 2);
    expect((JSON.parse(other.stdout) as RunsCompared).comparability.objectives[0]!.obstacles.map(({ about }) => about)).toEqual(['loss', 'label smoothing']); // prettier-ignore
    expect(other.stderr).toMatch(/cannot be compared/);
    expect((await run(['compare', original], 2)).stderr).toMatch(/two runs or more/);
  });

  describe('of networks that compute their own losses', () => {
    /** A run of a network whose loss is some function of w · x, at weights of its own. */
    async function runOf(name: string, op: string, weights: number[]): Promise<string> {
      const model = encodeModel({
        name,
        opset: 17,
        inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 2] }],
        outputs: [{ name: 'loss', dtype: 'float32', shape: ['batch', 1] }],
        initializers: [tensor('w', [2, 1], weights)],
        nodes: [node('MatMul', ['x', 'w'], ['h']), node(op, ['h'], ['loss'])],
      });
      writeFileSync(at(`${name}.onnx`), model);
      const settings = [
        '--learning-rate',
        '0.001',
        '--batch-size',
        '2',
        '--iterations',
        '2',
        '--engine',
        'reference',
      ];
      await run([
        'run',
        '--model',
        at(`${name}.onnx`),
        '--data',
        at('x.npz'),
        '--loss',
        'output',
        ...settings,
        '--out',
        at(name),
        '--quiet',
      ]);
      return at(name);
    }

    it('says where these may be of different kinds, whatever their weights', async () => {
      const array = { data: Float32Array.of(1, 2, 3, -4, 5, 6, -7, 8), shape: [4, 2] };
      writeFileSync(at('x.npz'), npzFile({ x: array }));
      const exponential = await runOf('exponential', 'Exp', [0.01, 0.02]);
      // Archived again, the data are the same.
      writeFileSync(at('x.npz'), zipSync({ 'x.npy': npyFile(array.data, array.shape) }, { level: 9 }));
      const again = await runOf('again', 'Exp', [0.03, -0.01]);
      const other = await runOf('other', 'Softplus', [0.01, 0.02]);
      const about = async (second: string): Promise<string[]> => {
        const { stdout } = await run(['compare', exponential, second, '--json']);
        return (JSON.parse(stdout) as RunsCompared).comparability.notes.map((note) => note.about);
      };
      expect(await about(again)).not.toContain('function of the model file');
      expect(await about(other)).toContain('function of the model file');
      expect((await run(['compare', exponential, other])).stdout).toMatch(
        /Function\s+of\s+the\s+model\s+file:\s+each\s+network\s+computes\s+its\s+own\s+loss/,
      );
    });
  });
});

describe('lca prune', () => {
  it('removes weights by all methods, and writes curves', async () => {
    const out = at('pruned');
    const { stdout } = await run(['prune', original, '--shares', '50%,1', '--draws', '2', '--json', '--quiet', '--out', out]); // prettier-ignore
    const { shares, methods, weights } = JSON.parse(stdout) as PruningAnalysis;
    expect([shares, weights]).toEqual([[0, 0.5, 1], 83_900]);
    const stored = await (await openRun(original)).view();
    for (const { curves } of methods) {
      for (const losses of curves[0]!.losses) {
        expect(losses[0]).toBeCloseTo(stored.column('loss', 'train')[5]!, 5);
        // Without weights, and with biases next to nothing, all classes are nearly alike.
        expect(losses[2]).toBeCloseTo(Math.log(10), 1);
      }
      expect(curves[0]!.accuracies![0]![0]).toBeGreaterThan(curves[0]!.accuracies![0]![2]!);
    }
    expect(methods.map(({ curves }) => curves[0]!.losses.length)).toEqual([1, 1, 1, 2]);
    expect(readFileSync(join(out, 'pruning.csv'), 'utf8').split('\n')).toHaveLength(1 + 5 * 3 + 1);
    expect(readdirSync(out)).toContain('pruning-dark.svg');
  });

  it('refuses a run without allocations of single parameters', async () => {
    expect((await run(['prune', lines, '--quiet'], 2)).stderr).toMatch(/no allocations of single parameters/);
  });
});

describe('lca sweep', () => {
  const file = () =>
    write('sweep.json', {
      base: small,
      set: { iterations: 3 },
      seeds: 2,
      grid: {
        change: {
          none: {},
          frozen: { groups: [{ match: '@last', frozen: true }] },
          wild: { learningRate: 1000 },
        },
      },
    });
  const out = at('swept');

  it('runs a grid over seeds, tells which runs diverged, and does not do again what is done', async () => {
    const { stdout, stderr } = await run(['sweep', file(), '--out', out, '--json', '--quiet', '--max-loss', '1000'], 1); // prettier-ignore
    expect(stderr).toMatch(/ended early: exit status 1/);
    const { grids, baseline } = JSON.parse(stdout) as SweepAnalysis;
    const { cells } = grids[0]!;
    expect([baseline, cells.length]).toEqual(['change none', 3]);
    const frozen = cells.find(({ label }) => label === 'change frozen')!;
    expect(frozen.summary!.layers.at(-1)).toMatchObject({ layer: 'fc3', values: [0, 0] });
    expect(frozen.summary!.losses[0]!.less!.count).toBe(2);
    expect(cells.filter(({ summary }) => summary === null).every(({ runs }) => runs[0]!.failure!.includes('diverged'))).toBe(true); // prettier-ignore
    const runs = fingerprint(join(out, 'runs'));
    const again = await run(['sweep', file(), '--out', out, '--max-loss', '1000', '--jobs', '1'], 1);
    expect(again.stderr).toMatch(/6 runs, 4 of them done; 1 at a time/);
    expect(fingerprint(join(out, 'runs'))).toEqual(runs);
    expect(again.stdout).toMatch(/losses at the end and shares, by change[^]*2\/2[^]*0\/2/);
    expect(readdirSync(out)).toEqual(expect.arrayContaining(['cells.csv', 'runs.csv', 'sweep.json', 'layers-change.png'])); // prettier-ignore
  });

  it('says of which run records that were lost are measured again', async () => {
    const again = at('again-swept');
    const args = { base: small, set: { iterations: 3 }, seeds: 1, grid: { change: { none: {} } } };
    const { found } = await prepareSweep(await readSweep(write('one.json', args)), again, { jobs: 1 });
    const [{ path, config }] = found as [(typeof found)[number]];
    mkdirSync(join(again, 'runs'), { recursive: true });
    await run(['train', write('one-run.json', config), '--out', path, '--quiet']);
    await run(['measure', path, '--segments', '0:2', '--quiet']);
    rmSync(join(path, 'pending'), { recursive: true });
    const { stderr } = await run(['sweep', at('one.json'), '--out', again, '--quiet']);
    expect(stderr).toMatch(
      /Records of 2 segments \(0 to 1\) are missing or damaged in .*runs.*pending: measured again/,
    );
    expect((await openRun(path)).status.sealed).toBe(true);
  });

  it('refuses what is no sweep, before anything is run', async () => {
    const refused = async (args: readonly string[], message: RegExp) => {
      expect((await run(['sweep', ...args, '--out', at('none')], 2)).stderr).toMatch(message);
    };
    await refused(['last-layer'], /did you mean last-layer-delay/);
    await refused([file(), '--learning-rate', '1'], /learningRate for all cells/);
    expect(existsSync(at('none'))).toBe(false);
  });
});
