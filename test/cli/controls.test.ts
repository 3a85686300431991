import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openRun } from '../../src/store/open.js';
import type { RunFolder } from '../../src/store/folder.js';
import { lca, temporaryFolder } from '../support/cli.js';
import { encodeSafetensors } from '../support/safetensors.js';

const folder = temporaryFolder();
const iterations = 4;
const common = {
  subset: 200,
  batchSize: 40,
  iterations,
  chunk: 100,
  measure: ['train'],
  tolerance: 'none',
  momentum: 0.9,
  engine: 'onnxruntime',
};

async function run(name: string, more: object): Promise<RunFolder> {
  const file = join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify({ ...common, ...more }));
  const out = join(folder, name);
  const { code, stderr } = await lca(['run', file, '--out', out, '--workers', '1', '--quiet']);
  expect(code, stderr).toBe(0);
  return openRun(out);
}

async function rows(reader: RunFolder, name: string): Promise<number[][]> {
  const all: number[][] = [];
  for await (const row of reader.array(name).rows()) all.push([...row]);
  return all;
}

function span(reader: RunFolder, name: string): [number, number] {
  const { offset, size } = reader.manifest.parameters.find((tensor) => tensor.name === name)!;
  return [offset, offset + size];
}

let plain: RunFolder;
beforeAll(async () => {
  plain = await run('plain', {});
});

describe('freezing', () => {
  it('frozen tensors have exactly zero motion and zero allocation; start and batches stay the same', async () => {
    const groups = [
      { match: ['fc1.*'], frozen: true },
      { match: 'fc3.weight', frozenFrom: 2 },
    ];
    const frozen = await run('frozen', { groups });
    const theta = await rows(frozen, 'theta');
    const allocation = await rows(frozen, 'allocation/train');
    for (let t = 0; t < iterations; t++) {
      for (const name of ['fc1.weight', 'fc1.bias', ...(t >= 2 ? ['fc3.weight'] : [])]) {
        const place = span(frozen, name);
        expect(theta[t + 1]!.slice(...place)).toEqual(theta[t]!.slice(...place));
        expect(allocation[t]!.slice(...place).every((value) => value === 0)).toBe(true);
      }
      for (const name of ['fc2.weight', ...(t < 2 ? ['fc3.weight'] : [])]) {
        expect(allocation[t]!.slice(...span(frozen, name)).some((value) => value !== 0)).toBe(true);
      }
    }
    expect(theta[0]).toEqual((await rows(plain, 'theta'))[0]);
    expect(await rows(frozen, 'order')).toEqual(await rows(plain, 'order'));
    expect(theta[1]).not.toEqual((await rows(plain, 'theta'))[1]);
  });
});

describe('learning rate', () => {
  it('of a group and of a schedule scale the first and the later steps', async () => {
    const scheduled = await run('scheduled', {
      groups: [{ match: 'fc2.weight', learningRate: 0.005 }],
      schedule: { kind: 'step', every: 1, factor: 0.5 },
      momentum: 0,
    });
    const alone = await run('alone', { momentum: 0 });
    const step = async (reader: RunFolder, t: number, name: string) => {
      const [from, to] = [await reader.theta(t), await reader.theta(t + 1)];
      return [...to].map((end, k) => end - from[k]!).slice(...span(reader, name));
    };
    const own = await step(scheduled, 0, 'fc2.weight');
    (await step(alone, 0, 'fc2.weight')).forEach((value, k) => {
      expect(own[k]).toBeCloseTo(value / 10, 6);
    });
    expect(await step(scheduled, 0, 'fc1.weight')).toEqual(await step(alone, 0, 'fc1.weight'));
    const length = (values: number[]) => Math.hypot(...values);
    const ratio = length(await step(scheduled, 3, 'fc3.weight')) / length(await step(alone, 3, 'fc3.weight'));
    expect(ratio).toBeGreaterThan(0.05);
    expect(ratio).toBeLessThan(0.3);
  });

  it('clipping bounds the length of a step', async () => {
    const clipped = await run('clipped', { clipNorm: 0.01, momentum: 0, learningRate: 0.5 });
    for (let t = 0; t < iterations; t++) {
      const [from, to] = [await clipped.theta(t), await clipped.theta(t + 1)];
      const length = Math.sqrt(to.reduce((sum, end, k) => sum + (end - from[k]!) ** 2, 0));
      expect(length).toBeLessThan(0.005 * 1.001);
      expect(length).toBeGreaterThan(0.005 * 0.99);
    }
  });
});

