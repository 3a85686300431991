import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { filesOf, finish, segmentOf, smallManifest, temporaryFolder, thetaOf } from '../../../test/support/run-folder.js'; // prettier-ignore
import type { LedgerRow } from '../../ledger/columns.js';
import { folderPlace } from '../../store/files.js';
import { createRunFolder } from '../../store/open.js';
import { verifyRun } from './verify.js';

const T = 3;
const content = smallManifest(T);
const place = temporaryFolder();
let files: Map<string, Buffer>;

beforeAll(async () => {
  const run = await createRunFolder(place.run, content);
  await finish(run, content);
  await run.close();
  files = filesOf(place.run);
});
afterEach(() => {
  for (const [path, bytes] of files) writeFileSync(join(place.run, path), bytes);
});
afterAll(() => {
  place.remove();
});

/** Array and row that a chunk file's name states. */
function namedBy(path: string): { array: string; chunk: number } | null {
  const match = /^ledger\.zarr\/(.*)\/c\/(\d+)/.exec(path);
  return match && { array: match[1]!, chunk: Number(match[2]) };
}

describe('verifyRun', () => {
  it('finds nothing in a sound run, and tells how far it is', async () => {
    const steps: number[] = [];
    expect(await verifyRun(folderPlace(place.run), (done, total) => steps.push(done / total))).toEqual([]);
    expect(steps.at(-1)).toBe(1);
    expect(steps).toHaveLength(2 * T + 1);
  });

  it('finds a flipped bit anywhere and names the file, the array and its rows', async () => {
    const anywhere = fc.constantFrom(...files.keys()).chain((path) =>
      fc.record({
        path: fc.constant(path),
        at: fc.nat(files.get(path)!.length - 1),
        bit: fc.integer({ min: 0, max: 7 }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(anywhere, async ({ path, at, bit }) => {
        const bytes = Buffer.from(files.get(path)!);
        bytes[at]! ^= 1 << bit;
        writeFileSync(join(place.run, path), bytes);
        const findings = await verifyRun(folderPlace(place.run));
        writeFileSync(join(place.run, path), files.get(path)!);
        const found = findings.find(({ file }) => file === path);
        expect(found).toBeDefined();
        const named = namedBy(path);
        expect(found!.array).toBe(named?.array ?? null);
        if (named?.array.startsWith('allocation')) {
          expect(found!.rows).toEqual({ from: named.chunk, to: named.chunk + 1 });
        }
        if (path !== 'journal') expect(findings).toHaveLength(1);
      }),
      { numRuns: 60 },
    );
  });

  it('finds every file that is missing or cut short', async () => {
    const damage = (path: string, bytes: Buffer, remove: boolean) => {
      if (remove) rmSync(join(place.run, path));
      else writeFileSync(join(place.run, path), bytes.subarray(0, bytes.length - 1));
    };
    const found = async () => (await verifyRun(folderPlace(place.run))).map(({ file }) => file);
    const isOfMany = (path: string) => namedBy(path) !== null || path.endsWith('zarr.json');
    for (const [path, bytes] of [...files].filter(([path]) => !isOfMany(path))) {
      for (const remove of [true, false]) {
        damage(path, bytes, remove);
        expect(await found()).toContain(path);
        writeFileSync(join(place.run, path), bytes);
      }
    }
    // All of one damage: each is named.
    const many = [...files].filter(([path]) => isOfMany(path));
    expect(many.length).toBeGreaterThan(3 * T);
    for (const remove of [true, false]) {
      for (const [path, bytes] of many) {
        writeFileSync(join(place.run, path), bytes);
        damage(path, bytes, remove);
      }
      expect(await found()).toEqual(expect.arrayContaining(many.map(([path]) => path)));
    }
  });

  it('states the rows of a chunk of many rows', async () => {
    rmSync(join(place.run, 'ledger.zarr/loss/train/c/0'));
    expect(await verifyRun(folderPlace(place.run))).toEqual([
      {
        file: 'ledger.zarr/loss/train/c/0',
        array: 'loss/train',
        rows: { from: 0, to: T + 1 },
        what: 'is missing',
      },
    ]);
  });

  it('finds that the end of the journal is missing, not what a crash leaves', async () => {
    const long = join(place.parent, 'long');
    const longer = smallManifest(100);
    const run = await createRunFolder(long, longer);
    await finish(run, longer);
    await run.close();
    expect(await verifyRun(folderPlace(long))).toEqual([]);
    const lines = readFileSync(join(long, 'journal'), 'utf8').split('\n');
    const atLine = (claimed: (line: string) => boolean) => lines.slice(0, lines.findIndex(claimed) + 1).join('\n') + '\n'; // prettier-ignore
    writeFileSync(
      join(long, 'journal'),
      atLine((line) => line.includes('"segment":40,')),
    );
    const findings = await verifyRun(folderPlace(long));
    expect(findings.map(({ file }) => file)).toEqual(['pending/0', 'journal']);
    expect(findings[1]!.what).toMatch(
      /claims none of \d+ chunks that are there, such as ledger.zarr.*its end is missing/,
    );
    // The chunks of a window are there, what they were made of is not.
    writeFileSync(join(long, 'journal'), lines.slice(0, -3).join('\n') + '\n');
    expect((await verifyRun(folderPlace(long))).map(({ file }) => file)).toEqual(['pending/1', 'journal']);
  });

  it('finds that the end of a finished run’s journal is missing, wherever it was cut', async () => {
    const lines = readFileSync(join(place.run, 'journal'), 'utf8').split('\n').slice(0, -1);
    expect(lines.length).toBeGreaterThan(3);
    for (let kept = 1; kept < lines.length; kept++) {
      writeFileSync(join(place.run, 'journal'), lines.slice(0, kept).join('\n') + '\n');
      expect(await verifyRun(folderPlace(place.run)), `${kept} lines`).not.toEqual([]);
    }
  });

  it('finds a line of the journal that was removed', async () => {
    const lines = readFileSync(join(place.run, 'journal'), 'utf8').split('\n');
    lines.splice(1, 1);
    writeFileSync(join(place.run, 'journal'), lines.join('\n'));
    expect((await verifyRun(folderPlace(place.run)))[0]).toMatchObject({
      file: 'journal',
      what: 'line 2 is torn or was changed',
    });
  });
});

describe('a ledger that does not balance', () => {
  const other = join(place.parent, 'other');
  afterEach(() => {
    rmSync(other, { recursive: true, force: true });
  });

  /** Stores a run of which segment 1 was changed before it was stored, so that every checksum is right. */
  async function findingsAfter(change: (row: LedgerRow) => LedgerRow): Promise<string[]> {
    const run = await createRunFolder(other, content);
    for (let row = 0; row <= T; row++) await run.writeTheta(row, thetaOf(row, run.layout.size));
    for (let segment = 0; segment < T; segment++) {
      const data = segmentOf(content, segment);
      await run.commitSegment({
        segment,
        rows: data.rows.map((row, o) => (segment === 1 && o === 1 ? change(row) : row)),
      });
    }
    await run.close();
    return (await verifyRun(folderPlace(other))).map(({ what, rows }) => `${rows!.from}: ${what}`);
  }

  it('is found: a total, a count, a residual, an allocation', async () => {
    expect(await findingsAfter((row) => row)).toEqual([]);
    for (const change of [
      (row: LedgerRow) => ({ ...row, total: row.total + 1e-12 }),
      (row: LedgerRow) => ({ ...row, residual: -row.residual }),
      (row: LedgerRow) => ({ ...row, zero: row.zero.map((count) => count + 1) }),
      (row: LedgerRow) => ({
        ...row,
        allocation: row.allocation.map((value, k) => (k === 4 ? value * 2 : value)),
      }),
      (row: LedgerRow) => ({ ...row, neuron_sums: row.neuron_sums.toReversed() }),
    ]) {
      rmSync(other, { recursive: true, force: true });
      const findings = await findingsAfter(change);
      expect(findings.length).toBeGreaterThan(0);
      for (const text of findings) expect(text).toMatch(/^1: does not balance: .*mine.*segment 1/);
    }
  });

  it('is refused where neighbouring segments state different losses of the row between them', async () => {
    const shifted = (row: LedgerRow): LedgerRow => ({ ...row, loss: row.loss.map((loss) => loss + 1) });
    await expect(findingsAfter(shifted)).rejects.toThrow(
      /segments 0 and 1 .* state two numbers of loss\/mine in row 1/,
    );
    const findings = await verifyRun(folderPlace(other));
    expect(findings.map(({ what }) => what).join()).toMatch(
      /does not balance: residual and total - loss change .*mine, segment 0/,
    );
  });
});
