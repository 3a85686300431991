import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zipSync, type ZipOptions } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { npyFile } from '../../../test/support/npz.js';
import { readUserDataset } from './read.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lossledger-'));
});
afterAll(() => rm(folder, { recursive: true }));

const x = Float32Array.from({ length: 600 }, (_, k) => Math.floor(k / 7));
const y = Int32Array.from({ length: 200 }, (_, k) => k % 2);
const arrays = { x: npyFile(x, [200, 3]), y: npyFile(y, [200]) };

/** The only file of an archive that holds these `.npy` files. */
async function fileOf(contents: Readonly<Record<string, Uint8Array>>, options: ZipOptions) {
  const path = join(folder, 'data.npz');
  const named = Object.entries(contents).map(([name, bytes]) => [`${name}.npy`, bytes] as const);
  await writeFile(path, zipSync(Object.fromEntries(named), options));
  const { files } = await readUserDataset(path);
  return files[0]!;
}

const digest = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');
const stored: ZipOptions = { level: 0, mtime: '2026-01-01' };

describe('the digest of an archive', () => {
  it('is what docs/FORMAT.md says', async () => {
    const lines = [
      `["x","float32",[200,3],"${digest(new Uint8Array(x.buffer))}"]\n`,
      `["y","int32",[200],"${digest(new Uint8Array(y.buffer))}"]\n`,
    ];
    expect((await fileOf(arrays, stored)).content).toBe(digest(lines.join('')));
  });

  it('is the same at other times, compressed, in other orders, and beside arrays that nothing reads', async () => {
    const first = await fileOf(arrays, stored);
    const columns = Float32Array.from({ length: 600 }, (_, k) => x[(k % 200) * 3 + Math.floor(k / 200)]!);
    const turned = Buffer.from(npyFile(columns, [200, 3]));
    turned.write("True, 'shape': (200, 3), } ", turned.indexOf('False,'), 'latin1');
    for (const again of [
      await fileOf(arrays, { level: 0, mtime: '2026-02-02' }),
      await fileOf(arrays, { level: 9, mtime: '2026-01-01' }),
      await fileOf({ y: arrays.y, x: arrays.x }, stored),
      await fileOf({ x: turned, y: arrays.y }, stored),
      await fileOf({ ...arrays, note: arrays.y }, stored),
    ]) {
      expect(again.sha256).not.toBe(first.sha256);
      expect(again.content).toBe(first.content);
    }
  });

  it('is another one for other numbers, types, shapes, names and further sets', async () => {
    const other = [
      arrays,
      { ...arrays, x: npyFile(x.map((value, k) => (k === 599 ? value + 1 : value)), [200, 3]) },
      { ...arrays, x: npyFile(Float64Array.from(x), [200, 3]) },
      { ...arrays, x: npyFile(x, [200, 3, 1]) },
      { x_train: arrays.x, y_train: arrays.y },
      { ...arrays, x_test: arrays.x, y_test: arrays.y },
    ]; // prettier-ignore
    const found = [];
    for (const each of other) found.push((await fileOf(each, stored)).content);
    expect(new Set(found).size).toBe(other.length);
  });
});