describe('starting weights', () => {
  it('come from a run folder or a safetensors file, bit for bit', async () => {
    const start = await plain.theta(0);
    const again = await run('again', { seed: 2, init: plain.folder });
    expect(await again.theta(0)).toEqual(start);
    expect(await rows(again, 'order')).not.toEqual(await rows(plain, 'order'));
    const reading = again.manifest.readings.find(({ about }) => about === 'starting weights');
    expect(reading?.evidence).toMatch(/^init, as given; SHA-256 [0-9a-f]{64}$/);
    const tensors = plain.manifest.parameters.map(
      ({ name, shape, offset, size }) => [name, { shape, data: start.slice(offset, offset + size) }] as const,
    );
    const file = join(folder, 'start.safetensors');
    writeFileSync(file, encodeSafetensors(Object.fromEntries(tensors)));
    const loaded = await run('loaded', { init: file });
    expect(await loaded.theta(iterations)).toEqual(await plain.theta(iterations));
  });

  describe('with one number changed', () => {
    async function runFrom(name: string, value: number) {
      const start = await plain.theta(0);
      const tensors = plain.manifest.parameters.map(({ name: tensor, shape, offset, size }) => {
        const data = start.slice(offset, offset + size);
        if (tensor === 'fc2.weight') data[7] = value;
        return [tensor, { shape, data }] as const;
      });
      const file = join(folder, `${name}.safetensors`);
      writeFileSync(file, encodeSafetensors(Object.fromEntries(tensors)));
      const out = join(folder, name);
      return { ...(await lca(['run', 'mnist-fc-sgd', '--init', file, '--out', out, '--quiet'])), out };
    }

    it('to NaN are refused before a folder is made', async () => {
      const { code, stderr, out } = await runFrom('nan', NaN);
      expect(stderr).toMatch(/nan\.safetensors of which fc2\.weight\[7\] is NaN/);
      expect(existsSync(out)).toBe(false);
      expect(code).toBe(2);
    });

    it('to one with which the loss leaves all bounds: no learning rate is blamed', async () => {
      const { code, stderr } = await runFrom('overflow', 3e38);
      expect(stderr).toMatch(/with the starting weights, [^]*nothing was trained yet/);
      expect(stderr).not.toContain('learning rate');
      expect(code).toBe(1);
    });
  });

  it('of another network are refused', async () => {
    const out = join(folder, 'refused');
    const { code, stderr } = await lca([
      'run',
      'mnist-lenet-sgd',
      '--init',
      plain.folder,
      '--out',
      out,
      '--quiet',
    ]);
    expect(stderr).toMatch(/fc1\.weight \[100, 784\][^]*conv1\.weight/);
    expect(code).toBe(2);
  });
});

describe('L2', () => {
  it('is measured only on request, with its gradient', async () => {
    const weightDecay = 0.01;
    const without = await run('without', { weightDecay });
    const withIt = await run('with', { weightDecay, measureWeightDecay: true });
    const [bare, full] = [await rows(without, 'loss/train'), await rows(withIt, 'loss/train')];
    for (let t = 0; t <= iterations; t++) {
      const theta = await withIt.theta(t);
      expect(theta).toEqual(await without.theta(t));
      const penalty = 0.5 * weightDecay * theta.reduce((sum, value) => sum + value * value, 0);
      expect(full[t]![0]! - bare[t]![0]!).toBeCloseTo(penalty, 6);
    }
    const [bareResidual, residual] = [await rows(without, 'residual/train'), await rows(withIt, 'residual/train')];
    residual.forEach(([value], t) => {
      expect(value).toBeCloseTo(bareResidual[t]![0]!, 9);
    });
  });
}); // prettier-ignore
