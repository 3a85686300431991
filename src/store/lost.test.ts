import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { collect, completeRun, filesOf, finish, lastingOf, segmentOf, smallManifest, train } from '../../test/support/run-folder.js'; // prettier-ignore
import { runPlace } from '../../test/support/run-place.js';
import { verifyRun } from '../format/verify/verify.js';
import { folderPlace } from './files.js';
import { createRunFolder, openRun, resumeRun } from './open.js';

const manifest = smallManifest(7);
const place = runPlace();

/** A run that is trained, with its first five segments measured. */
async function interrupted(): Promise<void> {
  const run = await createRunFolder(place.run, manifest);
  await train(run, manifest);
  for (let segment = 0; segment < 5; segment++) await run.commitSegment(segmentOf(manifest, segment));
  await run.close();
}

const records = (): string => join(place.run, 'pending/0');

/** How often the journal says that each segment was stored. */
function timesStored(): number[] {
  const times = new Array<number>(7).fill(0);
  const lines = readFileSync(join(place.run, 'journal'), 'utf8').trim().split('\n');
  for (const line of lines) {
    const { record } = JSON.parse(line) as { record: { segments?: { segment: number }[] } };
    for (const { segment } of record.segments ?? []) times[segment]!++;
  }
  return times;
}

/** Resumes the run, and compares it with one that was never disturbed. */
async function expectRestored(lost: readonly number[]): Promise<void> {
  const run = await resumeRun(place.run);
  expect([...run.lost]).toEqual(lost);
  expect(run.status.segments).toBe(5 - lost.length);
  await finish(run, manifest);
  expect([...run.lost]).toEqual([]);
  expect(run.unmeasured()).toEqual([]);
  await run.close();
  const whole = join(place.parent, 'whole');
  await completeRun(whole, manifest);
  expect(lastingOf(place.run)).toEqual(lastingOf(whole));
  expect(timesStored()).toEqual([1, 1, 1, 1, 1, 1, 1]);
  expect(await verifyRun(folderPlace(place.run))).toEqual([]);
}

describe('records of measured segments that are not there any more', () => {
  it('are measured again: all of them, where their folder was deleted', async () => {
    await interrupted();
    rmSync(join(place.run, 'pending'), { recursive: true });
    await expectRestored([0, 1, 2, 3, 4]);
  });

  it('are measured again: the one that was changed, and those that were cut off', async () => {
    await interrupted();
    const bytes = readFileSync(records());
    const size = bytes.length / 5;
    bytes[2 * size + 3]! ^= 1;
    writeFileSync(records(), bytes.subarray(0, 4 * size + 1));
    await expectRestored([2, 4]);
  });

  it('are still missing where that was interrupted again', async () => {
    await interrupted();
    rmSync(records());
    const run = await resumeRun(place.run);
    for (const segment of [1, 4]) await run.commitSegment(segmentOf(manifest, segment));
    await run.close();
    await expectRestored([0, 2, 3]);
  });

  it('are not replaced by other numbers, and nothing that is stored is touched', async () => {
    await interrupted();
    rmSync(records());
    const before = filesOf(place.run, ['lock']);
    const run = await resumeRun(place.run);
    const other = { ...segmentOf(manifest, 3), segment: 0 };
    await expect(run.commitSegment(other)).rejects.toThrow(
      /segment 0 of .*pending\/0 is missing[^]*other numbers now[^]*put pending\/0 back/,
    );
    // Small columns as before do not make up for large ones that are others.
    const [{ allocation, ...row }, ...rest] = segmentOf(manifest, 0).rows as [
      { allocation: Float64Array },
      object,
    ];
    const large = [{ ...row, allocation: allocation.map((value) => 2 * value) }, ...rest];
    await expect(run.commitSegment({ segment: 0, rows: large as never })).rejects.toThrow(
      /other numbers now/,
    );
    await run.close();
    expect(filesOf(place.run, ['lock'])).toEqual(before);
    await expectRestored([0, 1, 2, 3, 4]);
  });

  it('are asked for where somebody reads the run', async () => {
    await interrupted();
    rmSync(records());
    const { rows } = (await openRun(place.run)).array('loss/train');
    await expect(collect(rows())).rejects.toThrow(/lca resume measures it again/);
  });

  it('are taken from a part of the run that was measured elsewhere, where it has the same numbers', async () => {
    await interrupted();
    const bytes = readFileSync(records());
    rmSync(records());
    const run = await resumeRun(place.run);
    const { state } = run;
    const size = bytes.length / 5;
    const part = (segment: number, of: number) => ({
      bytes: bytes.subarray(of * size, (of + 1) * size),
      record: {
        segment,
        record: state.records.get(of),
        theta: [state.theta.get(segment), state.theta.get(segment + 1)] as [string, string],
        rows: [0, 1].map((k) => state.chunks.get(2 * segment + k)),
      },
    });
    await expect(run.adoptSegments([part(3, 2)], place.run, 'copy')).rejects.toThrow(
      /segment 3 [^]*other numbers now/,
    );
    await run.adoptSegments([part(3, 3)], place.run, 'copy');
    await run.close();
    expect([...(await resumeRun(place.run).then((again) => again.close().then(() => again.lost)))]).toEqual([
      0, 1, 2, 4,
    ]);
  });
});
