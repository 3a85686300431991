import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { get, open, root, slice } from 'zarrita';
import { filesOf, finish, lastingOf, segmentOf, smallManifest, temporaryFolder, thetaOf, train } from '../../test/support/run-folder.js'; // prettier-ignore
import { pythonWith } from '../../test/support/python.js';
import { crc32c } from '../format/layout/shards.js';
import { verifyRun } from '../format/verify/verify.js';
import { packRun } from '../run/pack.js';
import { folderPlace } from './files.js';
import { createRunFolder, openRun, resumeRun } from './open.js';

/** Rows of more than one shard, of 256 rows each, and more than one window in one. */
const T = 258;
const own = smallManifest(T, { objectives: [smallManifest(T).objectives[1]!] });
const content = { ...own, packed: true as const };
const place = temporaryFolder();
const at = (name: string) => join(place.parent, name);
const plain = join(place.parent, 'plain');

beforeAll(async () => {
  for (const [folder, manifest] of [[place.run, content], [plain, own]] as const) {
    const run = await createRunFolder(folder, manifest);
    await finish(run, manifest);
    await run.close();
  }
}); // prettier-ignore
afterAll(() => {
  place.remove();
});

const findings = async (folder: string) => (await verifyRun(folderPlace(folder))).map(({ file, rows, what }) => ({ file, rows, what })); // prettier-ignore

describe('a run whose rows are packed', () => {
  it('has few files, from which Zarr reads what was written', async () => {
    const files = [...filesOf(join(place.run, 'ledger.zarr')).keys()];
    const rows = files.filter((path) => /^(theta|allocation\/\w+)\/c\//.test(path));
    expect(rows).toEqual(['allocation/mine', 'theta'].flatMap((name) => [`${name}/c/0/0`, `${name}/c/1/0`])); // prettier-ignore
    const store = root(zarrStore(join(place.run, 'ledger.zarr')));
    const theta = await open(store.resolve('theta'), { kind: 'array' });
    const run = await openRun(place.run);
    for (const row of [0, 255, 256, T]) {
      const { data } = await get(theta, [row, slice(null)]);
      expect(Buffer.from(new Uint8Array((data as Float32Array).slice().buffer)).equals(Buffer.from(thetaOf(row, run.layout.size).buffer))).toBe(true);
      expect(await run.theta(row)).toEqual(thetaOf(row, run.layout.size));
    }
  }); // prettier-ignore

  it('has the index that the specification states', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
    const bytes = readFileSync(join(place.run, 'ledger.zarr/theta/c/1/0'));
    const K = thetaBytes() / 4;
    expect(bytes.length).toBe((T + 1 - 256) * 4 * K + 16 * 256 + 4);
    const index = bytes.subarray(-16 * 256 - 4);
    expect([0, 1, 2].map((row) => [Number(index.readBigUInt64LE(16 * row)), Number(index.readBigUInt64LE(16 * row + 8))])).toEqual([0, 1, 2].map((row) => [4 * K * row, 4 * K]));
    expect(index.readBigUInt64LE(16 * 3)).toBe(2n ** 64n - 1n);
    expect(index.readUInt32LE(16 * 256)).toBe(crc32c(index.subarray(0, -4)));
  }); // prettier-ignore

  const reader = resolve(import.meta.dirname, '../../../shared/recipes/zarr3.py');
  const python = pythonWith('numpy');
  it.skipIf(!existsSync(reader) || python === null)('is read by a reader that was written from the specification', () => {
    const sums = (folder: string) => spawnSync(python!, [reader, join(folder, 'ledger.zarr'), 'theta', 'allocation/mine', 'loss/mine'], { encoding: 'utf8' });
    expect(sums(place.run)).toMatchObject({ status: 0, stdout: sums(plain).stdout });
  }); // prettier-ignore

  it('has the same bytes in whichever order and in how many goes it is written, and when it is packed afterwards', async () => {
    const run = await createRunFolder(at('order'), content);
    await train(run, content);
    for (let segment = T - 1; segment > 100; segment--) await run.commitSegment(segmentOf(content, segment));
    await run.close();
    expect(await findings(at('order'))).toEqual([]);
    const again = await resumeRun(at('order'));
    await finish(again, content);
    await again.close();
    expect(lastingOf(at('order'))).toEqual(lastingOf(place.run));
    await packRun(plain, at('packed'));
    expect(lastingOf(at('packed'))).toEqual(lastingOf(place.run));
    await packRun(place.run, at('twice'));
    expect(lastingOf(at('twice'))).toEqual(lastingOf(place.run));
  });

  it.each([
    ['a row', (bytes: Buffer) => flip(bytes, 9), { rows: { from: 256, to: 257 }, what: /checksum differs/ }],
    ['its index', (bytes: Buffer) => flip(bytes, bytes.length - 30), { rows: { from: 256, to: 259 }, what: /damaged index/ }],
    ['its end', (bytes: Buffer) => Buffer.concat([bytes, Buffer.of(0)]), { rows: { from: 256, to: 259 }, what: /another length/ }],
    ['all of it', () => Buffer.alloc(0), { rows: { from: 256, to: 257 }, what: /missing|checksum/ }],
  ])('tells where %s was changed', async (_, change, { rows, what }) => {
    const path = join(place.run, 'ledger.zarr/theta/c/1/0');
    const bytes = readFileSync(path);
    writeFileSync(path, change(bytes));
    try {
      const found = await findings(place.run);
      expect(found).toContainEqual({ file: 'ledger.zarr/theta/c/1/0', rows, what: expect.stringMatching(what) as string });
    } finally {
      writeFileSync(path, bytes);
    }
  }); // prettier-ignore
});

function thetaBytes(): number {
  return 4 * content.parameters.reduce((sum, { size }) => sum + size, 0);
}

function flip(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at]! ^= 1;
  return changed;
}

/** A folder as zarrita reads it. */
function zarrStore(folder: string) {
  const read = (key: string) => {
    const path = join(folder, key);
    return existsSync(path) ? new Uint8Array(readFileSync(path)) : undefined;
  };
  return {
    get: read,
    getRange: (key: string, range: { suffixLength: number } | { offset: number; length: number }) =>
      'suffixLength' in range
        ? read(key)?.slice(-range.suffixLength)
        : read(key)?.slice(range.offset, range.offset + range.length),
  };
}
